"""Notices from their cause to every reader: letters, the list, a WebSocket and an event stream, across processes."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from e2e.conftest import Setup

EMAIL, PASSWORD = "anna@example.org", "a-long-enough-passphrase-7Q"


class Person:
    """Somebody who is signed in; calls of `at` go to one of the processes."""

    def __init__(self, setup: Setup) -> None:
        self.addresses = setup.addresses
        login = {"email": EMAIL, "password": PASSWORD}
        token = httpx.post(f"{self.addresses[0]}/api/v1/auth/login", json=login).json()["access_token"]
        self.headers = {"authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, at: int = 0, **given: Any) -> httpx.Response:
        return httpx.request(method, self.addresses[at] + path, headers=self.headers, timeout=30, **given)

    def ticket(self) -> str:
        return str(self.call("POST", "/api/v1/auth/ticket").json()["ticket"])

    @contextmanager
    def socket(self, at: int = 0, **query: str) -> Iterator[ClientConnection]:
        """Open a WebSocket with a fresh ticket unless one is given."""
        asked = {"ticket": self.ticket(), **query} if "ticket" not in query else query
        address = self.addresses[at].replace("http://", "ws://")
        with connect(f"{address}/api/v1/ws/notifications?{httpx.QueryParams(asked)}", proxy=None) as socket:
            yield socket

    def cause(self) -> None:
        """Make a notice; trials are one a minute, so that preferences of a digest make others."""
        assert self.call("POST", "/api/v1/notifications/trial", at=-1).status_code == 204


@pytest.fixture(scope="module")
def person(setup: Setup) -> Person:
    setup.installation.command("users", "create", "--email", EMAIL, "--role", "client", given=f"{PASSWORD}\n")
    return Person(setup)


def letters(setup: Setup) -> list[Path]:
    """Wait for a letter."""
    deadline_s = time.monotonic() + 10
    folder = setup.installation.home / "mail"
    while time.monotonic() < deadline_s:
        found = list(folder.glob("*.eml")) if folder.exists() else []
        if found:
            return found
        time.sleep(0.05)
    return []


def events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """Read an event stream."""
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(":")
            event[name] = value.strip()
        else:
            if "data" in event:
                yield event
            event = {}


def test_a_notice_reaches_every_open_reader_within_two_seconds_and_each_once(setup: Setup, person: Person) -> None:
    with person.socket(0) as here, person.socket(-1) as there:
        started_s = time.monotonic()
        person.cause()
        told = [json.loads(one.recv(timeout=10)) for one in (here, there)]
        assert time.monotonic() - started_s < 2
        assert told[0] == told[1]
        assert (told[0]["id"], told[0]["kind"], told[0]["read_at"]) == (1, "notifications.trial", None)
        with pytest.raises(TimeoutError):
            here.recv(timeout=0.7)
    [letter] = letters(setup)
    assert b"Message-ID: <" in letter.read_bytes()
    listed = person.call("GET", "/api/v1/notifications?unread=true").json()
    assert [one["id"] for one in listed["results"]] == [1]
    assert person.call("POST", "/api/v1/notifications/1/read").status_code == 204
    assert person.call("GET", "/api/v1/notifications?unread=true").json()["count"] == 0
    assert person.call("POST", "/api/v1/notifications/2/read").json()["code"] == "no_such_notice"


def test_a_reader_resumes_where_it_broke_off(person: Person) -> None:
    with person.socket(after="0") as socket:
        assert json.loads(socket.recv(timeout=5))["id"] == 1
    for headers in ({"last-event-id": "0"}, {"last-event-id": "zero"}, {"last-event-id": "9" * 400}):
        address = f"{person.addresses[-1]}/api/v1/notifications/stream"
        asked = httpx.stream("GET", address, headers={**person.headers, **headers}, timeout=httpx.Timeout(5, read=0.7))
        with asked as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            found = []
            try:
                for event in events(answer):
                    found.append(event)
            except httpx.ReadTimeout:
                pass
        expected = [("1", "notice")] if headers["last-event-id"] == "0" else []
        assert [(one["id"], one["event"]) for one in found] == expected


def test_a_ticket_opens_one_stream_and_a_forged_one_none(person: Person) -> None:
    ticket = person.ticket()
    with person.socket(ticket=ticket):
        pass
    for wrong in (ticket, "forged", "", "x" * 5000):
        with pytest.raises(ConnectionClosed) as closed, person.socket(ticket=wrong) as socket:
            socket.recv(timeout=5)
        assert closed.value.rcvd is not None and (closed.value.rcvd.code, closed.value.rcvd.reason) == (
            4401, "ticket_invalid",
        )  # fmt: skip
        answer = httpx.get(f"{person.addresses[0]}/api/v1/notifications/stream", params={"ticket": wrong[:90]})
        assert (answer.status_code, answer.json()["code"]) == (401, "ticket_invalid")


def test_who_is_blocked_hears_nothing_more(setup: Setup, person: Person) -> None:
    with person.socket() as socket:
        admin = setup.client(setup.key("admin")["key"])
        user_id = person.call("GET", "/api/v1/users/me").json()["id"]
        assert admin.call("PATCH", f"/api/v1/users/{user_id}", json={"is_active": False}).status_code == 200
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=15)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    admin.call("PATCH", f"/api/v1/users/{user_id}", json={"is_active": True})


def test_an_open_stream_does_not_hold_up_the_end_of_a_process(setup: Setup) -> None:
    person = Person(setup)
    with httpx.stream("GET", f"{person.addresses[0]}/api/v1/notifications/stream", headers=person.headers) as answer:
        next(answer.iter_lines())
        with person.socket():
            started_s = time.monotonic()
            assert set(setup.installation.end()) <= {0}
            assert time.monotonic() - started_s < 10
