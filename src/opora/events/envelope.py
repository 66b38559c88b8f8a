"""An event as it is heard: CloudEvents 1.0, structured mode, JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any


class NotAnEvent(ValueError):
    """The message is no event of CloudEvents 1.0 in JSON."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `id` stays the same however often it is delivered; `data` is what the schema of its `type` says."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime | None
    data: Mapping[str, Any]
    dataschema: str = ""

    @classmethod
    def parse(cls, body: bytes) -> "Event":
        """Read an envelope; raises NotAnEvent."""
        try:
            told = json.loads(body)
            if told["specversion"] != "1.0":
                raise NotAnEvent("another version of CloudEvents")
            words = {name: told[name] for name in ("id", "type", "source")}
            words |= {name: told.get(name, "") for name in ("subject", "dataschema")}
            data = told.get("data", {})
            if not all(isinstance(word, str) for word in words.values()) or not isinstance(data, dict):
                raise NotAnEvent("an attribute is not what it should be")
            time = datetime.fromisoformat(told["time"]) if "time" in told else None
        except NotAnEvent:
            raise
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise NotAnEvent(f"{type(error).__name__} in the envelope") from error
        if not words["id"]:
            raise NotAnEvent("it has no id")
        return cls(time=time, data=data, **words)


def wanted(topic: str, patterns: Sequence[str]) -> bool:
    """Tell whether a topic is asked for, by the rules of topic exchanges: `*` is one word, `#` any number of them."""
    return any(pattern_of(one).fullmatch(f".{topic}") is not None for one in patterns)


@lru_cache(maxsize=256)
def pattern_of(pattern: str) -> re.Pattern[str]:
    """Return the pattern as a regular expression over a topic that a dot was put before."""
    words = {"*": r"\.[^.]+", "#": r"(?:\.[^.]+)*"}
    return re.compile("".join(words.get(word, rf"\.{re.escape(word)}") for word in pattern.split(".")))
