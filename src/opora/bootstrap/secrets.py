"""Secrets: kept under the home folder in the embedded set-up, and derived from one root (HKDF, RFC 5869)."""

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec.structs import replace

from opora.bootstrap.faults import Fault
from opora.bootstrap.settings import Settings

FILE_NAME = "secrets.json"
ROOT_BYTES = 48
DERIVED_BYTES = 32
KEPT = ("secret_key", "signing_key")
"""The secrets that cannot be derived."""

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


def kept(home: str) -> Mapping[str, str] | Fault:
    """Return the secrets that an earlier start kept, or why they cannot be read; nothing when there was none."""
    path = Path(home) / FILE_NAME
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in KEPT):
            raise ValueError(f"it lacks one of {', '.join(KEPT)}")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as fault:
        return Fault(str(path), f"cannot be used ({fault})", "Restore it from a backup: keys and sessions depend on it")
    return found


def with_kept(settings: Settings, found: Mapping[str, str]) -> Settings:
    """Return the settings with kept secrets where none was given."""
    return replace(settings, **{name: found[name] for name in KEPT if name in found and not getattr(settings, name)})


def missing(settings: Settings, faulty: Collection[str]) -> list[Fault]:
    """Return what the server set-up lacks: several machines must share it, so it cannot be made up on one."""
    if settings.embedded:
        return []
    steps = {
        "secret_key": "`openssl rand -base64 48`",
        "signing_key": f"`openssl genpkey -algorithm {_openssl(settings)}`, its file named by OPORA_SIGNING_KEY_FILE",
    }
    return [
        Fault(
            f"OPORA_{name.upper()}", "is required with PostgreSQL", f"Make one with {step}, the same on every machine"
        )
        for name, step in steps.items()
        if not getattr(settings, name) and not {f"OPORA_{name.upper()}", f"OPORA_{name.upper()}_FILE"} & set(faulty)
    ]


def _openssl(settings: Settings) -> str:
    bits = settings.signing_key_bits
    rsa_arguments = f"RSA -pkeyopt rsa_keygen_bits:{bits}"
    return {"RS256": rsa_arguments, "ES256": "EC -pkeyopt ec_paramgen_curve:P-256", "EdDSA": "ED25519"}[
        settings.signing_algorithm
    ]


def made(settings: Settings) -> Settings:
    """Return the settings with the secrets they lack made and kept, readable by this user alone.

    Of several processes that start at once one writes the file, whole, and all use what it wrote.
    """
    if all(getattr(settings, name) for name in KEPT):
        return settings
    home = Path(settings.home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = {
        "secret_key": settings.secret_key or urlsafe_b64encode(secrets.token_bytes(ROOT_BYTES)).decode(),
        "signing_key": settings.signing_key or _new_signing_key(settings),
    }
    draft = home / f".{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(fresh, file, indent=1)
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


def _new_signing_key(settings: Settings) -> str:
    """Return a new private key as PEM."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if settings.signing_algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65_537, key_size=settings.signing_key_bits)
    elif settings.signing_algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def with_derived(settings: Settings) -> Settings:
    """Return the settings with every single secret that was not given derived from the root, when there is one."""
    root = settings.secret_key
    if not root:
        return settings
    return replace(
        settings,
        key_peppers=settings.key_peppers or (f"p1:{urlsafe_b64encode(hkdf(root, 'key_pepper/p1')).decode()}",),
        cursor_key=settings.cursor_key or _text(root, "cursor_key"),
        link_key=settings.link_key or _text(root, "link_key"),
        encryption_key=settings.encryption_key or _text(root, "encryption_key"),
        softphone_secret=settings.softphone_secret or _webhook_secret(root, "softphone_secret"),
        payments_secret=settings.payments_secret or _webhook_secret(root, "payments_secret"),
    )


def _text(root: str, purpose: str) -> str:
    return urlsafe_b64encode(hkdf(root, purpose)).decode()


def _webhook_secret(root: str, purpose: str) -> str:
    return "whsec_" + b64encode(hkdf(root, purpose)).decode()
