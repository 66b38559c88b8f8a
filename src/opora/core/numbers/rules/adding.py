"""What becomes of numbers that are to be added: which are good, and what is told of the others."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from opora.core.numbers.errors.numbers import NumberExists, NumberSuppressed
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProject, NoSuchProvider
from opora.core.numbers.model.numbers import BulkOutcome, Fault, GivenNumber
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.rules.phones import written


class Item(NamedTuple):
    """A number to be added, read: its place in what was sent, its digits, and what it belongs to."""

    place: int
    phone: int
    project_id: int
    provider_id: int | None
    geo_id: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What items may name: projects within reach, providers, and areas with their zones."""

    projects: Set[int]
    providers: Set[int]
    areas: Mapping[int, str | None]


def refuse_homeless(given: GivenNumber, reach: ProjectReach) -> None:
    """Raise NoSuchProject for a number of no project, unless the caller sees every project."""
    if given.project_id is None and reach.user_id is not None:
        raise NoSuchProject("Name the project of this number: only who sees every project adds one of none.")


def sorted_out(items: Sequence[Item], known: Known) -> tuple[list[Item], list[Fault]]:
    """Return the items that name only what is known, and the faults of the others."""
    named = (
        {item.project_id for item in items},
        {item.provider_id for item in items} - {None},
        {item.geo_id for item in items} - {None},
    )
    if named[0] <= known.projects and named[1] <= known.providers and named[2] <= known.areas.keys():
        return list(items), []
    good: list[Item] = []
    faults: list[Fault] = []
    for item in items:
        if item.project_id not in known.projects:
            faults.append(Fault(item.place, NoSuchProject.code, f"There is no project {item.project_id}."))
        elif item.provider_id is not None and item.provider_id not in known.providers:
            faults.append(Fault(item.place, NoSuchProvider.code, f"There is no provider {item.provider_id}."))
        elif item.geo_id is not None and item.geo_id not in known.areas:
            faults.append(Fault(item.place, NoSuchGeo.code, f"There is no area {item.geo_id}."))
        else:
            good.append(item)
    return good, faults


def first_by_phone(items: Sequence[Item]) -> list[Item]:
    """Return the items by ascending number, of equal numbers only what was sent first; `items` are as sent."""
    first = {item.phone: item for item in reversed(items)}
    return sorted(first.values(), key=attrgetter("phone"))


def not_taken(items: Sequence[Item], barred: Set[int], ids: Mapping[int, int]) -> list[Fault]:
    """Return the faults of items that were suppressed or there already, of those that were to be added."""
    faults: list[Fault] = []
    for item in items:
        if item.phone in barred:
            faults.append(Fault(item.place, NumberSuppressed.code, f"{written(item.phone)} is never to be called."))
        elif item.place not in ids:
            faults.append(Fault(item.place, NumberExists.code, f"The project holds {written(item.phone)} already."))
    return faults


def outcome(count: int, faults: Sequence[Fault]) -> BulkOutcome:
    """Return what became of `count` numbers, the faults in the order of what was sent."""
    duplicates = sum(fault.code == NumberExists.code for fault in faults)
    suppressed = sum(fault.code == NumberSuppressed.code for fault in faults)
    return BulkOutcome(
        created=count - len(faults),
        duplicates=duplicates,
        invalid=len(faults) - duplicates - suppressed,
        suppressed=suppressed,
        errors=tuple(sorted(faults, key=lambda fault: fault.index)),
    )
