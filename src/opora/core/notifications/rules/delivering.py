"""Where a notice goes, when it is tried again, and under which name it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from opora.core.notifications.model.kinds import Channel, Kind
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.notices import KeptNotice
from opora.core.notifications.model.preferences import Digest
from opora.core.notifications.rules.preferring import channels_of, digest_due, quiet_until

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LONG = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR)
SHORT = (MINUTE / 2, 2 * MINUTE, 10 * MINUTE, HOUR)
PAUSES: Mapping[Channel, tuple[timedelta, ...]] = {
    Channel.EMAIL: LONG,
    Channel.WEBHOOK: (MINUTE / 12, *LONG),
    Channel.SMS: SHORT,
    Channel.WEBPUSH: SHORT,
}
"""How long a delivery waits after its first, second, … attempt; after the last one it has failed."""
JITTER = 0.2
RINGING = frozenset({Channel.EMAIL, Channel.SMS, Channel.WEBPUSH})
"""The channels that quiet hours hold back; programs and the list in the API disturb nobody."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One way of a notice: to a target by a channel, not before `at`, which is past where nothing holds it back."""

    channel: Channel
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Route:
    """Where a notice goes: its legs, whether it stands in the person's list, and when it is told in a digest."""

    legs: tuple[Leg, ...] = ()
    to_inbox: bool = False
    digest_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether it goes nowhere."""
        return not (self.legs or self.to_inbox or self.digest_at)


NOWHERE = Route()


def pause_after(channel: Channel, attempt: int, fraction: float) -> timedelta | None:
    """Return how long to wait after an attempt (from 1), up to a fifth longer by chance; None after the last one."""
    pauses = PAUSES[channel]
    return pauses[attempt - 1] * (1 + JITTER * fraction) if attempt <= len(pauses) else None


def is_late(kind: Kind, notice: KeptNotice, now: datetime) -> bool:
    """Tell whether the time in which the notice is of use has passed."""
    return kind.late_max is not None and now - notice.fire_at > kind.late_max


def route(kind: Kind, recipient: Recipient, now: datetime) -> Route:
    """Return where a notice goes that has come due."""
    if not recipient.is_active and not kind.mandatory:
        return NOWHERE
    wishes = recipient.preferences
    channels = channels_of(kind, wishes)
    if recipient.user_id is None:
        channels = tuple(one for one in kind.channels if one is Channel.EMAIL)
    digest_at = None
    if wishes.digest is Digest.DAILY and Channel.EMAIL in channels and is_gathered(kind):
        digest_at = digest_due(now, wishes.timezone)
        channels = tuple(one for one in channels if one is not Channel.EMAIL)
    legs = [
        Leg(channel, target, starts_at(kind, channel, recipient, now))
        for channel in channels
        for target in targets(kind, channel, recipient)
    ]
    return Route(tuple(legs), Channel.INBOX in channels, digest_at)


def is_gathered(kind: Kind) -> bool:
    """Tell whether a kind may wait for a digest: not what must come, holds a secret or is soon of no use."""
    return not (kind.mandatory or kind.secrets or kind.late_max or kind.name == "notifications.digest")


def starts_at(kind: Kind, channel: Channel, recipient: Recipient, now: datetime) -> datetime:
    """Return when a leg may begin: at once, or after the quiet hours."""
    if kind.mandatory or channel not in RINGING:
        return now
    wishes = recipient.preferences
    return quiet_until(now, wishes.quiet_hours, wishes.timezone) or now


def targets(kind: Kind, channel: Channel, recipient: Recipient) -> list[str]:
    """Return the places that a channel has for a recipient."""
    match channel:
        case Channel.EMAIL:
            return [recipient.email] if recipient.email else []
        case Channel.SMS:
            return [recipient.preferences.phone] if recipient.preferences.phone else []
        case Channel.WEBPUSH:
            return [str(one) for one in recipient.subscriptions]
        case Channel.WEBHOOK:
            return [str(one.id) for one in recipient.endpoints if one.hears(kind.name)]
        case _:  # the list is no place apart
            return []


def message_id(delivery_id: UUID, host: str) -> str:
    """Return the Message-ID of a delivery's letter, the same for every attempt."""
    return f"<{delivery_id}@{host}>"
