"""Every field and parameter of every operation against hostile values: 4xx with a code, in time, nothing stored."""

import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest

from api import hostile, operations
from api.operations import (
    DOCUMENT,
    OPERATIONS,
    address,
    body,
    body_schema,
    described,
    form_schema,
    named,
    parameters,
    refusal,
)
from api.program import Program
from opora.api import catalogue
from opora.api.policy import Operation

pytestmark = pytest.mark.anyio

TIME_MAX_S = 2.0
TAKEN_AS_THEY_COME = {"password", "refresh_token", "email", "username"}
"""Fields that are compared and never shown: any text may be in them."""
COUNTED_APART = ("rate_", "limit_")
"""Tables that count calls: a refused one counts too."""
DESCRIBED = [one for one in OPERATIONS if described(one) is not None]
WITH_BODY = [one for one in DESCRIBED if body_schema(one) is not None]
WITH_FORM = [one for one in DESCRIBED if form_schema(one) is not None]
WITH_QUERY = [one for one in DESCRIBED if any(p["in"] == "query" for p in (described(one) or {}).get("parameters", ()))]
WITH_PLACES = [one for one in OPERATIONS if parameters(one)]
REPEATABLE = [one for one in DESCRIBED if "Idempotency-Key" in str((described(one) or {}).get("parameters"))]
CODES = frozenset(catalogue.codes())
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """The program in the embedded set-up."""
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield program


@pytest.fixture(scope="module")
async def client(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may do everything; the first key is not its own, but one to try changes on."""
    await program.key("profiles:read")
    async with program.client(key=(await program.key("admin")).key) as client:
        yield client


class Trial:
    """Calls made of an operation, and what was wrong with their answers."""

    def __init__(self, client: httpx.AsyncClient, operation: Operation) -> None:
        self.client = client
        self.operation = operation
        self.faults: list[str] = []

    async def __call__(self, about: object, *, refused: bool, url: str | None = None, **sent: Any) -> None:
        """Make a call; `refused` when it must be."""
        started = perf_counter()
        answer = await self.client.request(self.operation.method, url or address(self.operation), **sent)
        took_s = perf_counter() - started
        fault = self._fault(answer, refused=refused) or ("slow" if took_s > TIME_MAX_S else "")
        if fault:
            self.faults.append(f"{str(about)[:120]!r}: {fault} {answer.status_code} {answer.text[:160]}")

    def _fault(self, answer: httpx.Response, *, refused: bool) -> str:
        if answer.status_code >= 500:
            return "a fault of the server"
        if answer.status_code < 400:
            return "let through" if refused else ""
        if self.operation.method == "HEAD":
            return "" if answer.headers["content-type"] == "application/problem+json" else "no problem document"
        told = refusal(answer)
        if told is None:
            return "no problem document"
        return "" if told.get("code") in CODES else "a code that is not in the catalogue"


async def kept(program: Program) -> dict[str, int]:
    """Count what the tables hold, but for counts of calls."""
    return {name: n for name, n in (await program.rows()).items() if not name.startswith(COUNTED_APART)}


def is_barred(field: str, value: object) -> bool:
    """Tell whether a text holds what no field may show."""
    return value in hostile.BARRED and field not in TAKEN_AS_THEY_COME


def fields(operation: Operation) -> Iterable[tuple[str, dict[str, Any]]]:
    """Return the fields of an operation's body with their schemas."""
    return ((body_schema(operation) or {}).get("properties") or {}).items()


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
async def test_no_field_takes_what_its_schema_does_not(
    program: Program, client: httpx.AsyncClient, operation: Operation
) -> None:
    trial, good, before = Trial(client, operation), body(operation) or {}, await kept(program)
    for raw in hostile.UNREADABLE:  # no reader of one field sees these
        field = next(name for name, _ in fields(operation))
        await trial((field, raw), refused=True, content=hostile.with_field(good, field, raw), headers=JSON)
    for field, schema in fields(operation):
        for value in hostile.VALUES:
            if not hostile.fits(schema, value) or is_barred(field, value):
                sent = json.dumps(good | {field: value}).encode()
                await trial((field, value), refused=True, content=sent, headers=JSON)
    assert trial.faults == []
    assert await kept(program) == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
async def test_odd_values_that_a_schema_lets_through_break_nothing(
    client: httpx.AsyncClient, operation: Operation
) -> None:
    trial, good = Trial(client, operation), body(operation) or {}
    for field, schema in fields(operation):
        for value in hostile.VALUES:
            if hostile.fits(schema, value) and not is_barred(field, value):
                sent = json.dumps(good | {field: value}).encode()
                await trial((field, value), refused=False, content=sent, headers=JSON)
    assert trial.faults == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
async def test_no_body_is_taken_for_what_it_is_not(
    program: Program, client: httpx.AsyncClient, operation: Operation
) -> None:
    trial, good, before = Trial(client, operation), json.dumps(body(operation)).encode(), await kept(program)
    bad: list[bytes] = [b"[]", b'"x"', b"7", b"{", b"nonsense", b"\xff\xfe{}", b"\xef\xbb\xbf" + good, b'{"\xff":1}']
    bad += [b"[" * 100_000, b'{"a":' * 100_000, json.dumps((body(operation) or {}) | {"unheard_of": 1}).encode()]
    bad += [b'{"a":1,"a":2}', b'"' + b"x" * 3_000_000 + b'"', good + b"{}", b"\x00", b"<?xml version='1.0'?><a/>"]
    if (described(operation) or {})["requestBody"].get("required"):
        bad += [b"", b"null"]
    for content in bad:
        await trial(content, refused=True, content=content, headers=JSON)
    for sent in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "application/jsonx"):
        await trial(sent, refused=True, content=good, headers={"content-type": sent})
    await trial("packed", refused=True, content=b"\x1f\x8b", headers={**JSON, "content-encoding": "gzip"})
    assert trial.faults == []
    assert await kept(program) == before


@pytest.mark.parametrize("operation", WITH_QUERY, ids=named)
async def test_no_parameter_takes_what_its_schema_does_not(client: httpx.AsyncClient, operation: Operation) -> None:
    trial, place = Trial(client, operation), address(operation)
    for one in (described(operation) or {})["parameters"]:
        if one["in"] == "query":
            for text in hostile.QUERY_TEXTS:
                refused = not hostile.fits(one["schema"], hostile.coerced(one["schema"], text)) and "%" not in text
                await trial((one["name"], text), refused=refused, url=f"{place}?{one['name']}={text}")
            for text in hostile.BARRED_QUERY:
                await trial((one["name"], text), refused=True, url=f"{place}?{one['name']}={text}")
            await trial("twice", refused=True, url=f"{place}?{one['name']}=1&{one['name']}=1")
    await trial("unknown", refused=True, url=f"{place}?unheard_of=1")
    assert trial.faults == []


@pytest.mark.parametrize("operation", WITH_PLACES, ids=named)
async def test_no_address_names_a_record_by_anything_but_its_id(
    program: Program, client: httpx.AsyncClient, operation: Operation
) -> None:
    trial, before = Trial(client, operation), await kept(program)
    for name in parameters(operation):
        for text in hostile.PATH_TEXTS:
            url = address(operation, **{name: text})
            await trial((name, text), refused=True, url=url, **operations.content(operation))
    assert trial.faults == []
    assert await kept(program) == before


@pytest.mark.parametrize("operation", REPEATABLE, ids=named)
async def test_no_key_of_repetition_is_taken_that_no_header_should_hold(
    program: Program, client: httpx.AsyncClient, operation: Operation
) -> None:
    trial, before = Trial(client, operation), await kept(program)
    sent = operations.content(operation)
    for key in (b"", b" ", b"a b", b"x" * 256, b"\xff", b"a\x00b", b"\xe2\x80\xae"):
        headers = {**{k.encode(): v.encode() for k, v in sent.get("headers", {}).items()}, b"idempotency-key": key}
        await trial(key, refused=True, content=sent.get("content"), headers=headers)
    assert trial.faults == []
    assert await kept(program) == before


def test_every_body_field_of_the_document_is_tried() -> None:
    told = {
        one["operationId"] for paths in DOCUMENT["paths"].values() for one in paths.values() if "requestBody" in one
    }
    # Forms with files have trials of their own: api/v1/test_uploads.py and its like.
    with_files = [one for one in OPERATIONS if operations.takes_form(one)]
    assert told == {(described(one) or {})["operationId"] for one in (*WITH_BODY, *WITH_FORM, *with_files)}


async def test_postgresql_is_as_safe_from_hostile_fields(postgres_url: str, tmp_path: Path) -> None:
    told = {"OPORA_DATABASE_URL": postgres_url, "OPORA_SECRET_KEY": "a secret of at least thirty-two bytes"}
    async with Program.over(tmp_path, **told) as program:
        await program.key("profiles:read")
        async with program.client(key=(await program.key("admin")).key) as client:
            before = await kept(program)
            for operation in WITH_BODY:
                await test_no_body_is_taken_for_what_it_is_not(program, client, operation)
            assert await kept(program) == before
            for operation in WITH_BODY:
                await test_odd_values_that_a_schema_lets_through_break_nothing(client, operation)
            for operation in WITH_QUERY:
                await test_no_parameter_takes_what_its_schema_does_not(client, operation)


GRANTS = ("password", "refresh_token", "client_credentials", "x")
"""Without one of these no other field of a form is looked at."""


@pytest.mark.parametrize("operation", WITH_FORM, ids=named)
async def test_no_field_of_a_form_breaks_anything(
    program: Program, client: httpx.AsyncClient, operation: Operation
) -> None:
    before = await kept(program)
    fields = (form_schema(operation) or {})["properties"]
    texts = [value.encode("utf-8", "surrogatepass") for value in hostile.VALUES if isinstance(value, str)]
    texts += [b"\xff", b"%zz", b"%ff%fe", b"x" * 100_000]
    wholes = [f"{field}={quote_from_bytes(text)}".encode() for field in fields for text in texts]
    wholes += [b"&" * 1000, b"=", b"token", b"token=x&token=y", b"\x00", b"{}", b""]
    for whole in wholes:
        for grant in GRANTS if "grant_type" in fields else ("",):
            content = (f"grant_type={grant}&".encode() if grant and b"grant_type" not in whole else b"") + whole
            started = perf_counter()
            answer = await client.post(address(operation), content=content, headers=FORM)
            told = answer.json() if answer.content else {}
            assert answer.status_code < 500 and perf_counter() - started < TIME_MAX_S, (
                content[:100],
                answer.text[:200],
            )
            assert answer.status_code == 200 or told["error"], content[:100]
    assert await kept(program) == before
