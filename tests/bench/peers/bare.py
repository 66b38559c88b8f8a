"""Litestar as it comes, with the routes whose cost behind the gate is measured, and nothing else."""

import msgspec
from litestar import Litestar, get, post
from litestar.params import FromPath, JSONBody

from opora.adapters.files.tables import FileProfileTables
from opora.core.profiles.model.people import Profile
from opora.core.profiles.model.requests import GenerationRequest
from opora.core.profiles.rules import asking
from opora.core.profiles.rules.people import people
from opora.core.profiles.rules.workshop import Workshop


class Thing(msgspec.Struct):
    """Six fields, as a record has."""

    id: int
    title: str = "a thing"
    status: str = "new"
    owner: str = "someone"
    size: int = 12
    at: str = "2026-01-01T00:00:00Z"


class Wish(msgspec.Struct):
    """How many people of which seed."""

    count: int = 1
    seed: int | None = None


WORKSHOP = Workshop(FileProfileTables().load())


@get("/api/v1/things/{thing_id:int}")
async def thing(thing_id: FromPath[int]) -> Thing:
    """Give one record that stands in no store."""
    return Thing(thing_id)


@post("/api/v1/profiles/generate", status_code=200)
async def generate(data: JSONBody[Wish]) -> list[Profile]:
    """Make people and keep none."""
    request = GenerationRequest(count=data.count, seed=data.seed)
    recipe = asking.recipe(request, WORKSHOP.tables, asking.AS_OF_LAST, lambda: 1)
    return list(people(WORKSHOP, recipe, request.index, request.count))


def app() -> Litestar:
    """Build the application."""
    return Litestar([thing, generate], openapi_config=None, logging_config=None)
