"""One-time codes that a device makes from a shared secret and the time (RFC 6238 over RFC 4226), and recovery codes."""

import hmac
import re
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

SECRET_BYTES = 20
"""RFC 4226 section 4, R6: 160 bits."""
PERIOD_S = 30
DIGITS = 6
DRIFT_STEPS = 1
"""How many steps a device's clock may be away, either way (RFC 6238 section 5.2)."""
RECOVERY_CODES = 10
RECOVERY_BYTES = 15
"""120 bits: enough to be kept under a fast digest (OWASP ASVS 5.0, 6.5.2 asks for 112)."""
RECOVERY_GROUP = 4
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FactorPolicy:
    """What a device shows beside its codes, and how long a log-in waits for one."""

    issuer: str = "Opora"
    login_wait_s: int = 300


def step_of(now: datetime) -> int:
    """Return the number of the time step an instant is in."""
    return int(now.timestamp()) // PERIOD_S


def code_at(secret: bytes, step: int, digits: int = DIGITS, digest: str = "sha1") -> str:
    """Return the code of a time step: RFC 4226 section 5.3 with the step as the counter."""
    mac = hmac.digest(secret, step.to_bytes(8), digest)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """Return the step whose code this is: of this moment or one beside it, and after the last one that was taken."""
    if _CODE.fullmatch(code) is None:
        return None
    present = step_of(now)
    found = None
    for step in range(max(0, present - DRIFT_STEPS), present + DRIFT_STEPS + 1):
        # Every step is compared: the time it takes does not tell how near a guess was.
        if hmac.compare_digest(code_at(secret, step), code) and step > last_step:
            found = step
    return found


def otpauth_uri(secret: bytes, account: str, issuer: str) -> str:
    """Return what a device reads out of a picture: the Key URI Format that authenticators share."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    text = b32encode(secret).decode()
    return f"otpauth://totp/{label}?secret={text}&issuer={quote(issuer, safe='')}&digits={DIGITS}&period={PERIOD_S}"


def recovery_codes(random: bytes) -> Iterator[str]:
    """Yield one code for every RECOVERY_BYTES of randomness: base32 in groups that can be read aloud."""
    for start in range(0, len(random), RECOVERY_BYTES):
        text = b32encode(random[start : start + RECOVERY_BYTES]).decode().lower()
        yield "-".join(text[place : place + RECOVERY_GROUP] for place in range(0, len(text), RECOVERY_GROUP))


def recovery_digest(code: str) -> bytes:
    """Return what is kept of a recovery code: the same for every way people write one down."""
    plain = "".join(code.split()).replace("-", "").lower()
    return sha256(b"recovery:" + plain.encode("utf-8", "surrogatepass")).digest()
