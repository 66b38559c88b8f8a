"""What a gateway is told of the callers it asks about."""

from collections.abc import Iterable
from dataclasses import dataclass

from opora.core.access.errors import ScopeMissing
from opora.core.access.model.identities import Identity
from opora.core.access.ports.identities import Contacts, IdentitySigner, SubscriptionTiers
from opora.core.kernel.errors import Unauthenticated
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock


@dataclass(frozen=True, slots=True)
class TellIdentity:
    """Say who is asking, as other services hear it, with a signature that is good for one of them."""

    contacts: Contacts
    tiers: SubscriptionTiers
    signer: IdentitySigner
    clock: Clock

    async def __call__(self, actor: Actor, audience: str, needed: Iterable[str] = ()) -> tuple[Identity, str]:
        """Return the identity and its signed form; raise Unauthenticated for nobody, ScopeMissing for too little."""
        if actor.user_id is None and actor.key_id is None:
            raise Unauthenticated("Sign in, or send a key.")
        missing = sorted(scope for scope in needed if not actor.may(scope))
        if missing:
            raise ScopeMissing(f"the caller lacks {', '.join(missing)}", scopes=missing)
        contact = None if actor.user_id is None else await self.contacts.find(actor.user_id)
        identity = Identity(
            user_id=actor.user_id,
            key_id=actor.key_id,
            session_id=actor.session_id,
            scopes=actor.scopes,
            roles=actor.roles,
            tier="" if contact is None else await self.tiers.tier_of(contact.user_id),
            email_verified=contact is not None and contact.email_verified,
        )
        return identity, self.signer.sign(identity, audience, self.clock.now())
