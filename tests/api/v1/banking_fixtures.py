"""A bank of a test module, and clients signed in as its people."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.v1.bank import Bank


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The bank outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def bank(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bank]:
    """A bank in the embedded set-up."""
    async with Bank.over(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="module")
async def anna(bank: Bank) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the bank."""
    async with await bank.anna() as anna:
        yield anna


@pytest.fixture(scope="module")
async def boris(bank: Bank) -> AsyncIterator[httpx.AsyncClient]:
    """Another one."""
    async with await bank.boris() as boris:
        yield boris


@pytest.fixture(scope="module")
async def olga(bank: Bank) -> AsyncIterator[httpx.AsyncClient]:
    """A worker of the bank."""
    async with await bank.olga() as olga:
        yield olga


@pytest.fixture(scope="module")
async def root(bank: Bank) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator."""
    async with await bank.root() as root:
        yield root


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]
