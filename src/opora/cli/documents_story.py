"""The story of document 4: a client's paper goes to the bank's worker, is approved, and linked to a contract."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from opora.cli.story import Person, Story, dismiss, person, unsigned, until

DOCUMENTS = "/api/v1/abs/documents"
FIELDS = {"description": "Договор аренды", "category": "Договоры"}


def documents_story(story: Story, maker: Mapping[str, str]) -> None:
    """Walk it as an operator and a client made for it."""
    operator, client = person(story, maker, "operator"), person(story, maker, "client")
    paper = paper_of(f"Tour {token_hex(8)}")
    document_id = _upload(story, client, paper)
    _approve(story, operator, document_id)
    _taken_over(story, operator, document_id)
    _link(story, operator, client, document_id, paper)
    dismiss(story, maker, operator, client)


def _upload(story: Story, client: Person, paper: bytes) -> int:
    body, content_type = form(FIELDS, "lease.pdf", paper)
    sent = story.step(
        "The client uploads a PDF (DBO)", "POST", "/api/v1/dbo/documents", body, expect=(201,),
        headers={**client.headers, "Content-Type": content_type},
        show=lambda a: f"document {a.json['id']}: {a.json['status']}, {a.json['pages']} page, {a.json['size']} bytes",
    )  # fmt: skip
    story.hold(sent.json["size"] == len(paper), "the document is as long as the file that was sent")
    return int(sent.json["id"])


def _approve(story: Story, operator: Person, document_id: int) -> None:
    """Take the document into work and approve it."""
    place = f"{DOCUMENTS}/{document_id}"
    story.step(
        "The operator finds it (ABS)", "GET", place, headers=operator.headers,
        show=lambda a: f"{a.json['description']}, due {a.json['plan_maturity_date']}, may go to: "
        + ", ".join(a.json["allowed"]),
    )  # fmt: skip
    for status, about in (("in_review", "takes it into review"), ("approved", "approves it")):
        story.step(
            f"The operator {about}", "PUT", f"{place}/status", {"status": status}, headers=operator.headers,
            show=lambda a: f"status: {a.json['new_status']}, by user {a.json['updated_by']}",
        )  # fmt: skip
    whole = story.step(
        "Its history", "GET", place, headers=operator.headers,
        show=lambda a: " → ".join(line["status"] for line in a.json["history"]) + f"; ABS: {a.json['abs_sync']}",
    ).json  # fmt: skip
    passed = [line["status"] for line in whole["history"]]
    story.hold(passed[:3] == ["pending", "in_review", "approved"], "each status is kept in the history")


def _taken_over(story: Story, operator: Person, document_id: int) -> None:
    """See the bank's own system take the paper; one that answers later, a drop for one, has it sent by then."""
    place = f"{DOCUMENTS}/{document_id}"

    def is_answered() -> bool:
        seen = story.web.call("GET", place, headers=dict(operator.headers)).json or {}
        return seen.get("abs_sync") == "failed" or seen.get("status") == "processed"

    until(is_answered)
    taken = story.step(
        "The bank's own system takes it over (ABS)", "GET", place, headers=operator.headers,
        show=lambda a: f"status: {a.json['status']}, ABS: {a.json['abs_sync']}, reference {a.json['abs_reference']}",
    ).json  # fmt: skip
    story.hold(taken["abs_sync"] in {"sent", "accepted", "queued"} and taken["status"] in {"approved", "processed"},
               "the bank's own system has the document, or has been sent it")  # fmt: skip


def _link(story: Story, operator: Person, client: Person, document_id: int, paper: bytes) -> None:
    """Make a contract, link the document to it, and read the document through the contract."""
    made = story.step(
        "The operator makes a contract (SM)", "POST", "/api/v1/sm/contracts",
        {"user_id": client.id, "description": "Контракт на обслуживание"}, expect=(201,), headers=operator.headers,
        show=lambda a: f"contract {a.json['contract_id']}: {a.json['status']}",
    )  # fmt: skip
    place = f"/api/v1/sm/contracts/{made.json['contract_id']}"
    story.step(
        "The operator links the document to it", "POST", f"{place}/link", {"document_id": document_id}, expect=(201,),
        headers=operator.headers, show=lambda a: f"link: {a.json['status']}",
    )  # fmt: skip
    papers: list[dict[str, Any]] = story.step(
        "The client sees what is linked to the contract", "GET", f"{place}/documents", headers=client.headers,
        show=lambda a: ", ".join(unsigned(one["link"]) for one in a.json["documents"]),
    ).json["documents"]  # fmt: skip
    story.hold([one["document_id"] for one in papers] == [document_id], "the contract holds the document")
    link = urlsplit(papers[0]["link"])
    file = story.step(
        "The link gives the file", "GET", f"{link.path}?{link.query}", headers=client.headers,
        show=lambda a: f"{len(a.body)} bytes",
    )  # fmt: skip
    story.hold(file.body == paper, "the file is the one that was sent")


def form(fields: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """Return a multipart form of fields and one PDF, and its Content-Type."""
    boundary = f"tour-{token_hex(16)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/pdf\r\n\r\n".encode()
    return b"".join(
        [*parts, head, content, f"\r\n--{boundary}--\r\n".encode()]
    ), f"multipart/form-data; boundary={boundary}"


def paper_of(text: str) -> bytes:
    """Return a PDF of one page with a line of ASCII on it."""
    drawn = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    file, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    begins = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    file += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begins)
    return bytes(file)
