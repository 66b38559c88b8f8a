"""The journeys that load is made of, and Locust's way through them, against the whole program."""

import sys
from collections.abc import AsyncIterator, Generator, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import httpx
import pytest
from journeys import WAYS, Answer, Call, Cast
from stage import NotSet, stage

from api.program import Program

pytestmark = pytest.mark.anyio
DEPLOY = Path(__file__).parents[2] / "deploy" / "load"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield program


class Driven:
    """Makes the calls of journeys inside this process, and keeps what was asked and answered."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.made: list[tuple[Call, int]] = []

    async def __call__[T](self, calls: Generator[Call, Answer, T]) -> T:
        try:
            call = next(calls)
            while True:
                answer = await self._http.request(call.method, call.path, headers=dict(call.headers), content=call.body)
                self.made.append((call, answer.status_code))
                call = calls.send(Answer(answer.status_code, answer.content))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


async def test_every_journey_is_answered_as_it_should_be(program: Program) -> None:
    key = (await program.key("admin", rate_limit_per_min=1_000_000)).key
    async with program.client() as http:
        cast = await Driven(http)(stage(key, "a", people=2, staff=1))
        for way in WAYS:
            driven = Driven(http)
            await driven(way.journey(cast, Random(1)))
            assert len(driven.made) == way.calls, way.journey.__name__
            wrong = [(call.name, status) for call, status in driven.made if status not in call.good]
            assert wrong == [], way.journey.__name__


async def test_a_stage_that_cannot_be_set_says_why(program: Program) -> None:
    async with program.client() as http:
        with pytest.raises(NotSet, match="POST /users: 403"):
            await Driven(http)(stage((await program.key("profiles:read")).key, "b"))


@pytest.fixture
def locustfile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The file as Locust would load it, over the few names it takes from Locust."""
    locust = ModuleType("locust")
    locust.HttpUser, locust.task, locust.constant = object, lambda way: way, lambda wait_s: wait_s  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "locust", locust)
    monkeypatch.setitem(sys.modules, "locustfile", None)  # type: ignore[arg-type]
    del sys.modules["locustfile"]
    yield import_module("locustfile")
    sys.modules.pop("locustfile", None)


class Response:
    """An answer as Locust hands it out: whoever asked for it says whether it is good."""

    def __init__(self, status: int) -> None:
        self.status_code, self.content = status, b'{"results": []}'
        self.judged: list[str] = []

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        assert len(self.judged) == 1

    def success(self) -> None:
        self.judged.append("good")

    def failure(self, why: str) -> None:
        self.judged.append(why)


class Session:
    """Answers every call with the next status."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.asked: list[tuple[str, str]] = []
        self.answers: list[Response] = []

    def request(self, method: str, path: str, **options: Any) -> Response:
        assert options["catch_response"] and options["name"]
        self.asked.append((method, path.partition("?")[0]))
        self.answers.append(Response(self._statuses[len(self.asked) - 1]))
        return self.answers[-1]


def test_locust_takes_the_same_journeys_and_judges_each_answer(locustfile: Any) -> None:
    user = locustfile.Caller()
    user.client = Session(200, 500)
    cast = Cast("opk_test", people=["t"], services=[1], project_id=3, phones=["+79030000001"])
    (looks_up,) = [way for way in WAYS if way.journey.__name__ == "looks_numbers_up"]
    user.driven(looks_up.journey(cast, Random(1)))
    assert user.client.asked == [("GET", "/api/v1/softphone/number/+79030000001"), ("GET", "/api/v1/phone-numbers")]
    assert [one.judged for one in user.client.answers] == [["good"], ["500"]]


def test_what_is_copied_to_where_load_is_made_needs_nothing_of_opora() -> None:
    for file in DEPLOY.glob("*.py"):
        assert "opora" not in [line.split()[1].split(".")[0] for line in imports(file)], file.name


def imports(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if line.startswith(("import ", "from "))]
