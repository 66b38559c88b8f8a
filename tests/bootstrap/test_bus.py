"""Which bus and which broker the settings choose, and every type of event with a schema that its messages fit."""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import jsonschema
import pytest

import opora.core
from opora.adapters.memory.bus import NoBus
from opora.adapters.sql.outbox import payload
from opora.bootstrap import bus
from opora.bootstrap.faults import SettingsInvalid
from opora.bootstrap.messenger import Messages
from opora.bootstrap.sources import load
from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import WaitingEvent
from opora.core.bus.rules.envelopes import message_of
from opora.core.bus.rules.json_schema import schema_of
from opora.core.kernel.events import Event
from opora.events import Event as Heard

CATALOGUE = bus.catalogue("https://api.example.org")
CORE = Path(opora.core.__file__).parent
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
AMQP, REDIS = {"OPORA_AMQP_URL": "amqp://127.0.0.1/"}, {"OPORA_REDIS_URL": "redis://127.0.0.1"}
PERSONAL = re.compile(
    r"(comment|note|e?mail|phone|name|passport|address|birth|password|secret|token|inn|snils|card|text|prompt)$"
)
NAMES_ALLOWED = {("prompt.published", "name")}
"""Fields that sound like personal data and are none: what a prompt is called."""


def a_value(hint: Any) -> Any:
    """Make a value of an annotation."""
    origin, parts = get_origin(hint), get_args(hint)
    plain = {bool: True, int: 7, float: 0.5, str: "слово", datetime: AT, date: AT.date(), UUID: UUID(int=7)}
    if hint in plain:
        return plain[hint]
    if origin in (Union, UnionType):
        return a_value(parts[0])
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return next(iter(hint))
    if origin is Mapping:
        return {"a": a_value(parts[1])}
    return (a_value(parts[0]),)


@pytest.mark.parametrize("kind", CATALOGUE.types.values(), ids=CATALOGUE.types)
def test_what_is_published_of_every_event_fits_the_schema_that_it_names(kind: type[Event]) -> None:
    hints = get_type_hints(kind)
    event = kind(**{field.name: a_value(hints[field.name]) for field in fields(kind)})
    row = WaitingEvent(
        position=1, id=UUID(int=1), topic=kind.topic, subject=str(event.subject), at=event.at, payload=payload(event)
    )
    heard = Heard.parse(message_of(row, CATALOGUE.source).body)
    schema = schema_of(kind, CATALOGUE.source)
    assert heard.dataschema == schema["$id"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(heard.data, schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    for name in schema["required"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in heard.data.items() if key != name}, schema)


def test_every_event_of_the_core_is_in_the_catalogue() -> None:
    topic = re.compile(r'^    topic(?:: ClassVar\[str\])? = "(.+)"', re.MULTILINE)
    written = {found for file in CORE.rglob("*.py") for found in topic.findall(file.read_text())}
    assert written == set(CATALOGUE.types)
    assert {"user.registered", "user.logged_in", "document.status_changed"} <= written


@pytest.mark.parametrize("kind", CATALOGUE.types.values(), ids=CATALOGUE.types)
def test_no_event_holds_what_is_known_of_a_person_or_a_secret(kind: type[Event]) -> None:
    names = {field.name for field in fields(kind)}
    assert {(kind.topic, name) for name in names if PERSONAL.search(name)} <= NAMES_ALLOWED


def test_a_topic_may_be_routed_by_its_words() -> None:
    for topic in CATALOGUE.types:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", topic)


@pytest.mark.parametrize(
    ("told", "chosen"),
    [
        ({}, "none"),
        (REDIS, "redis"),
        (AMQP, "rabbitmq"),
        (REDIS | AMQP, "rabbitmq"),
        (REDIS | AMQP | {"OPORA_BUS": "redis", "OPORA_BROKER": "redis"}, "redis"),
        (REDIS | AMQP | {"OPORA_BUS": "none", "OPORA_BROKER": "none"}, "none"),
    ],
)
def test_bus_and_broker_follow_from_the_addresses_unless_they_are_named(
    told: dict[str, str], chosen: str, tmp_path: Path
) -> None:
    settings = load({"OPORA_HOME": str(tmp_path), **told}, tmp_path)
    assert (settings.bus_chosen, settings.broker_chosen) == (chosen, chosen)
    names = {"none": "NoBus", "redis": "RedisBus", "rabbitmq": "RabbitBus"}
    assert type(bus.bus_of(settings)).__name__ == names[chosen]
    assert Messages(settings) is not None


@pytest.mark.parametrize(("name", "chosen"), [("OPORA_BUS", "rabbitmq"), ("OPORA_BROKER", "redis")])
def test_a_bus_without_an_address_is_a_fault_of_the_settings(name: str, chosen: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        load({"OPORA_HOME": str(tmp_path), name: chosen}, tmp_path)


@pytest.mark.anyio
async def test_where_there_is_no_bus_nothing_is_published() -> None:
    none = NoBus()
    assert "none" in await none.check()
    assert await none.keeps("1-1")
    with pytest.raises(BusUnavailable):
        await none.publish([])
    await none.close()


def test_two_events_of_one_topic_stop_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = next(iter(CATALOGUE.types.values()))
    monkeypatch.setattr(bus, "event_types", lambda: iter([kind, kind]))
    with pytest.raises(ValueError, match=kind.topic):
        bus.catalogue("/")
