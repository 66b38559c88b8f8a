"""What leaves: a letter, and the words it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opora.core.notifications.model.places import PushSubscription, WebhookEndpoint
from opora.core.notifications.model.preferences import Preferences

LOCALES = ("ru", "en")
"""The languages that there are templates in; the first one stands for those that are not there."""

UNSAID = Preferences()
"""What those prefer who never said."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice in one language: a subject, a text of paragraphs, the same as HTML, and one short sentence."""

    subject: str
    text: str
    html: str
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a letter; `parameters` are those of its media type (`method` of a calendar)."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail to one address; `message_id` is the same for every attempt, so that copies can be told."""

    message_id: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """An SMS; `id` is the same for every attempt."""

    id: str
    to: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage:
    """A message to a browser: plain JSON, encrypted on its way; `topic` lets a later copy replace an unread one."""

    subscription: PushSubscription
    body: Mapping[str, object]
    topic: str
    ttl_s: int = 86_400
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """A call of an endpoint; `id` is the same for every attempt, so that the other side can drop copies."""

    endpoint: WebhookEndpoint
    id: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a notice is for, as far as is known; who is not active hears of mandatory notices alone."""

    user_id: int | None = None
    email: str | None = None
    locale: str = LOCALES[0]
    is_active: bool = True
    preferences: Preferences = UNSAID
    subscriptions: tuple[int, ...] = ()
    endpoints: tuple[WebhookEndpoint, ...] = ()

    @property
    def language(self) -> str:
        """The locale of what they read."""
        return self.preferences.language or self.locale
