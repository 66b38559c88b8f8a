"""What answers with a secret is made once under a key, and its answer comes again whole."""

from collections.abc import AsyncIterator

import pytest

from api.newcomers import newcomer
from api.program import Program

pytestmark = pytest.mark.anyio

API = "/api/v1"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    async with Program.over(tmp_path_factory.mktemp("home"), OPORA_OUTBOUND_NETWORKS="127.0.0.0/8") as program:
        yield program


@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [
        ("/calendars", None, "token"),
        ("/notifications/webhooks", {"url": "http://127.0.0.1:9/hook"}, "secret"),
        ("/auth/mfa/totp", None, "secret"),
    ],
)
async def test_a_secret_is_made_once_under_its_key_and_shown_again_to_the_same_call(
    program: Program, path: str, body: dict[str, str] | None, secret: str
) -> None:
    client = await newcomer(program)
    first, again = [await client.post(f"{API}{path}", json=body, headers={"idempotency-key": "once"}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert first.json()[secret]
    other = await client.post(f"{API}{path}", json=body, headers={"idempotency-key": "twice"})
    assert other.status_code == 201
    assert other.json()[secret] != first.json()[secret]
