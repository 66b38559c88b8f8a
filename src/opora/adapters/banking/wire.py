"""Packets and receipts as the bank reads and writes them: JSON, checked field by field."""

import json
import re
from datetime import datetime
from typing import TypeGuard

from opora.core.documents.model.packets import BadReceipt, Consignment, Receipt, Verdict
from opora.core.documents.model.reconciliation import Holding

RECEIPT_BYTES_MAX = 64 * 1024
LINE_BYTES_MAX = 4096
TEXT_MAX = 1000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_KEY = re.compile(r"[0-9]{1,19}\.[0-9]{1,9}")
_REFERENCE = re.compile(r"[!-~]{1,200}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
ID_MAX = 2**63 - 1
VERSION_MAX = 2**31 - 1


class Unreadable(Exception):
    """What came is not what was agreed; the message says what is wrong with it."""


def manifest(told: Consignment, file_name: str | None) -> bytes:
    """Write what the bank is told of a packet; `file_name` names the file that goes along."""
    fields = {
        "key": told.key,
        "document_id": told.document_id,
        "version": told.version,
        "status": str(told.status),
        "user_id": told.user_id,
        "category": told.category,
        "description": told.description,
        "at": told.at.isoformat(),
        "file": None
        if file_name is None
        else {"name": file_name, "size": told.size, "sha256": told.sha256, "media_type": told.media_type},
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def receipt_of(raw: bytes, name: str) -> Receipt | BadReceipt:
    """Read a receipt; `name` stands for it where it cannot be read."""
    try:
        return read_receipt(parsed(raw, RECEIPT_BYTES_MAX))
    except Unreadable as fault:
        return BadReceipt(name, str(fault))


def read_receipt(fields: dict[str, object]) -> Receipt:
    """Read a receipt from its fields; raises Unreadable."""
    id, packet, reference, reason = (fields.get(name) for name in ("id", "packet", "reference", "reason"))
    if not is_id(id):
        raise Unreadable("id is not 1 to 200 letters, digits, dots, dashes or underscores")
    if not isinstance(packet, str) or not _KEY.fullmatch(packet):
        raise Unreadable("packet is no key of a packet")
    if reference is not None and not (isinstance(reference, str) and _REFERENCE.fullmatch(reference)):
        raise Unreadable("reference is not 1 to 200 printable ASCII letters")
    if reason is not None and not isinstance(reason, str):
        raise Unreadable("reason is no text")
    try:
        verdict = Verdict(str(fields.get("verdict")))
    except ValueError:
        raise Unreadable("verdict is neither accepted nor rejected") from None
    told = None if reason is None else "".join(letter for letter in reason if letter.isprintable())[:TEXT_MAX]
    return Receipt(id=id, packet=packet, verdict=verdict, reference=reference, reason=told)


def holding_of(raw: bytes) -> Holding:
    """Read one line of a register; raises Unreadable."""
    return read_holding(parsed(raw, LINE_BYTES_MAX))


def read_holding(fields: object) -> Holding:
    """Read a holding from its fields; raises Unreadable."""
    if not isinstance(fields, dict):
        raise Unreadable("a holding is no object")
    document_id, version, status, digest = (fields.get(name) for name in ("document_id", "version", "status", "sha256"))
    if not is_number(document_id, ID_MAX) or not is_number(version, VERSION_MAX):
        raise Unreadable("document_id or version is no number in its bounds")
    if not isinstance(status, str) or not 1 <= len(status) <= 64:  # noqa: PLR2004
        raise Unreadable("status is no word")
    if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise Unreadable("sha256 is no digest")
    return Holding(document_id=document_id, version=version, status=status, sha256=digest)


def is_id(value: object) -> TypeGuard[str]:
    """Tell whether a value can name a receipt."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_number(value: object, most: int) -> TypeGuard[int]:
    """Tell whether a value is a number from 1 to `most`."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def instant(value: object) -> datetime:
    """Read an instant; raises Unreadable unless it has a zone."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise Unreadable("as_of is no instant") from None
    if at.tzinfo is None:
        raise Unreadable("as_of names no zone")
    return at


def parsed(raw: bytes, size_max: int) -> dict[str, object]:
    """Read a JSON object; raises Unreadable."""
    if len(raw) > size_max:
        raise Unreadable(f"larger than {size_max} bytes")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("no JSON object")
    return found
