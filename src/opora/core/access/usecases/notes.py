"""Noting access tokens for other services, and keeping the notes true."""

from contextlib import suppress
from dataclasses import dataclass

from opora.core.access.model.identities import Contact
from opora.core.access.model.people import User
from opora.core.access.model.tokens import Claims
from opora.core.access.ports.identities import Contacts, SubscriptionTiers, TokenNotes
from opora.core.access.ports.tokens import TokenIssuer
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.notes import note_of, renewed
from opora.core.jobs.model import Claim
from opora.core.jobs.ports import JobTx
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class NotedTokens(TokenIssuer):
    """Signs access tokens and notes those of people; where notes cannot be kept, tokens are signed all the same."""

    inner: TokenIssuer
    contacts: Contacts
    tiers: SubscriptionTiers
    notes: TokenNotes

    async def issue(self, claims: Claims) -> str:
        """See TokenIssuer."""
        text = await self.inner.issue(claims)
        contact = None if claims.key_id is not None else await self.contacts.find(claims.subject)
        if contact is not None:
            note = note_of(claims, contact, await self.tiers.tier_of(contact.user_id))
            with suppress(Unavailable):
                await self.notes.keep(note)
        return text


@dataclass(frozen=True, slots=True)
class RenewTokenNotes:
    """Bring the notes of a person's tokens up to date, after an event whose subject is the person."""

    unit: UnitOfWork[AccessTx]
    jobs: UnitOfWork[JobTx]
    notes: TokenNotes
    tiers: SubscriptionTiers
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many notes were renewed and dropped; raise Unavailable to be tried again."""
        user_id = int(str(claim.event["subject"]))
        kept = await self.notes.of(user_id)
        counts = {"renewed": 0, "dropped": 0}
        if kept:
            async with self.unit() as tx:
                user = await tx.users.get(user_id)
                sessions = {one.session_id: await tx.sessions.get(one.session_id or 0) for one in kept}
            tier, now = await self.tiers.tier_of(user_id), self.clock.now()
            for note in kept:
                session = sessions[note.session_id]
                if user is None or not user.is_active or session is None or not session.open(now):
                    await self.notes.drop(user_id, note.token_id)
                    counts["dropped"] += 1
                else:
                    await self.notes.renew(renewed(note, contact_of(user), tier))
                    counts["renewed"] += 1
        async with self.jobs() as tx:
            await tx.jobs.finish(claim, counts)


def contact_of(user: User) -> Contact:
    """Return what other services are told of a person."""
    return Contact(user.id, user.email, user.email_verified, user.is_active, frozenset(map(str, user.roles)))
