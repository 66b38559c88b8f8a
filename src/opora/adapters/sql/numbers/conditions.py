"""Which numbers a filter means, as SQL whose cost does not grow with the table.

A list by age is put together from branches, one for each project and status, each read from its own stretch of an
index, which bounds of age only make shorter; a list by provider or area goes by id from the index of that; a list by
the beginning of a number from the index of numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from opora.adapters.sql.filters import Filter
from opora.adapters.sql.numbers.reach import visible
from opora.adapters.sql.numbers.rows import FIELDS
from opora.core.numbers.model.numbers import STATUS_CODES, NumberFilter, NumberStatus
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.rules.phones import spans

BRANCHES_MAX = 100
"""The most branches of one statement; past that a list walks down the ids and leaves out what is not wanted."""
EVERY_STATUS = ", ".join(str(code) for code in STATUS_CODES.values())


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters."""

    sql: str
    parameters: Mapping[str, object]


def plain(wanted: NumberFilter) -> Filter:
    """Return the conditions on a number itself, but for project and status."""
    found = Filter()
    found.narrow("provider_id = CAST(:provider_id AS bigint)", provider_id=wanted.provider_id)
    found.narrow("geo_id = CAST(:geo_id AS bigint)", geo_id=wanted.geo_id)
    found.narrow("created_at >= :created_after", created_after=wanted.created_after)
    found.narrow("created_at < :created_before", created_before=wanted.created_before)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page by age ended: how old its last number is, and its id."""

    created_at: datetime
    id: int


def scan(wanted: NumberFilter, reach: ProjectReach) -> tuple[str, dict[str, object]]:
    """Return one condition that means the whole filter within reach, and its parameters."""
    found = plain(wanted)
    projects, parameters = visible(reach)
    column = "+project_id" if wanted.provider_id is not None or wanted.geo_id is not None else "project_id"
    if wanted.project_id is not None:
        here = f"{column} = CAST(:project_id AS bigint) AND CAST(:project_id AS bigint) IN ({projects})"
        found.narrow(here, project_id=wanted.project_id)
    else:
        found.narrow(f"{column} IN ({projects})")
    if wanted.status is not None:
        found.narrow("status = :status", status=STATUS_CODES[wanted.status])
    elif wanted.created_after is not None or wanted.created_before is not None:
        found.narrow(f"status IN ({EVERY_STATUS})")  # every one is a stretch of the index, bounded by age
    if wanted.phone is not None:
        found.narrow("(" + " OR ".join(f"phone >= {low} AND phone < {high}" for low, high in spans(wanted.phone)) + ")")
    return found.where, {**found.parameters, **parameters}


def branched(wanted: NumberFilter, projects: Sequence[int], after: Place | None, limit: int) -> Statement | None:
    """Return a page by age out of branches of these projects, the newest first; None where they would be too many.

    What is of one age with the last number and what is older are apart, for SQLite finds no pair in an index.
    """
    if wanted.provider_id is not None or wanted.geo_id is not None or wanted.phone is not None:
        return None
    statuses = [wanted.status] if wanted.status is not None else list(NumberStatus)
    if len(projects) * len(statuses) > BRANCHES_MAX:
        return None
    found = plain(wanted)
    parameters = found.parameters
    rest = "".join(f" AND {part}" for part in found.parts)
    sides = [""]
    if after is not None:
        sides = [" AND created_at = :after_at AND id < :after", " AND created_at < :after_at"]
        parameters |= {"after_at": after.created_at, "after": after.id}
    order = "ORDER BY created_at DESC, id DESC"
    branches: list[str] = []
    for place, project_id in enumerate(projects):
        parameters[f"project_{letters(place)}"] = project_id
        for status, (nth, side) in product(statuses, enumerate(sides)):
            code = STATUS_CODES[status]
            where = f"project_id = :project_{letters(place)} AND status = {code}{rest}{side}"
            branches.append(
                f"SELECT * FROM (SELECT {FIELDS} FROM phone_numbers WHERE {where}"
                f" {order} LIMIT {limit}) AS of_{letters(place)}_{code}_{nth}"
            )
    sql = f"SELECT * FROM ({' UNION ALL '.join(branches)}) AS found {order} LIMIT {limit}"
    return Statement(sql, parameters)


def walked(wanted: NumberFilter, reach: ProjectReach, after: int | None, limit: int) -> Statement:
    """Return a page by id that walks down the ids, or down the index of a provider or an area."""
    where, parameters = scan(wanted, reach)
    if after is not None:
        where += " AND id < :after"
        parameters["after"] = after
    return Statement(f"SELECT {FIELDS} FROM phone_numbers WHERE {where} ORDER BY id DESC LIMIT {limit}", parameters)


def by_prefix(wanted: NumberFilter, reach: ProjectReach, after: tuple[int, int] | None, limit: int) -> Statement:
    """Return a page of the numbers that begin so, ascending, one branch for each length of number."""
    prefix = wanted.phone or ""
    where, parameters = scan(NumberFilter(status=wanted.status), reach)
    found = plain(wanted)
    found.narrow("project_id = CAST(:project_id AS bigint)", project_id=wanted.project_id)
    if after is not None:
        pair = "(phone, project_id) > (:after_phone, CAST(:after_project AS bigint))"
        found.narrow(pair, after_phone=after[0], after_project=after[1])
    parameters |= found.parameters
    rest = " AND ".join([where.replace("project_id IN", "+project_id IN", 1), *found.parts])
    branches = [
        f"SELECT * FROM (SELECT {FIELDS} FROM phone_numbers WHERE phone >= {low} AND phone < {high} AND {rest}"
        f" ORDER BY phone, project_id LIMIT {limit}) AS of_{letters(place)}"
        for place, (low, high) in enumerate(spans(prefix))
        if after is None or high > after[0]
    ]
    sql = f"SELECT * FROM ({' UNION ALL '.join(branches)}) AS found ORDER BY phone, project_id LIMIT {limit}"
    return Statement(sql, parameters)


def letters(place: int) -> str:
    """Return a place as letters, for names of parameters."""
    return chr(ord("a") + place // 26) + chr(ord("a") + place % 26)
