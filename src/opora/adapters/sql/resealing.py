"""Sealed columns brought under the newest key, row by row, while everything else goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opora.adapters.sql import profiles
from opora.adapters.sql.connection import Database, Row
from opora.adapters.sql.notifications import notices, places
from opora.adapters.sql.seals import Seal

AT_ONCE = 500

type Progress = Callable[[int, int], None]
"""Told how many rows were looked at, of how many."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that is sealed: under the keys of which purpose, and for which place each row's is."""

    table: str
    key: str
    column: str
    purpose: str
    place: Callable[[Any], str]


COLUMNS = (
    SealedColumn("signing_keys", "id", "private_sealed", "signing-keys", str),
    SealedColumn("second_factors", "user_id", "sealed", "second-factors", "second_factors/{}".format),
    SealedColumn("notices", "id", "secret_sealed", "rows", notices.place),
    SealedColumn("webhook_endpoints", "id", "secret_sealed", "rows", places.place),
)
"""Kept answers are sealed too, and let be: they are forgotten within a day."""
PROFILES = SealedColumn("profiles", "id", "payload", "rows", profiles.place)
PURPOSES = frozenset(one.purpose for one in COLUMNS)


@dataclass(slots=True)
class Sealing:
    """How the rows of one column stand: sealed as they should be, changed or to be changed, and opened by no key."""

    newest: int = 0
    changed: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Reseal:
    """Walks every sealed column; with `changes` what is sealed under an older key is sealed anew.

    `broken` is what a seal raises where no key opens.
    Profiles are sealed, or opened, as `seal_profiles` says. A row that somebody changes meanwhile keeps that change.
    """

    database: Database
    seals: Mapping[str, Seal]
    broken: type[Exception]
    seal_profiles: bool
    changes: bool

    async def __call__(self, progress: Progress) -> Mapping[str, Sealing]:
        """Return how the rows of each table stood."""
        total = 0
        for one in (*COLUMNS, PROFILES):
            total += await self.database.read.fetch_value(f"SELECT count({one.column}) FROM {one.table}")
        found, done = {}, 0
        for column in (*COLUMNS, PROFILES):
            found[column.table] = sealing = Sealing()
            after: object = None
            while rows := await self._page(column, after):
                for row in rows:
                    await self._one(column, row, sealing)
                done, after = done + len(rows), rows[-1]["key"]
                progress(done, max(done, total))
        return found

    async def _page(self, column: SealedColumn, after: object) -> list[Row]:
        further = "" if after is None else f" AND {column.key} > :after"
        return await self.database.read.fetch(
            f"SELECT {column.key} AS key, {column.column} AS held FROM {column.table}"
            f" WHERE {column.column} IS NOT NULL{further} ORDER BY {column.key} LIMIT {AT_ONCE}",
            **({} if after is None else {"after": after}),
        )

    async def _one(self, column: SealedColumn, row: Row, sealing: Sealing) -> None:
        try:
            values = self._profile(row) if column is PROFILES else self._sealed(column, row)
        except (self.broken, ValueError):  # the latter of a text that is no base64
            sealing.unreadable += 1
            return
        if not values:
            sealing.newest += 1
            return
        sealing.changed += 1
        if self.changes:
            named = ", ".join(f"{name} = :{name}" for name in values)
            await self.database.read.execute(
                f"UPDATE {column.table} SET {named} WHERE {column.key} = :key AND {column.column} = :held",
                **values,
                key=row["key"],
                held=row["held"],
            )

    def _sealed(self, column: SealedColumn, row: Row) -> Mapping[str, object]:
        seal, place, held = self.seals[column.purpose], column.place(row["key"]), bytes(row["held"])
        if seal.is_newest(held, place):
            return {}
        return {column.column: seal.seal(seal.open(held, place), place)}

    def _profile(self, row: Row) -> Mapping[str, object]:
        seal, id, held = self.seals[PROFILES.purpose], row["key"], str(row["held"])
        text = profiles.opened(seal, id, held).decode()
        if not self.seal_profiles:
            return {} if text == held else {"payload": text}
        if text != held and seal.is_newest(profiles.unwrapped(held), profiles.place(id)):
            return {}
        return {"payload": profiles.sealed(seal, id, text), **profiles.UNMADE}
