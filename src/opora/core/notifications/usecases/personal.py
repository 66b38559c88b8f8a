"""What people do with their notices and wishes."""

from dataclasses import dataclass, fields
from datetime import datetime

from opora.core.kernel.model import Actor, Change, Origin
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.kernel.rules import instant
from opora.core.notifications.errors import NoSuchNotice, PersonRequired, UnsubscribeLinkInvalid
from opora.core.notifications.model.kinds import KINDS
from opora.core.notifications.model.notices import Notice
from opora.core.notifications.model.preferences import Preferences
from opora.core.notifications.ports.channels import Unsubscribing
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.ports.people import Recipients
from opora.core.notifications.rules.preferring import refuse_bad_preferences, without_letters


def person(actor: Actor) -> int:
    """Return whose notices are meant; raises PersonRequired for a key that acts for nobody."""
    if actor.user_id is None:
        raise PersonRequired
    return actor.user_id


@dataclass(frozen=True, slots=True)
class ReadNotice:
    """Mark entries of one's list as read."""

    unit: UnitOfWork[DeliveryTx]
    clock: Clock

    async def __call__(self, actor: Actor, number: int) -> None:
        """Mark one; raises NoSuchNotice."""
        user_id = person(actor)
        async with self.unit() as tx:
            if not await tx.inbox.read(user_id, number, self.clock.now()):
                raise NoSuchNotice(notification_id=number)

    async def all(self, actor: Actor) -> int:
        """Mark all; returns how many were unread."""
        user_id = person(actor)
        async with self.unit() as tx:
            return await tx.inbox.read_all(user_id, self.clock.now())


@dataclass(frozen=True, slots=True)
class ChangePreferences:
    """Say what one wants to hear of, how and when."""

    unit: UnitOfWork[DeliveryTx]
    clock: Clock

    async def find(self, actor: Actor) -> Preferences:
        """Return what stands."""
        user_id = person(actor)
        async with self.unit() as tx:
            return await tx.preferences.get(user_id)

    async def __call__(self, actor: Actor, wanted: Preferences) -> Preferences:
        """Replace what stands; raises PreferencesInvalid."""
        user_id = person(actor)
        refuse_bad_preferences(wanted)
        async with self.unit() as tx:
            before = await tx.preferences.hold(user_id)
            await tx.preferences.put(user_id, wanted)
            await tx.audit.record(preferred(actor, user_id, before, wanted, self.clock.now()))
        return wanted


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """End the letters of a kind by the link that stands in them; whoever has the letter may, without signing in."""

    unit: UnitOfWork[DeliveryTx]
    unsubscribing: Unsubscribing
    recipients: Recipients
    clock: Clock

    def check(self, token: str) -> tuple[int, str]:
        """Return whose letters of which kind a link ends; raises UnsubscribeLinkInvalid."""
        found = self.unsubscribing.read(token)
        if found is None:
            raise UnsubscribeLinkInvalid
        return found

    async def __call__(self, token: str, origin: Origin) -> None:
        """Once is as good as twice; a kind that may not be ended this way, and who is gone, stay as they are."""
        user_id, name = self.check(token)
        kind, recipient = KINDS.get(name), await self.recipients.one(user_id)
        if kind is None or not kind.ends_by_click or recipient is None or not recipient.is_active:
            return
        async with self.unit() as tx:
            before = await tx.preferences.hold(user_id)
            after = without_letters(before, name)
            if after != before:
                await tx.preferences.put(user_id, after)
                actor = Actor(origin=origin)
                await tx.audit.record(preferred(actor, user_id, before, after, self.clock.now(), by_link=name))


def preferred(
    actor: Actor, user_id: int, before: Preferences, after: Preferences, at: datetime, by_link: str | None = None
) -> Change:
    """Return the entry of a change of preferences: which of them, never to what, for a phone number is one of them."""
    changed = [one.name for one in fields(Preferences) if getattr(before, one.name) != getattr(after, one.name)]
    return Change(
        actor=actor,
        action="preferences.changed",
        entity_type="user",
        entity_id=str(user_id),
        at=at,
        new={"changed": changed} if by_link is None else {"changed": changed, "ended": by_link},
    )


@dataclass(frozen=True, slots=True)
class TryNotices:
    """Send oneself a notice, to see that they arrive."""

    unit: UnitOfWork[DeliveryTx]
    clock: Clock

    async def __call__(self, actor: Actor) -> None:
        """Once a minute, however often it is asked for."""
        user_id, now = person(actor), self.clock.now()
        key = f"trial:{user_id}:{now:%Y-%m-%dT%H:%M}"
        notice = Notice(kind="notifications.trial", user_id=user_id, data={"sent_at": instant(now)}, dedup_key=key)
        async with self.unit() as tx:
            await tx.notices.add(notice)


USE_CASES = (ReadNotice, ChangePreferences, Unsubscribe, TryNotices)
