"""Sealed columns are brought under the newest key on both stores, and what no key opens is left and counted."""

from uuid import UUID

import pytest

from opora.adapters.crypto.sealing import AesSeal, SealBroken
from opora.adapters.sql.connection import Database
from opora.adapters.sql.resealing import AT_ONCE, PURPOSES, Reseal, Sealing

pytestmark = pytest.mark.anyio
OLD, NEW, LOST = bytes(32), b"n" * 32, b"l" * 32
NOTICE = UUID("018f0000-0000-7000-8000-000000000001")


async def endpoint(database: Database, id: int, key: bytes, place: str | None = None) -> None:
    """Keep an endpoint's secret under a key."""
    await database.read.execute(
        "INSERT INTO webhook_endpoints (id, user_id, url, kinds, secret_sealed, is_active, created_at)"
        " VALUES (:id, 1, 'https://example.org', '[]', :sealed, true, now())",
        id=id,
        sealed=AesSeal(key).seal(b"whsec", place or f"webhook_endpoint:{id}"),
    )


def reseal(database: Database, *ring: bytes, changes: bool = True) -> Reseal:
    return Reseal(database, dict.fromkeys(PURPOSES, AesSeal(*ring)), SealBroken, seal_profiles=False, changes=changes)


async def test_what_older_keys_sealed_is_sealed_anew_and_the_rest_is_let_be(database: Database) -> None:
    for id, key in enumerate((OLD, NEW, LOST), start=1):
        await endpoint(database, id, key)
    await endpoint(database, 4, OLD, "webhook_endpoint:1")
    await database.read.execute(
        "INSERT INTO notices (id, kind, locale, data, secret_sealed, about, state, fire_at, created_at)"
        " VALUES (:id, 'k', 'ru', '{}', :sealed, '', 'waiting', now(), now())",
        id=NOTICE,
        sealed=AesSeal(OLD).seal(b"{}", f"notice:{NOTICE}"),
    )
    stands = {"webhook_endpoints": Sealing(1, 1, 2), "notices": Sealing(0, 1, 0)}
    seen: list[tuple[int, int]] = []
    planned = await reseal(database, NEW, OLD, changes=False)(lambda done, total: seen.append((done, total)))
    assert {table: planned[table] for table in stands} == stands
    assert seen[-1] == (5, 5)
    done = await reseal(database, NEW, OLD)(lambda _done, _total: None)
    assert {table: done[table] for table in stands} == stands
    alone = await reseal(database, NEW)(lambda _done, _total: None)
    assert {table: alone[table] for table in stands} == {
        "webhook_endpoints": Sealing(2, 0, 2),
        "notices": Sealing(1, 0, 0),
    }


async def test_every_row_is_walked_past_a_page(sqlite_database: Database) -> None:
    seal = AesSeal(OLD)
    await sqlite_database.read.execute_many(
        "INSERT INTO webhook_endpoints (id, user_id, url, kinds, secret_sealed, is_active, created_at)"
        " VALUES (:id, 1, 'https://example.org', '[]', :sealed, true, now())",
        [{"id": id, "sealed": seal.seal(b"whsec", f"webhook_endpoint:{id}")} for id in range(1, AT_ONCE + 3)],
    )
    done = await reseal(sqlite_database, NEW, OLD)(lambda _done, _total: None)
    assert done["webhook_endpoints"] == Sealing(0, AT_ONCE + 2, 0)
