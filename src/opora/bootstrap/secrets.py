"""Secrets: kept under the home folder in the embedded set-up, and derived from one root (HKDF, RFC 5869)."""

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec.structs import replace

from opora.bootstrap.faults import Fault
from opora.bootstrap.settings import Settings

FILE_NAME = "secrets.json"
ROOT_BYTES = 48
DERIVED_BYTES = 32

_SALT = b"opora/secrets/v1"


def hkdf(root: str, purpose: str, length: int = DERIVED_BYTES) -> bytes:
    """Return bytes for one purpose: HKDF-SHA-256 of RFC 5869 over the root, at most 255 blocks of 32."""
    extracted = hmac.digest(_SALT, root.encode(), hashlib.sha256)
    block, okm, counter = b"", b"", 1
    while len(okm) < length:
        block = hmac.digest(extracted, block + purpose.encode() + bytes([counter]), hashlib.sha256)
        okm, counter = okm + block, counter + 1
    return okm[:length]


def fingerprint(settings: Settings) -> str:
    """Return a short name of the root secret that tells two roots apart and tells nothing of either."""
    return hkdf(settings.secret_key, "fingerprint", 8).hex()


def rings(settings: Settings, purpose: str) -> tuple[bytes, ...]:
    """Return the keys of sealed columns for one purpose: the one that seals, then those that only open."""
    return tuple(hkdf(one, purpose) for one in (settings.encryption_key, *settings.encryption_keys_old))


def kept(home: str) -> Mapping[str, str] | Fault:
    """Return the secrets that an earlier start kept, or why they cannot be read; nothing when there was none."""
    path = Path(home) / FILE_NAME
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict) or not isinstance(found.get("secret_key"), str):
            raise ValueError("it lacks secret_key")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as fault:
        return Fault(str(path), f"cannot be used ({fault})", "Restore it from a backup: keys and sessions depend on it")
    return found


def with_kept(settings: Settings, found: Mapping[str, str]) -> Settings:
    """Return the settings with the kept root where none was given."""
    return replace(settings, secret_key=settings.secret_key or found.get("secret_key", ""))


def missing(settings: Settings, faulty: Collection[str]) -> list[Fault]:
    """Return what the server set-up lacks: its machines share the root, so it cannot be made up on one of them."""
    named = {"OPORA_SECRET_KEY", "OPORA_SECRET_KEY_FILE"} & set(faulty)
    if settings.embedded or settings.secret_key or named:
        return []
    mend = "Make it once with `openssl rand -base64 48` and give the same one to every machine"
    return [Fault("OPORA_SECRET_KEY", "is required with PostgreSQL", mend)]


def made(settings: Settings) -> Settings:
    """Return the settings with a root secret: where none is known, one is made and kept for this user's eyes alone.

    Of several processes that start at once one writes the file, whole, and all use what it wrote.
    """
    if settings.secret_key:
        return settings
    home = Path(settings.home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = home / f".{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"secret_key": urlsafe_b64encode(secrets.token_bytes(ROOT_BYTES)).decode()}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, home / FILE_NAME)  # unlike a rename it fails where another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    found = kept(settings.home)
    if isinstance(found, Fault):
        raise OSError(str(found))
    return with_kept(settings, found)


def with_derived(settings: Settings) -> Settings:
    """Return the settings with every single secret that was not given derived from the root, when there is one."""
    root = settings.secret_key
    if not root:
        return settings
    return replace(
        settings,
        key_peppers=settings.key_peppers or (f"p1:{urlsafe_b64encode(hkdf(root, 'key_pepper/p1')).decode()}",),
        cursor_key=settings.cursor_key or _text(root, "cursor_key"),
        audit_key=settings.audit_key or _text(root, "audit_key"),
        encryption_key=settings.encryption_key or _text(root, "encryption_key"),
        softphone_secret=settings.softphone_secret or _webhook_secret(root, "softphone_secret"),
        payments_secret=settings.payments_secret or _webhook_secret(root, "payments_secret"),
    )


DERIVED = ("key_peppers", "cursor_key", "audit_key", "encryption_key", "softphone_secret", "payments_secret")
"""The secrets that follow from the root unless they are given."""


def given_beside_root(settings: Settings) -> list[str]:
    """Name the variables of the secrets that do not follow from the root: whoever keeps the root alone lacks them."""
    bare = replace(settings, key_peppers=(), **dict.fromkeys(DERIVED[1:], ""))
    by_root = with_derived(bare)
    own = [name for name in DERIVED if getattr(settings, name) not in (getattr(bare, name), getattr(by_root, name))]
    if settings.encryption_keys_old:
        own.append("encryption_keys_old")
    return [f"OPORA_{name.upper()}" for name in own]


def _text(root: str, purpose: str) -> str:
    return urlsafe_b64encode(hkdf(root, purpose)).decode()


def _webhook_secret(root: str, purpose: str) -> str:
    return "whsec_" + b64encode(hkdf(root, purpose)).decode()
