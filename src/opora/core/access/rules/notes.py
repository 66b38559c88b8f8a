"""What is noted of access tokens for other services."""

from dataclasses import replace

from opora.core.access.model.identities import Contact
from opora.core.access.model.notes import TokenNote
from opora.core.access.model.scopes import Role, scopes_of, shared_scopes
from opora.core.access.model.tokens import Claims


def note_of(claims: Claims, contact: Contact, tier: str) -> TokenNote:
    """Return the note of a person's token."""
    granted = tuple(sorted(claims.scopes))
    note = TokenNote(
        token_id=claims.token_id,
        user_id=claims.subject,
        session_id=claims.session_id,
        email=contact.email,
        scopes=granted,
        granted=granted,
        roles=(),
        tier=tier,
        email_verified=contact.email_verified,
        expires_at=claims.expires_at,
    )
    return renewed(note, contact, tier)


def renewed(note: TokenNote, contact: Contact, tier: str) -> TokenNote:
    """Return the note with what its owner is now."""
    held = scopes_of(Role(role) for role in contact.roles)
    return replace(
        note,
        email=contact.email,
        scopes=tuple(sorted(shared_scopes(held, frozenset(note.granted)))),
        roles=tuple(sorted(contact.roles)),
        tier=tier,
        email_verified=contact.email_verified,
    )
