"""HTTP face of one's notices: the list, what one prefers, and the places they go to."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.short_lists import short_page
from opora.api.values import PathId, Word
from opora.core.kernel.model import Actor
from opora.core.notifications.errors import NoSuchNotice
from opora.core.notifications.model.inbox import Entry, EntryFilter
from opora.core.notifications.model.kinds import KINDS, Channel
from opora.core.notifications.model.places import PushSubscription, WebhookEndpoint
from opora.core.notifications.model.preferences import Digest, Preferences, QuietHours
from opora.core.notifications.ports.channels import Pusher, WebhookSender
from opora.core.notifications.ports.people import InboxViews
from opora.core.notifications.usecases.personal import ChangePreferences, ReadNotice, TryNotices, person
from opora.core.notifications.usecases.placing import KeepEndpoint, KeepSubscription

READ = needs("notifications:read")
WRITE = needs("notifications:write")

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)")]
Zone = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$(?!\n)")]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)")]
Url = Annotated[str, Meta(min_length=8, max_length=2000, pattern=r"^https?://[!-~]+$(?!\n)")]
Base64Url = Annotated[str, Meta(min_length=8, max_length=200, pattern=r"^[A-Za-z0-9_-]+={0,2}$(?!\n)")]
Switches = Annotated[dict[Word, dict[Channel, bool]], Meta(max_length=200)]
UnreadOnly = Annotated[bool, QueryParameter(description="Only what was not read yet.")]


class ShownNotice(msgspec.Struct, frozen=True):
    """An entry of one's list; ids grow by one."""

    id: int
    kind: str
    title: str
    text: str
    data: Mapping[str, object]
    created_at: datetime
    read_at: datetime | None


class Marked(msgspec.Struct, frozen=True):
    """How many entries were marked as read."""

    read: int


class QuietClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when until when nothing rings, by one's own clock."""

    start: Clock
    end: Clock


class WantedPreferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one prefers, whole: what is left out is as if one had never said it."""

    channels: Switches = msgspec.field(default_factory=dict)
    quiet_hours: QuietClock | None = None
    timezone: Zone = "UTC"
    language: Word | None = None
    digest: Digest = Digest.OFF
    phone: Phone | None = None


class KindChoice(msgspec.Struct, frozen=True):
    """A kind of notice: which channels it comes by, which it could, and whether that can be changed."""

    kind: str
    channels: tuple[str, ...]
    offered: tuple[str, ...]
    mandatory: bool


class ShownPreferences(msgspec.Struct, frozen=True):
    """What one prefers, and every kind there is."""

    channels: Mapping[str, Mapping[str, bool]]
    quiet_hours: QuietClock | None
    timezone: str
    language: str | None
    digest: Digest
    phone: str | None
    kinds: Sequence[KindChoice]


class PushKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The browser's keys, in base64url."""

    p256dh: Base64Url
    auth: Base64Url


class NewSubscription(msgspec.Struct, frozen=True):
    """What `PushSubscription.toJSON()` gives in a browser; what else it holds is passed over."""

    endpoint: Url
    keys: PushKeys


class ShownSubscription(msgspec.Struct, frozen=True):
    """A browser that is told."""

    id: int
    endpoint: str
    created_at: datetime


class PublicKey(msgspec.Struct, frozen=True):
    """A public key of this service."""

    key: str


class NewEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program to be called; without `kinds` it is called with every notice of its owner."""

    url: Url
    kinds: Annotated[list[Word], Meta(max_length=200)] = msgspec.field(default_factory=list)


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the endpoint is called."""

    is_active: bool


class ShownEndpoint(msgspec.Struct, frozen=True):
    """An endpoint; `public_key` verifies its `v1a` signatures."""

    id: int
    url: str
    kinds: Sequence[str]
    is_active: bool
    public_key: str
    created_at: datetime


class MadeEndpoint(ShownEndpoint, frozen=True):
    """A new endpoint with the secret of its `v1` signatures, which is shown this once."""

    secret: str


class NotificationController(Controller):
    """One's notices and how they come."""

    path = "/notifications"
    tags = ["Notifications"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=READ)
    async def notices(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[InboxViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        unread: UnreadOnly = False,  # a query parameter
    ) -> Envelope[ShownNotice]:
        """List one's notices, the newest first."""
        found = await views.page(EntryFilter(person(actor), unread), page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{notification_id:int}", opt=READ)
    async def notice(
        self, notification_id: PathId, actor: FromDishka[Actor], views: FromDishka[InboxViews]
    ) -> ShownNotice:
        """Read one of one's notices."""
        entry = await views.one(person(actor), notification_id)
        if entry is None:
            raise NoSuchNotice(notification_id=notification_id)
        return shown(entry)

    @post("/{notification_id:int}/read", status_code=204, opt={**READ, **details(refusals=(404,))})
    async def mark(
        self, notification_id: PathId, actor: FromDishka[Actor], read_notice: FromDishka[ReadNotice]
    ) -> None:
        """Mark a notice as read; once is as good as twice."""
        await read_notice(actor, notification_id)

    @post("/read", status_code=200, opt=READ)
    async def mark_all(self, actor: FromDishka[Actor], read_notice: FromDishka[ReadNotice]) -> Marked:
        """Mark all notices as read."""
        return Marked(await read_notice.all(actor))

    @post("/trial", status_code=204, opt=WRITE)
    async def trial(self, actor: FromDishka[Actor], try_notices: FromDishka[TryNotices]) -> None:
        """Send oneself a notice by every channel that common notices take; once a minute."""
        await try_notices(actor)

    @get("/preferences", opt=READ)
    async def preferences(self, actor: FromDishka[Actor], change: FromDishka[ChangePreferences]) -> ShownPreferences:
        """Read what one prefers, and which kinds of notices there are."""
        return shown_preferences(await change.find(actor))

    @put("/preferences", opt=WRITE)
    async def prefer(
        self, data: JSONBody[WantedPreferences], actor: FromDishka[Actor], change: FromDishka[ChangePreferences]
    ) -> ShownPreferences:
        """Replace what one prefers."""
        return shown_preferences(await change(actor, wanted(data)))


class SubscriptionController(Controller):
    """Browsers that one's notices go to."""

    path = "/notifications/webpush"
    tags = ["Notifications"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/key", opt=READ)
    async def key(self, pusher: FromDishka[Pusher]) -> PublicKey:
        """Read the key that browsers subscribe with (`applicationServerKey`)."""
        return PublicKey(pusher.public_key())

    @post("/subscriptions", status_code=201, opt=WRITE)
    async def subscribe(
        self, data: JSONBody[NewSubscription], actor: FromDishka[Actor], keep: FromDishka[KeepSubscription]
    ) -> Response[ShownSubscription]:
        """Register a browser; the same endpoint again takes the place of the old one."""
        kept = await keep(actor, data.endpoint, decoded(data.keys.p256dh), decoded(data.keys.auth))
        return made(shown_subscription(kept), f"/notifications/webpush/subscriptions/{kept.id}")

    @get("/subscriptions", opt=READ)
    async def subscriptions(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        keep: FromDishka[KeepSubscription],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownSubscription]:
        """List one's browsers."""
        found = [shown_subscription(one) for one in await keep.all(actor)]
        return envelope(short_page(found, page_request(limit, page)), request.url)

    @delete("/subscriptions/{subscription_id:int}", opt=WRITE)
    async def unsubscribe(
        self, subscription_id: PathId, actor: FromDishka[Actor], keep: FromDishka[KeepSubscription]
    ) -> None:
        """Forget a browser."""
        await keep.remove(actor, subscription_id)


class EndpointController(Controller):
    """Programs that are called with one's notices."""

    path = "/notifications/webhooks"
    tags = ["Notifications"]  # noqa: RUF012  # Litestar reads a plain list

    @post(status_code=201, opt=WRITE)
    async def register(
        self,
        data: JSONBody[NewEndpoint],
        actor: FromDishka[Actor],
        keep: FromDishka[KeepEndpoint],
        sender: FromDishka[WebhookSender],
    ) -> Response[MadeEndpoint]:
        """Register an endpoint; its secret is in this answer and, sealed for 24 hours, in what repeats it."""
        kept = await keep(actor, data.url, data.kinds)
        fields = msgspec.structs.asdict(shown_endpoint(kept, sender.public_key()))
        return made(MadeEndpoint(**fields, secret=kept.secret), f"/notifications/webhooks/{kept.id}")

    @get(opt=READ)
    async def endpoints(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        keep: FromDishka[KeepEndpoint],
        sender: FromDishka[WebhookSender],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownEndpoint]:
        """List one's endpoints."""
        found = [shown_endpoint(one, sender.public_key()) for one in await keep.all(actor)]
        return envelope(short_page(found, page_request(limit, page)), request.url)

    @patch("/{endpoint_id:int}", opt=WRITE)
    async def change(
        self,
        endpoint_id: PathId,
        data: JSONBody[EndpointChange],
        actor: FromDishka[Actor],
        keep: FromDishka[KeepEndpoint],
        sender: FromDishka[WebhookSender],
    ) -> ShownEndpoint:
        """Turn an endpoint on or off."""
        kept = await keep.switch(actor, endpoint_id, is_active=data.is_active)
        return shown_endpoint(kept, sender.public_key())

    @delete("/{endpoint_id:int}", opt=WRITE)
    async def remove(self, endpoint_id: PathId, actor: FromDishka[Actor], keep: FromDishka[KeepEndpoint]) -> None:
        """Forget an endpoint."""
        await keep.remove(actor, endpoint_id)


def shown(entry: Entry) -> ShownNotice:
    """Return an entry as it stands on the wire."""
    return ShownNotice(entry.number, entry.kind, entry.title, entry.text, entry.data, entry.created_at, entry.read_at)


def encoded_notice(entry: Entry) -> str:
    """Return an entry as JSON, as streams tell it."""
    return msgspec.json.encode(shown(entry)).decode()


def wanted(data: WantedPreferences) -> Preferences:
    """Read what is preferred."""
    quiet = data.quiet_hours
    return Preferences(
        channels={kind: {str(one): on for one, on in switches.items()} for kind, switches in data.channels.items()},
        quiet_hours=QuietHours(time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)) if quiet else None,
        timezone=data.timezone,
        language=data.language,
        digest=data.digest,
        phone=data.phone,
    )


def shown_preferences(found: Preferences) -> ShownPreferences:
    """Return preferences as they stand on the wire."""
    quiet = found.quiet_hours
    return ShownPreferences(
        channels=found.channels,
        quiet_hours=QuietClock(f"{quiet.start:%H:%M}", f"{quiet.end:%H:%M}") if quiet else None,
        timezone=found.timezone,
        language=found.language,
        digest=found.digest,
        phone=found.phone,
        kinds=[
            KindChoice(kind.name, tuple(map(str, kind.channels)), tuple(map(str, kind.offered)), kind.mandatory)
            for kind in KINDS.values()
        ],
    )


def shown_subscription(one: PushSubscription) -> ShownSubscription:
    """Return a subscription as it stands on the wire: without its keys."""
    return ShownSubscription(one.id, one.endpoint, one.created_at)


def shown_endpoint(one: WebhookEndpoint, public_key: str) -> ShownEndpoint:
    """Return an endpoint as it stands on the wire: without its secret."""
    return ShownEndpoint(one.id, one.url, one.kinds, one.is_active, public_key, one.created_at)


def decoded(text: str) -> bytes:
    """Read base64url, padded or not; what cannot be read is empty, and refused by its length."""
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except ValueError:
        return b""
