"""What is looked for is found in any form of its letters: case, ё and е, composed and decomposed."""

from collections.abc import AsyncIterator
from unicodedata import normalize

import httpx
import pytest

from api.program import Program

pytestmark = pytest.mark.anyio

API = "/api/v1"
NAME = "Зелёный Йод"
TWINS = ["зеленый", "ЙОД", normalize("NFD", "йод"), normalize("NFD", "Зелёный"), "йод зел"]
MADE = {
    "/projects": {"name": NAME},
    "/providers": {"name": NAME},
    "/geo": {"country_code": "RU", "region": NAME},
    "/admin/api-keys": {"label": NAME, "scopes": ["profiles:read"]},
    "/users": {"email": "yod@example.org", "password": "a long enough phrase", "roles": ["client"], "full_name": NAME},
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def admin(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        client = program.client(key=(await program.key()).key)
        for path, body in MADE.items():
            made = await client.post(f"{API}{path}", json=body)
            assert made.status_code == 201, made.text
        yield client


@pytest.mark.parametrize("path", MADE)
@pytest.mark.parametrize("q", TWINS)
async def test_twins_of_a_name_find_it(admin: httpx.AsyncClient, path: str, q: str) -> None:
    found = (await admin.get(f"{API}{path}", params={"q": q})).json()
    assert found["count"] == 1, found
    none = (await admin.get(f"{API}{path}", params={"q": f"{q} нет"})).json()
    assert none["count"] == 0
