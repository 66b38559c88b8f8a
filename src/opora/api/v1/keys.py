"""HTTP face of API keys."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.tags import VERSIONED, tagged, wanted_versions
from opora.api.values import LABEL_PATTERN, PathId, Positive, QueryText, RecordId, Timestamp, Word
from opora.core.access.model.changes import KEEP, Keep
from opora.core.access.model.keys import IssuedKey, KeyChanges, KeyFilter, KeyState, KeyView, NewKey
from opora.core.access.model.keytext import Environment
from opora.core.access.ports.keys import KeyViews
from opora.core.access.rules.keys import LABEL_LENGTH_MAX, OVERLAP_MAX, reach
from opora.core.access.usecases.keys import IssueKey, RevokeKey, RotateKey, UpdateKey
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock

Scopes = Annotated[list[Word], Meta(min_length=1, max_length=100)]
Networks = Annotated[list[Annotated[str, Meta(min_length=2, max_length=64)]], Meta(max_length=50)]
Title = Annotated[str, Meta(min_length=1, max_length=LABEL_LENGTH_MAX, pattern=LABEL_PATTERN)]
OverlapSeconds = Annotated[int, Meta(ge=0, le=int(OVERLAP_MAX.total_seconds()))]


class NewApiKey(Struct, frozen=True, forbid_unknown_fields=True):
    """What a key is made of; the scopes are never more than the maker's. An admin may name its owner."""

    label: Title
    scopes: Scopes
    rate_limit_per_min: Positive | None = None
    expires_at: Timestamp | None = None
    environment: Environment = Environment.LIVE
    allowed_ips: Networks = []
    owner_id: RecordId | None = None


class ApiKeyChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of a key; what is not sent stays, and null empties what can be empty."""

    label: Title | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    rate_limit_per_min: Positive | UnsetType | None = UNSET
    expires_at: Timestamp | UnsetType | None = UNSET
    allowed_ips: Networks | UnsetType = UNSET
    status: Literal["active", "disabled"] | UnsetType = UNSET


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the old key works beside the new one; without it, as long as the service is set to."""

    overlap_seconds: OverlapSeconds | None = None


class KeyController(Controller):
    """API keys: made, listed, changed, rotated, revoked. Their secrets are shown once and kept nowhere."""

    path = "/admin/api-keys"
    tags = ["API keys"]  # noqa: RUF012  # Litestar reads a plain list

    @post(opt=needs("keys:write", step_up=True))
    async def issue(
        self, data: JSONBody[NewApiKey], actor: FromDishka[Actor], issue: FromDishka[IssueKey]
    ) -> Response[IssuedKey]:
        """Make a key; its text is in this answer and, sealed for 24 hours, in what repeats it."""
        key = await issue(
            actor,
            NewKey(
                label=data.label,
                scopes=frozenset(data.scopes),
                environment=data.environment,
                rate_limit_per_min=data.rate_limit_per_min,
                expires_at=data.expires_at,
                allowed_ips=tuple(data.allowed_ips),
                owner_id=data.owner_id,
            ),
        )
        return made(key, f"/admin/api-keys/{key.id}")

    @get(opt=needs("keys:read"))
    async def page(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[KeyViews],
        clock: FromDishka[Clock],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        stored: Annotated[
            KeyState | None, QueryParameter(name="state", description="What people made of the key; time is not asked.")
        ] = None,
        q: QueryText = None,
    ) -> Envelope[KeyView]:
        """List the keys within the caller's reach, newest first; `q` is looked for in the label."""
        wanted = KeyFilter(state=stored, text=q)
        found = await views.page(reach(actor), wanted, page_request(limit, page), clock.now())
        return envelope(found, request.url)

    @get("/{key_id:int}", opt={**needs("keys:read"), **VERSIONED})
    async def one(
        self, key_id: PathId, actor: FromDishka[Actor], views: FromDishka[KeyViews], clock: FromDishka[Clock]
    ) -> Response[KeyView]:
        """Read one key."""
        return tagged(await views.one(reach(actor), key_id, clock.now()))

    @patch("/{key_id:int}", opt={**needs("keys:write", step_up=True), **VERSIONED})
    async def change(
        self,
        request: Request[Any, Any, Any],
        key_id: PathId,
        data: JSONBody[ApiKeyChanges],
        actor: FromDishka[Actor],
        change: FromDishka[UpdateKey],
    ) -> Response[KeyView]:
        """Change a key, or switch it off and on."""
        changes = KeyChanges(
            label=sent(data.label),
            scopes=KEEP if isinstance(data.scopes, UnsetType) else frozenset(data.scopes),
            rate_limit_per_min=sent(data.rate_limit_per_min),
            expires_at=sent(data.expires_at),
            allowed_ips=KEEP if isinstance(data.allowed_ips, UnsetType) else tuple(data.allowed_ips),
            state=KEEP if isinstance(data.status, UnsetType) else KeyState(data.status),
            versions=wanted_versions(request),
        )
        return tagged(await change(actor, key_id, changes))

    @delete("/{key_id:int}", opt={**needs("keys:write"), **VERSIONED})
    async def revoke(
        self,
        request: Request[Any, Any, Any],
        key_id: PathId,
        actor: FromDishka[Actor],
        revoke: FromDishka[RevokeKey],
    ) -> None:
        """Revoke a key for good; it is refused everywhere within a second."""
        await revoke(actor, key_id, wanted_versions(request))

    @post("/{key_id:int}/rotate", opt=needs("keys:write", step_up=True))
    async def rotate(
        self,
        key_id: PathId,
        actor: FromDishka[Actor],
        rotate: FromDishka[RotateKey],
        data: JSONBody[Rotation | None] = None,
    ) -> Response[IssuedKey]:
        """Replace a key; the old one works until the overlap ends."""
        seconds = None if data is None else data.overlap_seconds
        key = await rotate(actor, key_id, None if seconds is None else timedelta(seconds=seconds))
        return made(key, f"/admin/api-keys/{key.id}")


def sent[T](value: T | UnsetType) -> T | Keep:
    """Return what was sent of a field, or that it stays."""
    return KEEP if isinstance(value, UnsetType) else value
