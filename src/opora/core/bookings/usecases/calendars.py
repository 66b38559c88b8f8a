"""Invitations, and private calendars under an address that cannot be guessed."""

from dataclasses import dataclass
from hashlib import sha256

from opora.core.bookings.errors import NoSuchCalendar
from opora.core.bookings.model.calendars import (
    FEED_APPOINTMENTS_MAX,
    TOKEN_BYTES,
    TOKEN_PREFIX,
    Feed,
    Method,
)
from opora.core.bookings.ports.appointments import AppointmentViews
from opora.core.bookings.ports.calendars import CalendarFiles, FeedTx, FeedViews
from opora.core.bookings.rules import calendars
from opora.core.bookings.usecases.deciding import seen
from opora.core.bookings.usecases.words import CalendarWords
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork


@dataclass(frozen=True, slots=True)
class WriteInvitation:
    """Write the calendar file of one appointment."""

    views: AppointmentViews
    words: CalendarWords
    files: CalendarFiles

    async def __call__(self, actor: Actor, id: int) -> bytes:
        """Return it as a request, or as a cancellation once it is cancelled; raises NoSuchAppointment."""
        appointment = await seen(self.views, actor, id)
        return self.files.write(await self.words([appointment]), calendars.method(appointment))


def digest_of(token: str) -> bytes:
    """Return the digest under which a token is kept: with 256 random bits a plain hash is enough."""
    return sha256(token.encode()).digest()


def owner_of(actor: Actor) -> int:
    """Return whose calendars the caller means; raises NoSuchCalendar for a key that belongs to nobody."""
    if actor.user_id is None:
        raise NoSuchCalendar("A calendar is a person's, and this key belongs to nobody.")
    return actor.user_id


@dataclass(frozen=True, slots=True)
class MakeFeed:
    """Make a private calendar of one's own."""

    unit: UnitOfWork[FeedTx]
    randomness: Randomness
    clock: Clock

    async def __call__(self, actor: Actor) -> tuple[Feed, str]:
        """Return the feed and its token, which is shown this once; raises TooManyCalendars."""
        user_id = owner_of(actor)
        token = TOKEN_PREFIX + self.randomness.token_bytes(TOKEN_BYTES).hex()
        now = self.clock.now()
        async with self.unit() as tx:
            calendars.refuse_more(await tx.feeds.count(user_id))
            feed = Feed(id=await tx.feeds.next_id(), user_id=user_id, digest=digest_of(token), created_at=now)
            await tx.feeds.add(feed)
            await tx.audit.record(
                Change(actor=actor, action="calendar.made", entity_type="calendar", entity_id=str(feed.id), at=now)
            )
        return feed, token


@dataclass(frozen=True, slots=True)
class RevokeFeed:
    """Close the address of a private calendar."""

    unit: UnitOfWork[FeedTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchCalendar for one that is not the caller's."""
        user_id = owner_of(actor)
        now = self.clock.now()
        async with self.unit() as tx:
            if not await tx.feeds.revoke(id, user_id, now):
                raise NoSuchCalendar(calendar_id=id)
            await tx.audit.record(
                Change(actor=actor, action="calendar.revoked", entity_type="calendar", entity_id=str(id), at=now)
            )


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """Write the private calendar that a token opens."""

    feeds: FeedViews
    views: AppointmentViews
    words: CalendarWords
    files: CalendarFiles
    clock: Clock

    async def __call__(self, token: str) -> bytes:
        """Return the month behind and the year ahead; raises NoSuchCalendar, whatever is wrong with the token."""
        user_id = await self.feeds.owner(digest_of(token))
        if user_id is None:
            raise NoSuchCalendar
        span = calendars.span(self.clock.now())
        found = await self.views.of_person(user_id, span, FEED_APPOINTMENTS_MAX)
        return self.files.write(await self.words(found), Method.PUBLISH)


USE_CASES = (WriteInvitation, MakeFeed, RevokeFeed, ReadFeed)
