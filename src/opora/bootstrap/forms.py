"""The forms a setting's text may take: each check returns the text to keep or raises ValueError with what is wrong."""

import re
from base64 import b64decode
from collections.abc import Callable
from datetime import time
from ipaddress import ip_network
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opora.adapters.redis.addresses import Whereabouts
from opora.core.billing.model.currencies import EXPONENTS

COUNTRY_LENGTH = 2
SECRET_LENGTH_MIN = 32
PEPPER_LENGTH_MIN = 16
WEBHOOK_KEY_BYTES_MIN = 16
KEY_START = "AAAA"
"""Every public key of SSH begins so: the length of its kind's name, in four bytes of base64."""

_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_BUS_NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_KEY_PREFIX = re.compile(r"[a-z][a-z0-9]{1,15}")
_PEPPER = re.compile(r"[a-z][a-z0-9]{0,15}:[!-~]+")
_EMAIL = re.compile(r"[^@\s<>\",;]{1,64}@[^@\s<>\",;]{1,253}")
_HOST = re.compile(r"(?i)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]|[0-9a-f:.]+")


def _parts(text: str, *schemes: str) -> SplitResult:
    """Split an address, or say why it is none; the port is checked too."""
    parts = urlsplit(text)
    if parts.scheme not in schemes:
        raise ValueError("does not begin with " + " or ".join(f"{one}:" for one in schemes))
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValueError("holds a space or a control character; write it as %20")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number from 0 to 65535") from None
    return parts


def _server(text: str, *schemes: str) -> SplitResult:
    """Split the address of a server: it names a host."""
    parts = _parts(text, *schemes)
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise ValueError("names no host")
    return parts


def http_url(text: str) -> str:
    """An address under which paths are put."""
    parts = _server(text, "http", "https")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("carries more than a scheme, a host, a port and a path")
    return text.rstrip("/")


def http_prefix(text: str) -> str:
    """An address that ends in one slash, for names to be put behind."""
    return http_url(text) + "/"


def database_url(text: str) -> str:
    """A file of SQLite, or a PostgreSQL database; the usual spellings of the latter become `postgresql://`."""
    if text.startswith("sqlite:"):
        path = text.removeprefix("sqlite:///")
        if path == text or path in {"", ":memory:"} or path.startswith("file:"):
            raise ValueError("names no file; write sqlite:///relative/opora.db or sqlite:////absolute/opora.db")
        return text
    parts = _server(text, "postgresql", "postgres", "postgresql+asyncpg")
    if not parts.path.strip("/"):
        raise ValueError("names no database after the host")
    return "postgresql" + text[len(parts.scheme) :]


def redis_url(text: str) -> str:
    """A Redis server and the number of a database in it, a cluster, or a master that sentinels know."""
    scheme, _, rest = text.partition("://")
    secure, _, kind = scheme.partition("+")
    if kind in {"cluster", "sentinel"}:
        who, at, hosts = rest.partition("/")[0].rpartition("@")
        for host in hosts.split(","):
            _server(f"{secure}://{who}{at}{host}", "redis", "rediss")
        Whereabouts.parse(text)
        return text
    parts = _server(text, "redis", "rediss")
    if parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError("has a database that is not a number")
    return text


def amqp_url(text: str) -> str:
    """An AMQP broker."""
    _server(text, "amqp", "amqps")
    return text


def storage_url(text: str) -> str:
    """A folder, or a bucket."""
    if text.startswith("s3:"):
        parts = _parts(text, "s3")
        if not parts.netloc or "@" in parts.netloc:
            raise ValueError("names no bucket, or holds credentials; write s3://bucket/prefix?endpoint=https://host")
        return text
    if not text.startswith("file:"):
        raise ValueError("is neither a file: nor an s3: address")
    if not text.removeprefix("file:").removeprefix("//"):
        raise ValueError("names no folder")
    return text


def sms_url(text: str) -> str:
    """A service that takes Twilio's calls, with the account, its token and the sender's number."""
    parts = _server(text, "https", "http")
    if not (parts.username and parts.password):
        raise ValueError("names no account and token; write https://SID:TOKEN@host/?from=+15551234567")
    if "from=" not in parts.query:
        raise ValueError("names no sender; write ?from=+15551234567 at its end")
    return text


def clamd_url(text: str) -> str:
    """ClamAV's daemon: a host, or a socket of this machine."""
    parts = _parts(text, "clamd")
    if bool(parts.netloc) == bool(parts.path.strip("/")) or parts.query or parts.username:
        raise ValueError("is neither clamd://host:port nor clamd:///path/of/a/socket")
    return text


def smtp_url(text: str) -> str:
    """A server that takes letters."""
    _server(text, "smtp", "smtps")
    return text


def sftp_url(text: str) -> str:
    """A folder on a partner's server."""
    _server(text, "sftp")
    return text


def host_key(text: str) -> str:
    """Take a public key of SSH out of a line of `ssh-keyscan` or of a `.pub` file: its kind and its text alone."""
    words = text.split()
    for kind, key in pairwise(words):
        if key.startswith(KEY_START):
            return f"{kind} {key}"
    raise ValueError("holds no public key: give a line of `ssh-keyscan HOST`, or the host's .pub file")


def dsn(text: str) -> str:
    """A project of Sentry."""
    if not _server(text, "http", "https").username:
        raise ValueError("holds no public key before the host")
    return text


def origin(text: str) -> str:
    """What a browser sends as Origin, or `*`."""
    if text == "*":
        return text
    parts = _server(text, "http", "https")
    if parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("carries more than a scheme, a host and a port")
    return text.lower()


def network(text: str) -> str:
    """A network, or one address as a network of one."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not a network such as 10.0.0.0/8") from None


def email(text: str) -> str:
    """An address of a letter."""
    if not _EMAIL.fullmatch(text):
        raise ValueError("is not an address such as name@example.org")
    return text


def label(text: str) -> str:
    """A short plain word."""
    if not _LABEL.fullmatch(text):
        raise ValueError("is not a word of a-z, 0-9, - and _ that begins with a letter, of at most 64 characters")
    return text


def labels(text: str) -> str:
    """Short plain words, comma-separated; none is allowed."""
    found = [label(one.strip()) for one in text.split(",") if one.strip()]
    return ",".join(found)


def bus_name(text: str) -> str:
    """The name of an exchange."""
    if not _BUS_NAME.fullmatch(text) or text.startswith("amq."):
        raise ValueError("is not 1 to 64 of a-z, 0-9, - _ and . that begin with a letter; names in amq. are RabbitMQ's")
    return text


def country(text: str) -> str:
    """A country by its two letters."""
    if not (len(text) == COUNTRY_LENGTH and text.isascii() and text.isalpha() and text.isupper()):
        raise ValueError("is not a country's two letters such as RU")
    return text


def key_prefix(text: str) -> str:
    """A word that secret scanners can look for."""
    if not _KEY_PREFIX.fullmatch(text):
        raise ValueError("is not 2 to 16 of a-z and 0-9 that begin with a letter")
    return text


def secret(text: str) -> str:
    """A secret long enough not to be guessed."""
    if len(text) < SECRET_LENGTH_MIN:
        raise ValueError(f"has {len(text)} characters, fewer than {SECRET_LENGTH_MIN}")
    return text


def root_secret(text: str) -> str:
    """A secret that was not left as an example shows it."""
    if len(set(text)) < SECRET_LENGTH_MIN // 4:
        raise ValueError("repeats a few characters: make one with `openssl rand -base64 48`")
    return secret(text)


def pepper(text: str) -> str:
    """One pepper of the ring, `p1:…`."""
    if not _PEPPER.fullmatch(text):
        raise ValueError("has a part that is not a name, a colon and a secret, such as p1:…")
    if len(text.partition(":")[2]) < PEPPER_LENGTH_MIN:
        raise ValueError(f"has a pepper of fewer than {PEPPER_LENGTH_MIN} characters")
    return text


def whsec(text: str) -> str:
    """A key of Standard Webhooks: `whsec_` and base64."""
    try:
        key = b64decode(text.removeprefix("whsec_"), validate=True) if text.startswith("whsec_") else b""
    except ValueError:
        key = b""
    if len(key) < WEBHOOK_KEY_BYTES_MIN:
        raise ValueError(f"is not whsec_ and the base64 of at least {WEBHOOK_KEY_BYTES_MIN} bytes")
    return text


def zone(text: str) -> str:
    """The name of a time zone that this machine knows."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone; write Europe/Moscow, or UTC") from None
    return text


def time_of_day(text: str) -> str:
    """An hour and a minute."""
    try:
        if len(text) != len("18:00"):
            raise ValueError
        time.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time of day; write 18:00") from None
    return text


def currency(text: str) -> str:
    """A currency of ISO 4217."""
    if text not in EXPONENTS:
        raise ValueError("is no code of ISO 4217; write RUB")
    return text


FORMS: dict[str, Callable[[str], str]] = {
    check.__name__: check
    for check in (
        http_url, http_prefix, database_url, redis_url, amqp_url, storage_url, sms_url, clamd_url, smtp_url, sftp_url,
        host_key, dsn,
        origin, network, email, label, labels, bus_name, country, key_prefix, secret, root_secret, pepper, whsec,
        zone, time_of_day, currency,
    )
}  # fmt: skip
"""The checks by the name that a setting's description gives."""


def redacted_url(text: str) -> str:
    """Return an address with its password, and a name that stands alone as a secret, put out."""
    parts = urlsplit(text)
    if "@" not in parts.netloc:
        return text
    name, has_password, _ = parts.netloc.rpartition("@")[0].partition(":")
    shown = f"{name}:***" if has_password else "***"
    return parts._replace(netloc=f"{shown}@{parts.netloc.rpartition('@')[2]}").geturl()
