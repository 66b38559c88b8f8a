"""What a person prefers to hear of, how and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from opora.core.notifications.model.kinds import Channel


class Digest(StrEnum):
    """Whether letters come one by one or gathered: `daily` gathers them until the morning."""

    OFF = "off"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing rings, by the person's own clock; an `end` before the `start` is on the next day."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """One person's wishes; `channels` maps kinds to those channels that are on or off against the kind's own choice.

    Without a `language` the account's stands; `phone` (E.164) is where SMS go.
    """

    channels: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    timezone: str = "UTC"
    language: str | None = None
    digest: Digest = Digest.OFF
    phone: str | None = None

    def is_on(self, kind: str, channel: Channel, *, otherwise: bool) -> bool:
        """Tell whether a kind comes by a channel."""
        return self.channels.get(kind, {}).get(channel, otherwise)
