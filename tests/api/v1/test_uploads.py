"""Bad uploads over HTTP: refused with a code of their own, in time, and nothing of them is kept."""

import os
from typing import Any

import httpx
import pytest

from api.v1.bank import DBO, LEASE, Bank, paper, send
from api.v1.banking_fixtures import anna, anyio_backend, bank, refused
from opora.testing.papers import BAD, a_pdf

pytestmark = pytest.mark.anyio
__all__ = ("anna", "anyio_backend", "bank")

CODES = {
    "empty": (422, "empty_file"),
    "unsupported": (415, "unsupported_file"),
    "macros": (415, "macro_file"),
    "polyglot": (415, "polyglot_file"),
    "damaged": (422, "damaged_file"),
    "encrypted": (422, "encrypted_file"),
    "bomb": (422, "file_bomb"),
}
PATH = f"{DBO}/documents"
MIB = 1024 * 1024


async def documents(bank: Bank) -> tuple[int, list[str]]:
    """Return how many documents are kept, and which files."""
    return (await bank.program.rows())["documents"], sorted(bank.files())


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_is_refused_by_its_fault_and_leaves_nothing(
    bank: Bank, anna: httpx.AsyncClient, name: str
) -> None:
    before = await documents(bank)
    fault, content = BAD[name]
    assert refused(await send(anna, content)) == CODES[fault]
    assert await documents(bank) == before


NAMES = {
    "climbs": "../../etc/passwd.pdf",
    "climbs on Windows": "..\\..\\boot.pdf",
    "splits the header": "a%0D%0AX-Evil: 1.pdf",
    "ends early": "a\x00.pdf",
    "turns around": "a\u202efdp.exe",
    "is a program": "lease.pdf.exe",
    "was a program": "lease.exe.pdf",
    "has macros": "lease.docm",
    "is too long": "ж" * 126 + ".pdf",
    "is blank": "  ",
    "is dots": "..",
}


@pytest.mark.parametrize("why", NAMES)
async def test_a_name_that_leads_astray_is_refused(bank: Bank, anna: httpx.AsyncClient, why: str) -> None:
    before = await documents(bank)
    body = form(("file", NAMES[why], paper()), ("description", None, b"x"), ("category", None, b"2"))
    answer = await anna.post(PATH, content=body, headers=TYPE)
    assert (refused(answer), list(answer.json()["errors"])) == ((422, "invalid_document"), ["file"])
    assert await documents(bank) == before


async def test_a_name_of_255_bytes_is_kept_whole(anna: httpx.AsyncClient) -> None:
    name = "ж" * 125 + "a.pdf"
    answer = await send(anna, paper(), name)
    assert (answer.status_code, answer.json()["file_name"], len(name.encode())) == (201, name, 255)


FIELDS: dict[str, tuple[dict[str, Any], tuple[int, str], str]] = {
    "no description": ({"description": None}, (422, "validation_failed"), "description"),
    "a blank description": ({"description": " "}, (422, "invalid_document"), "description"),
    "a long description": ({"description": "x" * 1001}, (422, "validation_failed"), "description"),
    "a control character": ({"description": "a\x00b"}, (422, "validation_failed"), "description"),
    "no category": ({"category": None}, (422, "no_such_category"), "category"),
    "a category that does not exist": ({"category": "Оружие"}, (422, "no_such_category"), "category"),
    "an id that does not exist": ({"category": None, "callcopy_id": "99"}, (422, "no_such_category"), "category"),
    "an id that is none": ({"callcopy_id": "ten"}, (422, "validation_failed"), "callcopy_id"),
    "an end before the start": (
        {"actual_date": "2026-02-01", "actual_end_date": "2026-01-31"},
        (422, "invalid_document"),
        "actual_end_date",
    ),
    "a day that is none": ({"actual_date": "2026-02-30"}, (422, "validation_failed"), "actual_date"),
    "a field nobody knows": ({"status": "approved"}, (422, "validation_failed"), "status"),
}


@pytest.mark.parametrize("why", FIELDS)
async def test_a_bad_field_is_named(bank: Bank, anna: httpx.AsyncClient, why: str) -> None:
    before = await documents(bank)
    fields, code, field = FIELDS[why]
    answer = await send(anna, paper(), **fields)
    assert (refused(answer), list(answer.json()["errors"])) == (code, [field])
    assert await documents(bank) == before


async def test_every_field_at_fault_is_named_at_once(anna: httpx.AsyncClient) -> None:
    answer = await send(anna, paper(), description=None, callcopy_id="x", actual_date="y", odd="z")
    assert set(answer.json()["errors"]) == {"description", "callcopy_id", "actual_date", "odd"}


async def test_a_missing_file_is_named_with_every_field_at_fault(anna: httpx.AsyncClient) -> None:
    answer = await anna.post(PATH, content=form(("actual_date", None, b"y")), headers=TYPE)
    assert (refused(answer), set(answer.json()["errors"])) == (
        (422, "validation_failed"),
        {"file", "description", "actual_date"},
    )
    alone = await anna.post(PATH, content=form(("description", None, b"x")), headers=TYPE)
    assert set(alone.json()["errors"]) == {"file"}


async def test_a_form_that_cannot_be_read_is_refused_in_words_of_our_own(anna: httpx.AsyncClient) -> None:
    for body in (form(FILE, end=b""), b"", b"--the-boundary\r\nno header\r\n\r\n"):
        answer = await anna.post(PATH, content=body, headers=TYPE)
        assert (refused(answer), answer.json()["detail"]) == (
            (400, "malformed_form"),
            "The form with files cannot be read.",
        )


BOUNDARY = "the-boundary"
TYPE = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def form(*parts: tuple[str, str | None, bytes], end: bytes = b"--the-boundary--\r\n") -> bytes:
    """Return the body of a form; a part with a name of its own is a file."""
    body = []
    for field, name, content in parts:
        said = f'form-data; name="{field}"' + ("" if name is None else f'; filename="{name}"')
        body += [f"--{BOUNDARY}\r\nContent-Disposition: {said}\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*body, end])


def bounded(boundary: str) -> dict[str, str]:
    """Return the headers of a form."""
    return {"content-type": f"multipart/form-data; boundary={boundary}"}


FILE = ("file", "a.pdf", a_pdf())

FORMS: dict[str, tuple[bytes, dict[str, str], tuple[int, str]]] = {
    "no form": (b"{}", {"content-type": "application/json"}, (415, "unsupported_media_type")),
    "no type": (b"{}", {}, (415, "unsupported_media_type")),
    "no boundary": (form(FILE), {"content-type": "multipart/form-data"}, (400, "malformed_form")),
    "an endless boundary": (form(FILE), bounded("x" * 71), (400, "malformed_form")),
    "another boundary": (form(FILE), bounded("other"), (400, "malformed_form")),
    "no end": (form(FILE, end=b""), TYPE, (400, "malformed_form")),
    "nothing": (b"", TYPE, (400, "malformed_form")),
    "no file": (form(("description", None, b"x")), TYPE, (422, "validation_failed")),
    "two files": (form(FILE, FILE), TYPE, (413, "too_many_parts")),
    "a file in another field": (form(("paper", "a.pdf", a_pdf())), TYPE, (422, "validation_failed")),
    "a field twice": (form(("description", None, b"x"), ("description", None, b"y")), TYPE, (400, "malformed_form")),
    "a field that is no UTF-8": (form(("description", None, b"\xff\xfe")), TYPE, (400, "malformed_form")),
    "a field without end": (form(("description", None, b"x" * 9_000)), TYPE, (413, "body_too_large")),
    "200,000 parts": (form(*[("a", None, b"")] * 200_000), TYPE, (400, "malformed_form")),
    "a hundred parts": (form(*[(f"a{number}", None, b"") for number in range(100)]), TYPE, (413, "too_many_parts")),
    "a header without end": (b"--the-boundary\r\nX: " + b"x" * 5_000, TYPE, (413, "too_many_parts")),
    "a thousand headers": (b"--the-boundary\r\n" + b"X: y\r\n" * 1_000, TYPE, (413, "too_many_parts")),
    "a name split by a line end": (
        b'--the-boundary\r\nContent-Disposition: form-data; name="a\r\nb"\r\n\r\nx\r\n--the-boundary--\r\n',
        TYPE,
        (400, "malformed_form"),
    ),
    "a part without a name": (
        b"--the-boundary\r\nContent-Type: text/plain\r\n\r\nx\r\n--the-boundary--\r\n",
        TYPE,
        (400, "malformed_form"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", FORMS)
async def test_a_form_that_cannot_be_read_is_refused(bank: Bank, anna: httpx.AsyncClient, why: str) -> None:
    before = await documents(bank)
    body, headers, code = FORMS[why]
    assert refused(await anna.post(PATH, content=body, headers=headers)) == code
    assert await documents(bank) == before


async def test_200_000_parts_that_come_in_pieces_are_refused(bank: Bank, anna: httpx.AsyncClient) -> None:
    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(200):
            yield form(*[("a", None, b"")] * 1_000, end=b"")

    assert refused(await anna.post(PATH, content=pieces(), headers=TYPE))[0] in {400, 413}


async def test_a_file_past_the_bound_is_refused_before_and_while_it_is_read(
    bank: Bank, anna: httpx.AsyncClient
) -> None:
    before = await documents(bank)
    large = b"%PDF-1.4" + os.urandom(1024) * (51 * 1024)

    async def unannounced():  # type: ignore[no-untyped-def]
        body = form(("file", "a.pdf", large[: 50 * MIB + 1]))
        for start in range(0, len(body), MIB):
            yield body[start : start + MIB]

    assert refused(await send(anna, large)) == (413, "body_too_large")
    assert refused(await anna.post(PATH, content=unannounced(), headers=TYPE)) == (413, "blob_too_large")
    assert await documents(bank) == before


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(bank: Bank, anna: httpx.AsyncClient) -> None:
    before = await documents(bank)
    scope = anna.build_request("POST", PATH, headers=TYPE)
    messages = iter(
        [{"type": "http.request", "body": form(FILE)[:200], "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send_on(message: Any) -> None:
        sent.append(message)

    raw = [(name.lower(), value) for name, value in scope.headers.raw]
    asgi = {"type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b""}
    asgi |= {"headers": [*raw, (b"transfer-encoding", b"chunked")], "client": ("192.0.2.1", 1), "http_version": "1.1"}
    asgi |= {"scheme": "http", "server": ("opora.test", 80), "root_path": ""}
    await bank.program.gate(asgi, receive, send_on)
    assert sent[0]["status"] == 400
    assert await documents(bank) == before


async def test_fields_may_stand_behind_the_file(anna: httpx.AsyncClient) -> None:
    fields = [(name, None, value.encode()) for name, value in LEASE.items()]
    answer = await anna.post(PATH, content=form(("file", "a.pdf", paper()), *fields), headers=TYPE)
    assert answer.status_code == 201
