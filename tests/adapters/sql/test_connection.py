"""SQL text for two stores, rows to things and back, and drivers' errors in our words."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.adapters.sql import postgres, sqlite
from opora.adapters.sql.connection import Database, numbered
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.kernel.errors import DatabaseUnavailable

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))


def test_names_become_numbers_in_order_and_a_repeated_one_keeps_its_own() -> None:
    assert numbered("SELECT :b, :a, :b") == ("SELECT $1, $2, $1", ("b", "a"))


def test_what_stands_in_quotes_or_is_a_cast_is_no_parameter() -> None:
    assert numbered("SELECT ':a', 'it''s :b', x::text, :c") == ("SELECT ':a', 'it''s :b', x::text, $1", ("c",))


@given(INSTANTS, INSTANTS)
def test_instants_as_text_sort_as_time_does(one: datetime, other: datetime) -> None:
    assert (sqlite.instant_text(one) < sqlite.instant_text(other)) == (one < other)
    assert len(sqlite.instant_text(one)) == 27


def test_an_instant_is_kept_in_utc_and_other_values_in_the_form_of_their_column() -> None:
    moscow = datetime(2030, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    assert sqlite.bound(moscow) == "2030-01-01T00:00:00.000000Z"
    assert sqlite.bound(UUID(int=7)) == str(UUID(int=7))
    assert sqlite.bound(date(2030, 1, 2)) == "2030-01-02"
    assert [sqlite.bound(value) for value in (None, 1, True, "a", b"b")] == [None, 1, True, "a", b"b"]


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Part:
    name: str


@dataclass(frozen=True, slots=True)
class Thing:
    id: UUID
    colour: Colour
    at: datetime
    on: date | None
    parts: tuple[Part, ...]
    words: frozenset[str]
    extra: dict[str, int] | None
    ready: bool


THING = Thing(
    uuid4(), Colour.RED, datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC), date(2030, 1, 2), (Part("a"),),
    frozenset({"z", "b"}), {"n": 1}, True,
)  # fmt: skip
TABLE = """
CREATE TABLE things (id {uuid}, colour text, at {instant}, "on" date, parts text, words text, extra text,
 ready boolean)
"""


@pytest.mark.anyio
async def test_a_thing_comes_back_as_it_went_in(database: Database) -> None:
    on_postgres = database.dialect == "postgresql"
    kinds = {"uuid": "uuid", "instant": "timestamptz"} if on_postgres else {"uuid": "text", "instant": "text"}
    await database.read.execute(TABLE.format(**kinds))
    names = tuple('"on"' if name == "on" else name for name in columns(THING))
    await database.read.execute(insertion("things", names).replace(':"on"', ":on"), **columns(THING))
    row = await database.read.fetch_one("SELECT * FROM things")
    assert row is not None
    assert load(Thing, row) == THING


def test_equal_sets_are_equal_text() -> None:
    assert columns(THING)["words"] == '["b","z"]'
    assert columns(THING)["parts"] == '[{"name":"a"}]'


@pytest.mark.anyio
async def test_a_broken_constraint_is_named_on_both_stores(database: Database) -> None:
    sql = "INSERT INTO audit_seal (id, seal_number, seal_hash) VALUES (1, 0, :hash)"
    with pytest.raises(ConstraintBroken) as refusal:
        await database.read.execute(sql, hash=b"")
    assert refusal.value.constraint in {"audit_seal_pkey", "pk_audit_seal", "audit_seal.id"}


@pytest.mark.anyio
async def test_ids_are_handed_out_once_in_order(database: Database) -> None:
    first, block = await database.read.next_id("audit_log"), list(await database.read.next_ids("audit_log", 5))
    assert block == list(range(first + 1, first + 6))


@pytest.mark.anyio
async def test_a_list_is_one_parameter(database: Database) -> None:
    read = database.read
    found = await read.fetch_value(f"SELECT count(*) FROM audit_seal WHERE id IN {read.listed('ids')}", ids="[1, 2]")
    assert found == 1


@pytest.mark.anyio
async def test_the_stores_clock_is_one_within_a_statement_and_later_is_after_it(database: Database) -> None:
    (row,) = await database.read.fetch("SELECT now() AS a, later(CAST(:s AS double precision)) AS b", s=60.0)
    at = [value if isinstance(value, datetime) else datetime.fromisoformat(value) for value in row]
    assert at[1] - at[0] >= timedelta(seconds=59)


@pytest.mark.anyio
async def test_many_rows_in_a_transaction_are_kept_whole_or_not_at_all(database: Database) -> None:
    rows = [{"id": number, "hash": b""} for number in (2, 3, 1)]
    with pytest.raises(ConstraintBroken):
        sql = "INSERT INTO audit_seal (id, seal_number, seal_hash) VALUES (:id, 0, :hash)"
        await database.read.execute_many(sql, rows)
    assert await database.read.fetch_value("SELECT count(*) FROM audit_seal") == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionResetError(), DatabaseUnavailable),
        (TimeoutError(), DatabaseUnavailable),
        (asyncpg.ConnectionDoesNotExistError(), DatabaseUnavailable),
        (asyncpg.InterfaceError("connection is closed"), DatabaseUnavailable),
        (asyncpg.AdminShutdownError(), DatabaseUnavailable),
        (asyncpg.CannotConnectNowError(), DatabaseUnavailable),
        (asyncpg.TooManyConnectionsError(), DatabaseUnavailable),
        (asyncpg.DiskFullError(), DatabaseUnavailable),
        (asyncpg.DeadlockDetectedError(), DatabaseUnavailable),
        (asyncpg.SerializationError(), DatabaseUnavailable),
        (asyncpg.UniqueViolationError(), ConstraintBroken),
        (asyncpg.PostgresSyntaxError(), asyncpg.PostgresSyntaxError),
    ],
)
def test_postgresqls_errors_are_told_in_words_of_ours_or_stay(error: Exception, kind: type[Exception]) -> None:
    assert type(postgres.translated(error)) is kind


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, DatabaseUnavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseUnavailable),
        (sqlite3.SQLITE_FULL, DatabaseUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, DatabaseUnavailable),
        (sqlite3.SQLITE_CANTOPEN, DatabaseUnavailable),
        (sqlite3.SQLITE_READONLY, sqlite.WritesOnReader),
        (sqlite3.SQLITE_ERROR, sqlite3.OperationalError),
    ],
)
def test_sqlites_errors_are_told_in_words_of_ours_or_stay(code: int, kind: type[Exception]) -> None:
    assert type(sqlite.translated(sqlite_error(code))) is kind


def test_the_row_count_is_read_from_a_command_tag() -> None:
    assert [postgres.affected(tag) for tag in ("UPDATE 3", "INSERT 0 1", "BEGIN", "")] == [3, 1, 0, 0]
