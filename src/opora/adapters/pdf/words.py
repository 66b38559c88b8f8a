"""What a sheet says in each language, and a profile as the words of its sheet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec

MISSING = "—"
CARD_GROUP = 4
LOCALE_DEFAULT = "en_US"


@dataclass(frozen=True, slots=True)
class Section:
    """One block of a sheet: its heading and its fields as (slot, label, columns of four)."""

    title: str
    fields: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one locale: `date` is a strftime form, `values` maps a slot's stored values to what is printed."""

    language: str
    title: str
    titles: str
    notice: str
    date: str
    sections: list[Section]
    values: dict[str, dict[str, str]] = field(default_factory=dict)


type Dictionary = Mapping[str, Words]
"""The words of every locale a template knows."""


def read_words(path: Path) -> Dictionary:
    """Read `labels.json`; raises msgspec.ValidationError, naming the place, when it is not of the right shape."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Words])


def nearest_locale(locale: str, dictionary: Dictionary) -> str:
    """Return the locale itself, else one of the same language, else English, else the first one."""
    if locale in dictionary:
        return locale
    language = locale.replace("-", "_").split("_")[0]
    same = [known for known, words in dictionary.items() if words.language == language]
    return next(iter([*same, *(known for known in dictionary if known == LOCALE_DEFAULT), *dictionary]))


def printed(slot: str, value: object, words: Words) -> str:
    """Return one stored value as it is printed: dates as the locale has them, cards in groups, nothing as a dash."""
    if value is None or value == "":
        return MISSING
    text = words.values.get(slot, {}).get(str(value)) or drawable(str(value))
    if slot.endswith("card.number") and text.isdecimal():
        return " ".join(text[start : start + CARD_GROUP] for start in range(0, len(text), CARD_GROUP))
    if slot.endswith(("_date", "_on")):
        return printed_date(text, words)
    return text


def drawable(text: str) -> str:
    """Return the text without what draws nothing yet moves its neighbours: controls, line ends, marks of direction."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)


def printed_date(text: str, words: Words) -> str:
    """Return an ISO 8601 date in the locale's form; anything else as it is."""
    try:
        return date.fromisoformat(text).strftime(words.date)
    except ValueError:
        return text


def sheet_values(profile: Mapping[str, object], words: Words) -> dict[str, str]:
    """Return the text of every slot of a profile; nested parts are named by dotted paths (`passport.series`)."""
    values: dict[str, str] = {}
    parts: list[tuple[str, Mapping[str, object]]] = [("", profile)]
    while parts:
        path, part = parts.pop()
        for name, value in part.items():
            if isinstance(value, Mapping):
                parts.append((f"{path}{name}.", value))
            else:
                values[path + name] = printed(path + name, value, words)
    values["reference"] = f"№ {profile['id']}" if profile.get("id") is not None else ""
    return values
