"""Envelopes say what CloudEvents asks for, and the order of waves is the order of each aggregate."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from opora.core.bus.model import WaitingEvent
from opora.core.bus.rules.envelopes import aggregate, message_of, waves

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ENVELOPE = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "format": "uri-reference", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
    },
    "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
}


def an_event(position: int = 1, topic: str = "user.created", subject: str = "7", **more: object) -> WaitingEvent:
    values = {"id": UUID(int=position), "at": NOON, "payload": '{"subject":7}', **more}
    return WaitingEvent(position=position, topic=topic, subject=subject, **values)


def test_a_message_is_an_event_of_cloudevents_in_structured_json() -> None:
    event = an_event(at=NOON.astimezone(timezone(timedelta(hours=3))), payload='{"subject":7,"what":"дождь"}')
    message = message_of(event, "https://api.example.org")
    told = json.loads(message.body)
    jsonschema.validate(told, ENVELOPE)
    assert told == {
        "specversion": "1.0",
        "id": str(event.id),
        "source": "https://api.example.org",
        "type": "user.created",
        "subject": "7",
        "time": "2030-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "https://api.example.org/api/v1/events/schemas/user.created",
        "data": {"subject": 7, "what": "дождь"},
    }
    assert (message.id, message.topic) == (event.id, "user.created")


@given(st.text(min_size=1))
def test_no_subject_breaks_its_envelope(subject: str) -> None:
    subject = subject.encode("utf-8", "replace").decode()
    assert json.loads(message_of(an_event(subject=subject), "x").body)["subject"] == subject


EVENTS = st.lists(
    st.builds(
        an_event,
        position=st.integers(0, 10**6),
        topic=st.sampled_from(["number.claimed", "number.done", "user.created"]),
        subject=st.sampled_from(["1", "2", "3"]),
    ),
    max_size=60,
)


@given(EVENTS)
def test_waves_hold_every_event_once_and_each_aggregate_in_its_order(events: list[WaitingEvent]) -> None:
    found = waves(events)
    assert sorted(id(one) for wave in found for one in wave) == sorted(map(id, events))
    for wave in found:
        assert wave
        assert len({aggregate(one) for one in wave}) == len(wave)
    orders: dict[object, list[int]] = defaultdict(list)
    given_orders: dict[object, list[int]] = defaultdict(list)
    for wave in found:
        for one in wave:
            orders[aggregate(one)].append(id(one))
    for one in events:
        given_orders[aggregate(one)].append(id(one))
    assert orders == given_orders
    assert len(found) == max((len(one) for one in given_orders.values()), default=0)


def test_events_of_one_thing_are_one_aggregate_and_equal_ids_of_other_things_are_not() -> None:
    made, done = an_event(topic="number.added"), an_event(topic="number.status_changed")
    assert aggregate(made) == aggregate(done) != aggregate(an_event(topic="user.created"))
