"""HTTP face of the events: the schema of every type, where `dataschema` of an event leads."""

from typing import Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Response, get
from litestar.params import FromPath

from opora.api.policy import PUBLIC
from opora.core.bus.errors import NoSuchEventType
from opora.core.bus.model import EventCatalogue
from opora.core.bus.rules.envelopes import schema_address
from opora.core.bus.rules.json_schema import first_sentence, schema_of

DAY = {"cache-control": "public, max-age=86400"}
MEDIA_TYPE = "application/schema+json"


class EventType(msgspec.Struct, frozen=True):
    """A type of event: its name, what it says, and where the schema of its data is."""

    type: str
    says: str
    dataschema: str


class EventTypeList(msgspec.Struct, frozen=True):
    """Every type of event."""

    results: list[EventType]


class EventSchemaController(Controller):
    """Types of events and their schemas."""

    path = "/events/schemas"
    tags = ["Events"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/", opt=PUBLIC)
    async def types(self, catalogue: FromDishka[EventCatalogue]) -> EventTypeList:
        """List the types of events that Opora publishes."""
        return EventTypeList(
            [
                EventType(topic, first_sentence(kind), schema_address(catalogue.source, topic))
                for topic, kind in catalogue.types.items()
            ]
        )

    @get("/{event_type:str}", opt=PUBLIC, media_type=MEDIA_TYPE)
    async def schema(
        self, event_type: FromPath[str], catalogue: FromDishka[EventCatalogue]
    ) -> Response[dict[str, Any]]:
        """Give the JSON Schema of an event's data."""
        kind = catalogue.types.get(event_type)
        if kind is None:
            raise NoSuchEventType
        return Response(schema_of(kind, catalogue.source), media_type=MEDIA_TYPE, headers=DAY)
