"""Versions of the API: which dates fit together, and changing them."""

from datetime import date

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.sql.versions import SqlVersionRegistry
from opora.adapters.system.clock import SystemClock
from opora.core.kernel.errors import NoSuchVersion, VersionInvalid
from opora.core.kernel.model import SYSTEM, ApiVersion, VersionStatus
from opora.core.kernel.rules import refuse_bad_version
from opora.core.kernel.usecases import ChangeVersion

pytestmark = pytest.mark.anyio

MAY, JUNE, JULY = date(2030, 5, 1), date(2030, 6, 1), date(2030, 7, 1)


@pytest.mark.parametrize(
    "row",
    [
        ApiVersion("v1", VersionStatus.BETA),
        ApiVersion("v1", VersionStatus.STABLE, MAY),
        ApiVersion("v1", VersionStatus.DEPRECATED, MAY, JUNE, JULY, "v2"),
        ApiVersion("v1", VersionStatus.DEPRECATED, MAY, MAY, MAY),
        ApiVersion("v1", VersionStatus.STABLE, None, JUNE),
    ],
)
async def test_dates_in_their_order_are_taken(row: ApiVersion) -> None:
    refuse_bad_version(row)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (ApiVersion("v1", VersionStatus.STABLE, MAY, None, JULY), "deprecated_on"),
        (ApiVersion("v1", VersionStatus.STABLE, MAY, JULY, JUNE), "sunset_on"),
        (ApiVersion("v1", VersionStatus.STABLE, JULY, JUNE), "deprecated_on"),
        (ApiVersion("v1", VersionStatus.DEPRECATED), "deprecated_on"),
        (ApiVersion("v1", VersionStatus.STABLE, successor="v1"), "successor"),
    ],
)
async def test_dates_out_of_order_are_named(row: ApiVersion, field: str) -> None:
    with pytest.raises(VersionInvalid) as refusal:
        refuse_bad_version(row)
    assert list(refusal.value.errors) == [field]


async def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(VersionInvalid) as refusal:
        refuse_bad_version(ApiVersion("v1", VersionStatus.DEPRECATED, JULY, JUNE, MAY, "v1"))
    assert set(refusal.value.errors) == {"deprecated_on", "sunset_on", "successor"}


async def test_a_change_is_kept_and_the_log_tells_what_it_changed(
    sqlite_unit: SqlUnitOfWork, sqlite_database: Database
) -> None:
    change = ChangeVersion(sqlite_unit, SystemClock())
    changes = {"status": VersionStatus.DEPRECATED, "deprecated_on": date(2031, 1, 1), "successor": "v2"}
    after = await change(SYSTEM, "v1", changes)
    assert list(await SqlVersionRegistry(sqlite_database).versions()) == [after]
    (row,) = await sqlite_database.read.fetch("SELECT action, entity_id, new_values FROM audit_log")
    assert (row["action"], row["entity_id"]) == ("version.changed", "v1")
    assert row["new_values"] == '{"status":"deprecated","deprecated_on":"2031-01-01","successor":"v2"}'


async def test_a_version_that_is_not_there_is_not_changed(sqlite_unit: SqlUnitOfWork) -> None:
    with pytest.raises(NoSuchVersion):
        await ChangeVersion(sqlite_unit, SystemClock())(SYSTEM, "v0", {})


async def test_a_change_that_breaks_a_rule_is_not_kept(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> None:
    before = await SqlVersionRegistry(sqlite_database).versions()
    with pytest.raises(VersionInvalid):
        await ChangeVersion(sqlite_unit, SystemClock())(SYSTEM, "v1", {"sunset_on": JULY})
    assert await SqlVersionRegistry(sqlite_database).versions() == before
