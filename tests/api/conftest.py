"""A small service behind the whole edge, with ports that live in memory."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from api.stand import Stand


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
async def client(stand: Stand) -> AsyncIterator[httpx.AsyncClient]:
    async with stand.client() as client:
        yield client


@pytest.fixture
def signed(client: httpx.AsyncClient) -> Callable[[], httpx.AsyncClient]:
    client.headers["authorization"] = "Bearer good"
    return client
