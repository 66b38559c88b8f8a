"""The wire of the links that end letters: a page for people, one click for mail programs, nothing by a mere look."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.program import Program
from opora.core.access.model.scopes import Role
from opora.core.notifications.ports.channels import Unsubscribing

pytestmark = pytest.mark.anyio

KIND = "bookings.reminder_day"
CLICK = {"List-Unsubscribe": "One-Click"}
FORMS = [{"data": CLICK}, {"files": {name: (None, value) for name, value in CLICK.items()}}, {}, {"json": CLICK}]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """The program in the embedded set-up."""
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield program


@pytest.fixture
async def anna(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    """A client, whose letters are brought back after each test."""
    async with program.client(token=await program.token(Role.CLIENT)) as client:
        await client.put("/api/v1/notifications/preferences", json={})
        yield client


async def link(program: Program, anna: httpx.AsyncClient, kind: str = KIND) -> str:
    """Return the address that stands in Anna's letters of a kind."""
    user_id = (await anna.get("/api/v1/users/me")).json()["id"]
    links = await program.container.get(Unsubscribing)  # type: ignore[type-abstract]  # the container's key
    return f"/api/v1/notifications/unsubscribe/{links.token(user_id, kind)}"


async def switched_off(anna: httpx.AsyncClient) -> dict[str, dict[str, bool]]:
    """Return what Anna gets no letters of."""
    return dict((await anna.get("/api/v1/notifications/preferences")).json()["channels"])


@pytest.mark.parametrize("sent", FORMS, ids=["form", "multipart", "nothing", "json"])
async def test_one_click_ends_letters_without_signing_in_whatever_a_mail_program_sends(
    program: Program, anna: httpx.AsyncClient, sent: dict[str, object]
) -> None:
    async with program.client() as nobody:
        answer = await nobody.post(await link(program, anna), **sent)  # type: ignore[arg-type]
    assert (answer.status_code, answer.is_redirect) == (200, False) and "set-cookie" not in answer.headers
    assert await switched_off(anna) == {KIND: {"email": False}}


async def test_looking_at_the_page_ends_nothing_and_its_button_may_be_pressed(
    program: Program, anna: httpx.AsyncClient
) -> None:
    address = await link(program, anna)
    async with program.client() as nobody:
        for method in ("GET", "HEAD"):
            answer = await nobody.request(method, address)
            assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
        page = await nobody.get(address)
    assert 'method="post"' in page.text and "<script" not in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "no-referrer"
    assert await switched_off(anna) == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_was_made_up_is_not_there(program: Program, anna: httpx.AsyncClient, method: str) -> None:
    good = await link(program, anna)
    async with program.client() as nobody:
        for wrong in (good[:-4], good.replace("opu_", "opt_"), f"{good.rpartition('/')[0]}/opu_{'A' * 60}"):
            answer = await nobody.request(method, wrong)
            assert (answer.status_code, answer.json()["code"]) == (404, "unsubscribe_link_invalid")
    assert await switched_off(anna) == {}


async def test_security_letters_do_not_end_even_by_a_link_that_was_made_here(
    program: Program, anna: httpx.AsyncClient
) -> None:
    for kind in ("access.password_changed", "bookings.cancelled"):
        assert (await anna.post(await link(program, anna, kind))).status_code == 200
    assert await switched_off(anna) == {}
