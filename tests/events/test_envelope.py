"""What is heard is read as CloudEvents 1.0, or refused by name; topics are chosen as exchanges choose them."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.bus.model import WaitingEvent
from opora.core.bus.rules.envelopes import message_of
from opora.events import Event, NotAnEvent
from opora.events.envelope import wanted

GOOD = {"specversion": "1.0", "id": "1", "source": "/x", "type": "a.b", "data": {}}


def test_what_opora_sends_is_what_a_listener_reads() -> None:
    at = datetime(2030, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
    sent = WaitingEvent(
        position=1, id=UUID(int=7), topic="user.created", subject="3", at=at, payload='{"subject":3,"at":"x"}'
    )
    event = Event.parse(message_of(sent, "https://api.example.org").body)
    assert event == Event(
        id=str(UUID(int=7)),
        type="user.created",
        source="https://api.example.org",
        subject="3",
        time=at,
        data={"subject": 3, "at": "x"},
        dataschema="https://api.example.org/api/v1/events/schemas/user.created",
    )


def test_what_is_optional_may_be_left_out() -> None:
    event = Event.parse(json.dumps({name: GOOD[name] for name in ("specversion", "id", "source", "type")}).encode())
    assert (event.subject, event.time, event.data, event.dataschema) == ("", None, {}, "")


BAD = [
    b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"{}", b"[" * 100_000,
    *(json.dumps({**GOOD, **change}).encode() for change in (
        {"specversion": "0.3"}, {"id": ""}, {"id": 7}, {"type": None}, {"time": "yesterday"}, {"time": 7},
        {"data": []}, {"data": "x"}, {"subject": 7},
    )),
    *(json.dumps({name: value for name, value in GOOD.items() if name != lost}).encode()
      for lost in ("specversion", "id", "source", "type")),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_what_is_no_event_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        Event.parse(body)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_no_message_does_more_harm_than_to_be_refused(body: bytes | str) -> None:
    with pytest.raises(NotAnEvent):
        Event.parse(body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(
    ("topic", "pattern", "verdict"),
    [
        ("user.created", "user.created", True),
        ("user.created", "user.*", True),
        ("user.created", "#", True),
        ("user.created", "*", False),
        ("user", "user.#", True),
        ("user.a.b", "user.#", True),
        ("user.a.b", "user.*", False),
        ("abs.packet_failed", "*.packet_failed", True),
        ("a.b.c.d", "a.#.d", True),
        ("a.d", "a.#.d", True),
        ("userXcreated", "user.created", False),
    ],
)
def test_topics_are_chosen_as_a_topic_exchange_chooses(topic: str, pattern: str, verdict: bool) -> None:
    assert wanted(topic, ["nothing.of.it", pattern]) is verdict
