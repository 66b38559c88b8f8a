"""Clients that prove themselves by HTTP Basic, as RFC 6749 section 2.3.1 has it."""

import base64
import binascii
from urllib.parse import unquote_plus

from opora.core.access.errors import ClientUnknown


def basic(encoded: str) -> tuple[str, str]:
    """Return name and secret of HTTP Basic (RFC 7617), each form-encoded (RFC 6749); raise ClientUnknown."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise ClientUnknown("the Authorization header cannot be read") from error
    name, colon, secret = text.partition(":")
    if not colon:
        raise ClientUnknown("the Authorization header cannot be read")
    return unquote_plus(name), unquote_plus(secret)
