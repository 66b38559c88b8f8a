"""HTTP face of profiles: synthetic people, made on the spot, kept where asked, listed and streamed."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, cast

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import UNSET, UnsetType

from opora.api.details import LINES, details
from opora.api.locations import made
from opora.api.pages import Cursors, CursorText, Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.values import Day, Label, PathId, QueryText
from opora.core.kernel.model import Actor, Page, PageRequest
from opora.core.profiles.errors import NoSuchProfile
from opora.core.profiles.model.people import Address, Finance, Passport, Sex, Tax
from opora.core.profiles.model.requests import LOCALE_DEFAULT, Generated, GenerationRequest
from opora.core.profiles.ports.profiles import ProfileViews
from opora.core.profiles.rules.asking import AGE_LEAST, AGE_MOST, COUNT_MAX, SEED_MAX, TTL_MAX_S, TTL_MIN_S
from opora.core.profiles.rules.draws import PEOPLE_MAX
from opora.core.profiles.rules.keeping import reach, wanted
from opora.core.profiles.usecases.profiles import DeleteProfile, GenerateProfiles

NDJSON = "application/x-ndjson"


class ListFormat(StrEnum):
    """How a stream of profiles is written: one array, or an object a line."""

    JSON = "json"
    NDJSON = "ndjson"


def between(least: int, most: int) -> msgspec.Meta:
    """Tell readers of the document of a bound that the rules keep, with codes of their own."""
    return msgspec.Meta(extra_json_schema={"minimum": least, "maximum": most})


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The people wanted: `count` of them from place `index` of a seed on, as old as they are on `as_of` (today).

    `region` is a region's code or its name. What is kept goes after `ttl_seconds`, or stays.
    """

    count: Annotated[int, between(1, COUNT_MAX)] = 1
    persist: bool = False
    locale: Label = LOCALE_DEFAULT
    seed: Annotated[int | None, between(0, SEED_MAX)] = None
    index: Annotated[int, between(0, PEOPLE_MAX - 1)] = 0
    as_of: Day | None = None
    sex: Label | None = None
    age_min: Annotated[int | None, between(AGE_LEAST, AGE_MOST)] = None
    age_max: Annotated[int | None, between(AGE_LEAST, AGE_MOST)] = None
    region: Label | None = None
    ttl_seconds: Annotated[int | None, between(TTL_MIN_S, TTL_MAX_S)] = None


class ShownProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A person; the parts agree and every check digit is right. Only a kept one has an `id`."""

    id: int | UnsetType = UNSET
    locale: str
    sex: Sex
    full_name: str
    last_name: str
    first_name: str
    middle_name: str | None
    birth_date: date
    birth_place: str
    passport: Passport
    address: Address
    phone: str
    email: str
    tax: Tax
    finance: Finance


class GeneratedProfiles(msgspec.Struct, frozen=True):
    """The people made; the same seed, index, date and other inputs give the same people."""

    profiles: Sequence[ShownProfile]
    persisted: bool
    seed: int
    index: int
    as_of: date
    data_version: int


CreatedAfter = Annotated[datetime | None, QueryParameter(description="Made then or later.")]
CreatedBefore = Annotated[datetime | None, QueryParameter(description="Made earlier than that.")]
Asked = Annotated[ListFormat, QueryParameter(name="format", description="One array, or an object a line.")]


class ProfileController(Controller):
    """Profiles of the caller; with `profiles:read_all` everyone's."""

    path = "/profiles"
    tags = ["Profiles"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        "/generate",
        status_code=200,
        opt=needs("profiles:write"),
        responses={
            201: ResponseSpec(data_container=GeneratedProfiles, description="Made and kept.", generate_examples=False)
        },
    )
    async def generate(
        self, data: JSONBody[Wish], actor: FromDishka[Actor], generate: FromDishka[GenerateProfiles]
    ) -> Response[GeneratedProfiles]:
        """Make people, and keep them where asked."""
        people = await generate(actor, GenerationRequest(**msgspec.structs.asdict(data)))
        if people.ids is None:
            return Response(shown(people), status_code=200)
        # Several have no one address; the list with the newest first is where they are.
        return made(shown(people), f"/profiles/{people.ids[0]}" if len(people.ids) == 1 else "/profiles")

    @get(opt=needs("profiles:read"))
    async def profiles(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[ProfileViews],
        cursors: FromDishka[Cursors],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        cursor: CursorText = None,
        created_after: CreatedAfter = None,
        created_before: CreatedBefore = None,
        source_key: QueryText = None,
        locale: QueryText = None,
        q: QueryText = None,
    ) -> Envelope[ShownProfile]:
        """List kept profiles, the newest first, by page; or by cursor, begun with an empty one, at any depth."""
        narrowed = wanted(created_after, created_before, source_key, locale, q)
        if cursor is None:
            return envelope(raw(await views.page(reach(actor), narrowed, page_request(limit, page))), request.url)
        place = cursors.request(limit, cursor, request.url) if cursor else PageRequest(limit, cursor="")
        return cursors.envelope(raw(await views.page(reach(actor), narrowed, place)), request.url)

    @get(
        "/export",
        opt={**needs("profiles:read"), **details(media={NDJSON: LINES})},
        responses={
            200: ResponseSpec(
                data_container=list[ShownProfile],
                description="The profiles, as they are read.",
                generate_examples=False,
            )
        },
    )
    async def export(
        self,
        actor: FromDishka[Actor],
        views: FromDishka[ProfileViews],
        format: Asked = ListFormat.JSON,
        created_after: CreatedAfter = None,
        created_before: CreatedBefore = None,
        source_key: QueryText = None,
        locale: QueryText = None,
        q: QueryText = None,
    ) -> Stream:
        """Stream all profiles that a list would show, as a file of any size."""
        parts = views.stream(reach(actor), wanted(created_after, created_before, source_key, locale, q))
        content, media_type = (
            (lines(parts), NDJSON) if format is ListFormat.NDJSON else (array(parts), "application/json")
        )
        return Stream(
            content,
            media_type=media_type,
            headers={"content-disposition": f'attachment; filename="profiles.{format}"'},
        )

    @get("/{profile_id:int}", opt=needs("profiles:read"))
    async def profile(
        self, profile_id: PathId, actor: FromDishka[Actor], views: FromDishka[ProfileViews]
    ) -> ShownProfile:
        """Read one profile."""
        document = await views.one(profile_id, reach(actor))
        if document is None:
            raise NoSuchProfile(profile_id=profile_id)
        return unread(document)

    @delete("/{profile_id:int}", opt=needs("profiles:delete"))
    async def remove(self, profile_id: PathId, actor: FromDishka[Actor], delete: FromDishka[DeleteProfile]) -> None:
        """Delete a profile."""
        await delete(actor, profile_id)


def unread(document: bytes) -> ShownProfile:
    """Pass a stored document through as it is, under the type it is known to have."""
    return cast("ShownProfile", msgspec.Raw(document))


def raw(page: Page[bytes]) -> Page[ShownProfile]:
    """Pass a page of stored documents through."""
    return page.shown_as(unread)


def shown(made: Generated) -> GeneratedProfiles:
    """Return people as they stand on the wire, each kept one with its id in front."""
    documents = [msgspec.json.encode(profile) for profile in made.profiles]
    if made.ids is not None:
        documents = [b'{"id":%d,' % number + body[1:] for number, body in zip(made.ids, documents, strict=True)]
    recipe = made.recipe
    profiles = [unread(one) for one in documents]
    return GeneratedProfiles(profiles, made.ids is not None, recipe.seed, made.index, recipe.as_of, made.data_version)


async def array(parts: AsyncIterator[Sequence[bytes]]) -> AsyncIterator[bytes]:
    """Write documents as one JSON array."""
    opening = b"["
    async for some in parts:
        yield opening + b",\n".join(some)
        opening = b",\n"
    yield b"[]\n" if opening == b"[" else b"]\n"


async def lines(parts: AsyncIterator[Sequence[bytes]]) -> AsyncIterator[bytes]:
    """Write documents one a line."""
    async for some in parts:
        yield b"\n".join(some) + b"\n"
