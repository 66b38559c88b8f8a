"""Phone numbers inside one transaction: sets of them by one statement, on either store."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.mapping import load, to_json
from opora.adapters.sql.numbers.claims import (
    CLAIM_POSTGRES,
    CLAIM_SQLITE,
    DUE,
    HEAD,
    IN_PROGRESS,
    OVERDUE,
    SKIP,
    ClaimMarks,
    claimed,
    ground_sql,
)
from opora.adapters.sql.numbers.conditions import scan
from opora.adapters.sql.numbers.projects import PROJECT, WINDOW
from opora.adapters.sql.numbers.reach import visible
from opora.adapters.sql.numbers.rows import (
    CHANGING,
    FIELDS,
    KINDS,
    STATUSES,
    changes_of,
    number_of,
    numbers_of,
    recordset,
    written,
)
from opora.adapters.sql.numbers.tally import SqlNumberTally
from opora.core.kernel.errors import Stale
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProject, NoSuchProvider
from opora.core.numbers.model.numbers import (
    FIRST,
    STATUS_CODES,
    NewNumber,
    NumberFilter,
    NumberStatus,
    PhoneNumber,
)
from opora.core.numbers.model.projects import Project, ProjectReach
from opora.core.numbers.model.schedules import CallingWindow
from opora.core.numbers.ports.numbers import Added, ClaimGround, ClaimTerms, NumberRepository, Placement

ADD = """
INSERT INTO phone_numbers
 (id, phone, created_at, updated_at, next_call_at, project_id, status, zone_set, attempts, provider_id, geo_id)
SELECT id, phone, :now, :now, :first, :project_id, 0, zone_set, 0, provider_id, geo_id FROM ({items}) AS added
WHERE true ORDER BY phone, id ON CONFLICT (phone, project_id) DO NOTHING RETURNING id
"""
ITEM = {"id": "bigint", "phone": "bigint", "zone_set": "smallint", "provider_id": "integer", "geo_id": "integer"}
SUPPRESSED = "SELECT DISTINCT phone FROM suppressions WHERE project_id IN (0, :project_id) AND phone IN "
SAVE = f"""
UPDATE phone_numbers SET {", ".join(f"{name} = :{name}" for name in CHANGING)}
WHERE id = :id AND project_id = :project_id AND status = :previous_status AND attempts = :previous_attempts
"""
BROKEN = {
    "fk_phone_numbers_project_id": NoSuchProject,
    "fk_phone_numbers_provider_id": NoSuchProvider,
    "fk_phone_numbers_geo_id": NoSuchGeo,
}
"""The refusal that stands behind each reference of a number."""


class SqlNumberRepository(NumberRepository):
    """Numbers inside one transaction; what moves is counted in the same."""

    def __init__(self, connection: Connection, marks: ClaimMarks | None = None) -> None:
        """`marks` are those of the process; without them every claim begins at the head."""
        self._connection = connection
        self._marks = marks or ClaimMarks(fresh_s=0)
        self._tally = SqlNumberTally(connection)
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_ids(self, count: int) -> Sequence[int]:
        return sorted(await self._connection.next_ids("phone_numbers", count))

    async def add(self, project_id: int, numbers: Sequence[NewNumber], now: datetime) -> Added:
        ids = await self.next_ids(len(numbers))
        indexes = {id: number.index for id, number in zip(ids, numbers, strict=True)}
        items = [
            {
                "id": id,
                "phone": one.phone,
                "zone_set": one.zone_set,
                "provider_id": one.provider_id,
                "geo_id": one.geo_id,
            }
            for id, one in zip(ids, numbers, strict=True)
        ]
        sql = ADD.format(items=recordset("items", ITEM, self._connection.dialect))
        try:
            rows = await self._connection.fetch(sql, items=to_json(items), project_id=project_id, now=now, first=FIRST)
        except ConstraintBroken as broken:
            raise BROKEN.get(broken.constraint, Stale)() from broken
        await self._tally.change(project_id, {NumberStatus.NEW: len(rows)})
        return Added({indexes[row["id"]]: row["id"] for row in rows})

    async def suppressed(self, project_id: int, phones: Sequence[int]) -> frozenset[int]:
        sql = SUPPRESSED + self._connection.listed("phones")
        rows = await self._connection.fetch(sql, project_id=project_id, phones=to_json(list(phones)))
        return frozenset(row["phone"] for row in rows)

    async def get(self, id: int, reach: ProjectReach) -> PhoneNumber | None:
        projects, parameters = visible(reach)
        sql = f"SELECT {FIELDS} FROM phone_numbers WHERE id = :id AND project_id IN ({projects}){self._lock}"
        row = await self._connection.fetch_one(sql, id=id, **parameters)
        return number_of(row) if row else None

    async def several(self, ids: Sequence[int], reach: ProjectReach) -> Sequence[PhoneNumber]:
        projects, parameters = visible(reach)
        listed = self._connection.listed("ids")
        sql = f"""SELECT {FIELDS} FROM phone_numbers WHERE id IN {listed} AND project_id IN ({projects})
 ORDER BY id{self._lock}"""
        return numbers_of(await self._connection.fetch(sql, ids=to_json(list(ids)), **parameters))

    async def save(self, number: PhoneNumber, previous: PhoneNumber) -> None:
        try:
            saved = await self._connection.execute(
                SAVE,
                **changes_of(number),
                id=number.id,
                project_id=number.project_id,
                previous_status=STATUS_CODES[previous.status],
                previous_attempts=previous.attempts,
            )
        except ConstraintBroken as broken:
            raise BROKEN.get(broken.constraint, Stale)() from broken
        if not saved:
            raise Stale(number_id=number.id)
        await self._count([(number, previous)])

    async def save_all(self, changes: Sequence[tuple[PhoneNumber, PhoneNumber]]) -> None:
        if not changes:
            return
        rows = [
            {
                **changes_of(number),
                "id": number.id,
                "project_id": number.project_id,
                "previous_status": STATUS_CODES[previous.status],
                "previous_attempts": previous.attempts,
            }
            for number, previous in changes
        ]
        saved = await self._connection.execute(save_all_sql(self._connection.dialect), items=written(rows))
        if saved != len(changes):
            raise Stale
        await self._count(changes)

    async def _count(self, changes: Sequence[tuple[PhoneNumber, PhoneNumber]]) -> None:
        sums: defaultdict[int, Counter[NumberStatus]] = defaultdict(Counter)
        for number, previous in changes:
            sums[number.project_id][previous.status] -= 1
            sums[number.project_id][number.status] += 1
        for project_id, changed in sorted(sums.items()):
            await self._tally.change(project_id, changed)

    async def ground(self, project_id: int, reach: ProjectReach) -> ClaimGround | None:
        projects, parameters = visible(reach)
        sql = ground_sql(self._connection.dialect, ", ".join(PROJECT), ", ".join(WINDOW), projects)
        row = await self._connection.fetch_one(sql, project_id=project_id, **parameters)
        if row is None:
            return None
        windows = [dict(zip(WINDOW, values, strict=True)) for values in msgspec.json.decode(row["windows"])]
        waiting = sorted((id, msgspec.json.decode(zones)) for id, zones in msgspec.json.decode(row["waiting"]))
        return ClaimGround(
            load(Project, row),
            msgspec.convert(windows, list[CallingWindow], strict=False),
            {id: tuple(zones) for id, zones in waiting},
        )

    async def claim(self, project_id: int, terms: ClaimTerms, limit: int) -> Sequence[PhoneNumber]:
        if self._connection.dialect == "postgresql":
            return await self._claimed_at_once(project_id, terms, limit)
        return await self._claimed_by_steps(project_id, terms, limit)

    async def _claimed_at_once(self, project_id: int, terms: ClaimTerms, limit: int) -> Sequence[PhoneNumber]:
        """Claim by one statement from where this process came last, and from the head where that is not enough."""
        found: list[PhoneNumber] = []
        places = self._marks.of(project_id, terms.zone_sets)
        while True:
            rows = await self._connection.fetch(
                CLAIM_POSTGRES.replace(":limit", str(limit - len(found))),
                project_id=project_id,
                zone_sets=list(terms.zone_sets),
                ats=[at for at, _ in places],
                ids=[id for _, id in places],
                now=terms.now,
                attempts_max=terms.attempts_max,
                lease_until=terms.lease_until,
            )
            numbers = claimed(rows, project_id, terms)
            self._marks.move(project_id, dict(zip(terms.zone_sets, places, strict=True)), numbers)
            found += numbers
            heads = [HEAD] * len(places)
            if len(found) == limit or places == heads:
                return found
            places = heads

    async def _claimed_by_steps(self, project_id: int, terms: ClaimTerms, limit: int) -> Sequence[PhoneNumber]:
        """Claim by several statements, which cost no exchange where the store is in this process."""
        found: list[PhoneNumber] = []
        before: Counter[NumberStatus] = Counter()
        for zone_set in terms.zone_sets:
            due = {
                "project_id": project_id,
                "zone_set": zone_set,
                "now": terms.now,
                "attempts_max": terms.attempts_max,
                "limit": limit - len(found),
            }
            taken = await self._take(due, terms.lease_until)
            found += numbers_of([row for row, _ in taken])
            before.update(STATUSES[previous] for _, previous in taken)
            if len(found) == limit:
                break
        before[NumberStatus.IN_PROGRESS] = -len(found)
        await self._tally.change(project_id, {status: -number for status, number in before.items()})
        return found

    async def _take(self, due: dict[str, Any], lease_until: datetime) -> Sequence[tuple[Row, int]]:
        """Claim what is due in one set of zones; returns the rows with their status before."""
        before = {row["id"]: row["status"] for row in await self._connection.fetch(DUE, **due)}
        rows = await self._connection.fetch(
            CLAIM_SQLITE, ids=to_json(list(before)), now=due["now"], lease_until=lease_until
        )
        return [(row, before[row["id"]]) for row in rows]

    async def in_progress(self, project_id: int, counted_max: int) -> int:
        return int(await self._connection.fetch_value(IN_PROGRESS, project_id=project_id, counted=counted_max))

    async def overdue(self, now: datetime, limit: int) -> Sequence[PhoneNumber]:
        return numbers_of(await self._connection.fetch(OVERDUE + SKIP[self._connection.dialect], now=now, limit=limit))

    async def matching(self, wanted: NumberFilter, reach: ProjectReach, limit: int) -> Sequence[int]:
        where, parameters = scan(wanted, reach)
        sql = f"SELECT id FROM phone_numbers WHERE {where} ORDER BY id DESC LIMIT :limit"
        return [row["id"] for row in await self._connection.fetch(sql, **parameters, limit=limit)]

    async def placements(self, after: int, geo_id: int | None, limit: int) -> Sequence[Placement]:
        area = "" if geo_id is None else " AND geo_id = CAST(:geo_id AS bigint)"
        found = {} if geo_id is None else {"geo_id": geo_id}
        sql = f"""SELECT id, phone, geo_id, zone_set FROM phone_numbers WHERE id > :after{area}
 ORDER BY id LIMIT :limit{self._lock}"""
        rows = await self._connection.fetch(sql, after=after, limit=limit, **found)
        return [Placement(row["id"], row["phone"], row["geo_id"], row["zone_set"]) for row in rows]

    async def set_zones(self, zone_sets: Mapping[int, int]) -> None:
        by_set: defaultdict[int, list[int]] = defaultdict(list)
        for id, zone_set in zone_sets.items():
            by_set[zone_set].append(id)
        for zone_set, ids in sorted(by_set.items()):
            sql = f"UPDATE phone_numbers SET zone_set = :zone_set WHERE id IN {self._connection.listed('ids')}"
            await self._connection.execute(sql, zone_set=zone_set, ids=to_json(ids))

    async def by_phone(self, phone: int, reach: ProjectReach) -> Sequence[PhoneNumber]:
        projects, parameters = visible(reach)
        sql = f"""SELECT {FIELDS} FROM phone_numbers WHERE phone = :phone AND project_id IN ({projects})
 ORDER BY id{self._lock}"""
        return numbers_of(await self._connection.fetch(sql, phone=phone, **parameters))

    async def called(self, ids: Sequence[int], phones: Sequence[int], reach: ProjectReach) -> Sequence[PhoneNumber]:
        projects, parameters = visible(reach)
        listed = self._connection.listed
        sql = f"""SELECT {FIELDS} FROM phone_numbers WHERE id IN (
 SELECT id FROM phone_numbers WHERE id IN {listed("ids")}
 UNION SELECT id FROM phone_numbers WHERE phone IN {listed("phones")})
 AND project_id IN ({projects}) ORDER BY id{self._lock}"""
        told = {"ids": to_json(list(ids)), "phones": to_json(list(phones))}
        return numbers_of(await self._connection.fetch(sql, **told, **parameters))


def save_all_sql(dialect: str) -> str:
    """Write the statement that changes many numbers at once."""
    kinds = {name: KINDS.get(name, "timestamptz") for name in CHANGING}
    kinds |= {
        "id": "bigint",
        "project_id": "integer",
        "previous_status": "smallint",
        "previous_attempts": "smallint",
    }
    items = recordset("items", kinds, dialect)
    changed = ", ".join(f"{name} = changed.{name}" for name in CHANGING)
    return f"""
UPDATE phone_numbers SET {changed} FROM ({items}) AS changed
WHERE phone_numbers.id = changed.id AND phone_numbers.project_id = changed.project_id
 AND phone_numbers.status = changed.previous_status AND phone_numbers.attempts = changed.previous_attempts
"""
