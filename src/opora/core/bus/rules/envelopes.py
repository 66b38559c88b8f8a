"""Envelopes of events, and which of them may be on their way together."""

import json
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote

from opora.core.bus.model import Message, WaitingEvent
from opora.core.kernel.rules import instant

SCHEMAS_PATH = "/api/v1/events/schemas"

type Aggregate = tuple[str, str]


def schema_address(source: str, topic: str) -> str:
    """Return where the schema of a type of event is found, and by which name it is known."""
    return f"{source}{SCHEMAS_PATH}/{quote(topic, safe='')}"


def message_of(event: WaitingEvent, source: str) -> Message:
    """Wrap an event (CloudEvents 1.0.2, JSON format 1.0.2); its id is that of the event, however often it is sent."""
    head = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": source,
        "type": event.topic,
        "subject": event.subject,
        "time": instant(event.at),
        "datacontenttype": "application/json",
        "dataschema": schema_address(source, event.topic),
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
    return Message(event.id, event.topic, f'{text[:-1]},"data":{event.payload}}}'.encode())


def aggregate(event: WaitingEvent) -> Aggregate:
    """Name the thing whose events keep their order: the kind that begins the topic, and the subject's id."""
    return event.topic.partition(".")[0], event.subject


def waves(events: Iterable[WaitingEvent]) -> list[list[WaitingEvent]]:
    """Part events into as few waves as keep order: no two of one aggregate in a wave, the earlier in an earlier one.

    A wave is sent when the one before it was taken. So what the bus refuses of an aggregate holds back the rest of it.
    """
    seen: Counter[Aggregate] = Counter()
    found: list[list[WaitingEvent]] = []
    for event in events:
        number = seen[aggregate(event)]
        seen[aggregate(event)] += 1
        if number == len(found):
            found.append([])
        found[number].append(event)
    return found
