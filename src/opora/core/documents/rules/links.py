"""Signed links: bound to a document, its content and a time."""

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from opora.core.documents.errors import InvalidDocument, LinkExpired, LinkInvalid
from opora.core.documents.model.documents import Document
from opora.core.documents.model.links import DownloadLink, LinkPolicy

PURPOSE = b"opora.documents.links"


def signed(document: Document, now: datetime, holds_for: timedelta | None, policy: LinkPolicy) -> DownloadLink:
    """Return a link that holds from now on; raises InvalidDocument for longer than the policy lets."""
    lasting = policy.holds_for if holds_for is None else holds_for
    if not timedelta(0) < lasting <= policy.holds_at_most:
        longest = int(policy.holds_at_most.total_seconds())
        raise InvalidDocument(errors={"expires_in_seconds": [f"is between 1 and {longest}"]})
    expires_at = (now + lasting).replace(microsecond=0)
    return DownloadLink(
        document_id=document.id, expires_at=expires_at, signature=signature(document, seconds(expires_at), policy)
    )


def refuse_bad_link(document: Document, expires: int, given: str, now: datetime, policy: LinkPolicy) -> None:
    """Raise LinkInvalid unless we signed this link for this document; LinkExpired where its time is over."""
    if not hmac.compare_digest(signature(document, expires, policy).encode(), given.encode("utf-8", "replace")):
        raise LinkInvalid
    if seconds(now) >= expires:
        raise LinkExpired


def signature(document: Document, expires: int, policy: LinkPolicy) -> str:
    """Return the signature of a link in hexadecimal."""
    said = f"{document.id} {document.sha256} {expires}".encode()
    return hmac.digest(hmac.digest(policy.secret, PURPOSE, sha256), said, sha256).hex()


def seconds(at: datetime) -> int:
    """Return whole seconds since 1970."""
    return int(at.astimezone(UTC).timestamp())
