"""What people do with their sessions beside the one they are in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from opora.core.access.errors import NoSuchSession, NoSuchUser
from opora.core.access.events import SessionsEnded, UserLoggedOut
from opora.core.access.model.people import SessionView
from opora.core.access.ports.people import SessionViews
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import RememberedStandings
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import session_change, sessions_change
from opora.core.access.rules.names import session_name, user_name
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.usecases.refusals import refuse_name, refuse_older
from opora.core.kernel.model import Actor, Page, PageRequest
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Show a person their sessions."""

    views: SessionViews
    clock: Clock

    async def __call__(self, actor: Actor, page: PageRequest) -> Page[SessionView]:
        """Return those that stand, newest first; raise NoSuchUser for a caller who is no person."""
        found = await self.views.page(person(actor), self.clock.now(), page)
        items = [replace(one, current=one.id == actor.session_id) for one in found.items]
        return replace(found, items=items)


@dataclass(frozen=True, slots=True)
class EndSession:
    """End one of one's sessions; its tokens are refused from now on."""

    unit: UnitOfWork[AccessTx]
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy
    clock: Clock

    async def __call__(self, actor: Actor, session_id: int) -> None:
        """Raise NoSuchSession for one that ended, never was or is another's, NoSuchUser for who is no person."""
        user_id, now = person(actor), self.clock.now()
        async with self.unit() as tx:
            session = await tx.sessions.get(session_id)
            if session is None or session.user_id != user_id or not await tx.sessions.end(session_id, now):
                raise NoSuchSession(session_id=session_id)
            await tx.audit.record(session_change(actor, "session.ended", user_id, session_id, now))
            await tx.outbox.add(UserLoggedOut(subject=user_id, at=now, session_id=session_id))
        self.standings.outdate(user_id)
        await refuse_name(self.gate, session_name(user_id, session_id), self.policy.refusal_s)


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """End every session of a person, the present one with them."""

    unit: UnitOfWork[AccessTx]
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy
    clock: Clock

    async def __call__(self, actor: Actor) -> Sequence[int]:
        """Return which were ended; raise NoSuchUser for a caller who is no person."""
        user_id, now = person(actor), self.clock.now()
        async with self.unit() as tx:
            ended = await tx.sessions.end_others(user_id, None, now)
            await tx.audit.record(sessions_change(actor, user_id, ended, now))
            await tx.outbox.add(SessionsEnded(subject=user_id, at=now, ids=tuple(ended)))
        self.standings.outdate(user_id)
        # The epoch ends all that is older by a second; the names end what was signed in this very second.
        await refuse_older(self.gate, user_name(user_id), now, self.policy.refusal_s)
        names = (session_name(user_id, one) for one in ended)
        await asyncio.gather(*(refuse_name(self.gate, name, self.policy.refusal_s) for name in names))
        return ended


def person(actor: Actor) -> int:
    """Return who is asking by a token of a session; raise NoSuchUser for a key, which has no sessions."""
    if actor.user_id is None or actor.session_id is None:
        raise NoSuchUser
    return actor.user_id
