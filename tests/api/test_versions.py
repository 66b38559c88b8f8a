"""Two versions of the API side by side: each answers as itself, the old one tells of its end, and past it is gone."""

from dataclasses import replace
from datetime import date

import httpx
import msgspec
import pytest
from litestar import Controller, Router, get
from litestar.params import FromPath

from api.stand import NOW, Stand, ThingController, alive
from opora.api import policy
from opora.api.edge import wrap
from opora.api.http import application
from opora.core.kernel.model import ApiVersion, VersionStatus

pytestmark = pytest.mark.anyio

TODAY = NOW.date()
V1 = ApiVersion("v1", VersionStatus.STABLE, date(2026, 1, 1))
V2 = ApiVersion("v2", VersionStatus.STABLE, TODAY)
ENDING = replace(
    V1,
    status=VersionStatus.DEPRECATED,
    deprecated_on=TODAY,
    sunset_on=TODAY.replace(year=2027),
    successor="v2",
)


class NewerThing(msgspec.Struct):
    """A thing as the second version shows it: its name is another field."""

    thing_id: int
    title: str


class NewerThings(Controller):
    """The stub of a second version."""

    path = "/things"

    @get("/{thing_id:int}", opt=policy.needs("things:read"))
    async def thing(self, thing_id: FromPath[int]) -> NewerThing:
        """Read one thing."""
        return NewerThing(thing_id, "a thing")


def two_versions(*rows: ApiVersion) -> Stand:
    """Return a service that has routes of two versions, and these rows in its registry."""
    stand = Stand(*rows)
    second = Router("/api/v2", route_handlers=[NewerThings])
    stand.litestar = application([ThingController], [alive, second])
    stand.app = wrap(stand.litestar, stand.parts)
    return stand


async def read(client: httpx.AsyncClient, path: str) -> tuple[int, set[str]]:
    """Return the status of an answer and the names of its fields."""
    answer = await client.get(path)
    return answer.status_code, set(answer.json())


async def test_both_versions_answer_each_in_its_own_words() -> None:
    async with two_versions(V1, V2).client("good") as client:
        for prefix in ("/api", ""):
            first, second = await read(client, f"{prefix}/v1/things/1"), await read(client, f"{prefix}/v2/things/1")
            assert first[0] == second[0] == 200
            assert second[1] == {"thing_id", "title"} != first[1]


async def test_a_path_without_a_version_means_the_newest_stable_one() -> None:
    beta = replace(V2, status=VersionStatus.BETA)
    for rows, version in (((V1, V2), "v2"), ((V1, beta), "v1"), ((ENDING, V2), "v2"), ((V1,), "v1")):
        async with two_versions(*rows).client("good") as client:
            assert await read(client, "/api/things/1") == await read(client, f"/api/{version}/things/1")


async def test_only_the_deprecated_version_tells_of_its_end_and_its_successor() -> None:
    async with two_versions(ENDING, V2).client("good") as client:
        old, new = await client.get("/v1/things/1"), await client.get("/v2/things/1")
        missing = await client.get("/v1/nothing")
    for answer in (old, missing):
        assert answer.headers["deprecation"] == "@1795132800"
        assert answer.headers["sunset"] == "Sat, 20 Nov 2027 00:00:00 GMT"
        assert answer.headers["link"] == '</api/v2>; rel="successor-version"'
    assert not {"deprecation", "sunset", "link"} & set(new.headers)


async def test_past_its_sunset_the_old_version_is_gone_and_the_new_one_stays() -> None:
    stand = two_versions(replace(ENDING, sunset_on=TODAY), V2)
    async with stand.client("good") as client:
        gone, stays = await client.get("/v1/things/1"), await client.get("/v2/things/1")
    assert (gone.status_code, gone.json()["code"], gone.json()["successor"]) == (410, "version_retired", "v2")
    assert gone.headers["deprecation"] and gone.headers["sunset"]
    assert stays.status_code == 200


async def test_an_old_version_that_was_retired_early_is_gone_whatever_its_dates_say() -> None:
    async with two_versions(replace(ENDING, status=VersionStatus.RETIRED), V2).client("good") as client:
        assert (await client.get("/v1/things/1")).status_code == 410
        assert (await client.get("/api/things/1")).status_code == 200
