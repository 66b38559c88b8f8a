"""Bookings, moves, series, cancellations and a waitlist at once in two hot diaries: none fails, nothing overlaps."""

import asyncio
import random
from datetime import timedelta

import pytest

from contracts.test_bookings import OVERLAPS
from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STRANGER, office_hours
from core.bookings.salon import Salon
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.bookings.model.appointments import Wish
from opora.core.bookings.model.series import Extent, OnConflict
from opora.core.kernel.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.anyio

ACTORS, STEPS = 16, 6
TEN = NOW + DAY + HOUR


async def storm(salon: Salon, seed: int) -> None:
    """Take random steps; every refusal is one that a client can be told."""
    chance = random.Random(seed)  # noqa: S311  # a storm, not a secret
    actor = chance.choice((CLIENT, STRANGER, ADMIN))
    mine: list[int] = []
    for _ in range(STEPS):
        at = TEN + chance.randrange(4) * HOUR / 2 + chance.randrange(2) * DAY
        step = chance.choice(("book", "hold", "series", "move", "move", "cancel", "wait"))
        try:
            if step == "book":
                mine.append((await salon.booked(actor, at, client_id=actor.user_id)).id)
            elif step == "hold":
                await salon.hold(actor, Wish(service_id=1, starts_at=at))
            elif step == "series":
                wish = Wish(service_id=1, starts_at=at, client_id=actor.user_id)
                made = await salon.book_series(actor, wish, "FREQ=DAILY;COUNT=3", OnConflict.SKIP)
                mine += [one.id for one in made.appointments]
            elif step == "wait":
                await salon.join(actor, 1, at, at + timedelta(hours=chance.randrange(1, 5)))
            elif mine and step == "move":
                staff_id = chance.choice((None, 10, 11))
                await salon.move(ADMIN, chance.choice(mine), at, staff_id, chance.choice(list(Extent)))
            elif mine:
                await salon.cancel(ADMIN, chance.choice(mine), None, chance.choice(list(Extent)))
        except (Conflict, Invalid, NotFound):
            continue  # taken, spent, stale: an answer


async def test_many_at_once_in_hot_diaries_neither_overlap_nor_wait_for_each_other(
    unit: SqlUnitOfWork, database: Database
) -> None:
    salon = Salon(unit, database)
    await salon.open(office_hours(10), office_hours(11), staff_ids=(10, 11), step_min=30)
    await asyncio.gather(*(storm(salon, seed) for seed in range(ACTORS)))
    assert await database.read.fetch_value(OVERLAPS) == 0
    empty = (
        "SELECT count(*) FROM engagements e WHERE NOT EXISTS (SELECT 1 FROM appointments WHERE engagement_id = e.id)"
    )
    assert await database.read.fetch_value(empty) == 0
