"""HTTP face of people."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import UNSET, Meta, Struct, UnsetType, field

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import FRESH, SIGNED_IN, needs
from opora.api.tags import VERSIONED, tagged, wanted_versions
from opora.api.v1.keys import sent
from opora.api.values import LABEL_PATTERN, PathId, QueryText, Secret, Word
from opora.core.access.errors import NoSuchUser
from opora.core.access.model.changes import KEEP
from opora.core.access.model.people import NewUser, UserChanges, UserFilter, UserView
from opora.core.access.model.scopes import Role
from opora.core.access.ports.people import UserViews
from opora.core.access.rules.people import NAME_LENGTH_MAX
from opora.core.access.usecases.erasure import EraseOneself, ExportOwnRecords
from opora.core.access.usecases.people import CreateUser, UpdateOwnProfile, UpdateUser
from opora.core.kernel.model import Actor

Name = Annotated[str, Meta(max_length=NAME_LENGTH_MAX, pattern=LABEL_PATTERN)]
Roles = Annotated[list[Role], Meta(min_length=1, max_length=len(Role))]
Address = Annotated[str, Meta(min_length=3, max_length=320)]
HELD = {
    "type": "object",
    "description": "A list of records under the name of each part of the service that holds any.",
    "additionalProperties": {"type": "array", "items": {"type": "object"}},
}


class NewUserBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who a new user is; without a password they cannot log in."""

    email: Address
    password: Secret | None = None
    roles: Roles = field(default_factory=lambda: [Role.CLIENT])
    full_name: Name = ""
    locale: Word = "en"


class OwnChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What people may change of themselves."""

    full_name: Name | UnsetType = UNSET
    locale: Word | UnsetType = UNSET


class UserChangesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What an admin changes of a user; what is not sent stays."""

    roles: Roles | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    full_name: Name | UnsetType = UNSET
    locale: Word | UnsetType = UNSET


class UserController(Controller):
    """People: oneself, and for admins everybody."""

    path = "/users"
    tags = ["Users"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/me", opt={**SIGNED_IN, **VERSIONED, **details(refusals=(404,))})
    async def me(self, actor: FromDishka[Actor], views: FromDishka[UserViews]) -> Response[UserView]:
        """Read oneself; a key without an owner is nobody."""
        if actor.user_id is None:
            raise NoSuchUser
        return tagged(await views.one(actor.user_id))

    @patch("/me", opt={**SIGNED_IN, **VERSIONED, **details(refusals=(404,))})
    async def change_me(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[OwnChanges],
        actor: FromDishka[Actor],
        change: FromDishka[UpdateOwnProfile],
    ) -> Response[UserView]:
        """Change one's own name and language."""
        versions = wanted_versions(request)
        return tagged(
            await change(
                actor, UserChanges(full_name=sent(data.full_name), locale=sent(data.locale), versions=versions)
            )
        )

    @get("/me/export", opt={**FRESH, **details(media={"application/json": HELD}, refusals=(404,))})
    async def export_me(self, actor: FromDishka[Actor], export: FromDishka[ExportOwnRecords]) -> Stream:
        """Download everything that is held on oneself, as JSON."""
        sections = await export(actor)
        return Stream(
            written(sections),
            media_type="application/json",
            headers={"content-disposition": 'attachment; filename="personal-data.json"', "cache-control": "no-store"},
        )

    @delete("/me", status_code=204, opt={**FRESH, **details(refusals=(404, 409))})
    async def erase_me(self, actor: FromDishka[Actor], erase: FromDishka[EraseOneself]) -> None:
        """Erase oneself for good: what is personal goes, ledgers and the audit log keep a number without a name."""
        await erase(actor)

    @get(opt=needs("users:read"))
    async def page(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[UserViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        role: Annotated[Role | None, QueryParameter(description="Users who hold this role.")] = None,
        is_active: Annotated[bool | None, QueryParameter(description="Users who may come in, or may not.")] = None,
        q: QueryText = None,
    ) -> Envelope[UserView]:
        """List users, newest first; `q` is looked for in the address and the name."""
        wanted = UserFilter(role=role, is_active=is_active, text=q)
        return envelope(await views.page(wanted, page_request(limit, page)), request.url)

    @post(opt=needs("users:write", step_up=True))
    async def create(
        self, data: JSONBody[NewUserBody], actor: FromDishka[Actor], create: FromDishka[CreateUser]
    ) -> Response[UserView]:
        """Create a user."""
        user = await create(
            actor,
            NewUser(
                email=data.email,
                password=data.password,
                roles=frozenset(data.roles),
                full_name=data.full_name,
                locale=data.locale,
            ),
        )
        return made(user, f"/users/{user.id}")

    @get("/{user_id:int}", opt={**needs("users:read"), **VERSIONED})
    async def one(self, user_id: PathId, views: FromDishka[UserViews]) -> Response[UserView]:
        """Read one user."""
        return tagged(await views.one(user_id))

    @patch("/{user_id:int}", opt={**needs("users:write", step_up=True), **VERSIONED})
    async def change(
        self,
        request: Request[Any, Any, Any],
        user_id: PathId,
        data: JSONBody[UserChangesBody],
        actor: FromDishka[Actor],
        change: FromDishka[UpdateUser],
    ) -> Response[UserView]:
        """Change a user's roles, block or unblock them; a block ends their sessions at once."""
        changes = UserChanges(
            roles=KEEP if isinstance(data.roles, UnsetType) else frozenset(data.roles),
            is_active=sent(data.is_active),
            full_name=sent(data.full_name),
            locale=sent(data.locale),
            versions=wanted_versions(request),
        )
        return tagged(await change(actor, user_id, changes))


type Records = AsyncIterator[Mapping[str, object]]


async def written(sections: AsyncIterator[tuple[str, Records]]) -> AsyncIterator[bytes]:
    """Write sections of records as one JSON object, a record a line."""
    opening = b"{"
    async for name, records in sections:
        yield opening + msgspec.json.encode(name) + b": ["
        between = b"\n"
        async for record in records:
            yield between + msgspec.json.encode(record, enc_hook=str)
            between = b",\n"
        yield b"]"
        opening = b",\n"
    yield b"{}\n" if opening == b"{" else b"}\n"
