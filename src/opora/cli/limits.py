"""`opora limits`: every bound of the product in one table."""

from collections.abc import Iterator
from dataclasses import dataclass

from opora.bootstrap.fields import FIELDS, Field
from opora.bootstrap.sources import read
from opora.cli.bounds import FIXED
from opora.cli.command import Call, Command

UNITS = {
    "_bytes": "bytes", "_s": "s", "_ms": "ms", "_minutes": "minutes", "_days": "days", "_per_min": "a minute",
    "_per_address": "a minute",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """One bound: what it holds, its value, and the setting that moves it, where one does."""

    section: str
    what: str
    value: float
    unit: str
    setting: str | None


def show(call: Call) -> None:
    """Print every bound, those that a setting moves with the setting's name."""
    found = list(bounds())
    call.output.document(found)
    call.output.table(
        ["OF", "WHAT", "VALUE", "UNIT", "SETTING"],
        [[one.section, one.what, one.value, one.unit, one.setting or "fixed"] for one in found],
    )


def bounds() -> Iterator[Bound]:
    """Yield the bounds that the settings move, as they stand, then those that are the same everywhere."""
    settings = read()
    for field in FIELDS.values():
        if field.kind is int and field.name != "http_port":
            about = (field.about.description or "").partition(";")[0].rstrip(".")
            yield Bound(field.extra["section"], about, getattr(settings, field.name), _unit(field), field.variable)
    for section, what, value, unit in FIXED:
        yield Bound(section, what, value, unit, None)


def _unit(field: Field) -> str:
    """Return what a setting counts, told by the end of its name."""
    return next((unit for end, unit in UNITS.items() if field.name.endswith(end)), "")


COMMANDS = {"": Command("Print every bound of the product", show)}
