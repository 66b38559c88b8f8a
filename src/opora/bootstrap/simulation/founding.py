"""The people, plans, services, numbers and tables of moves that every town begins with."""

import asyncio
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dishka import AsyncContainer, Scope

from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.simulation.chance import SeededIdentifiers, SeededRandomness
from opora.bootstrap.simulation.clock import BEGINNING, SkewedClock
from opora.bootstrap.simulation.composition import Surroundings
from opora.bootstrap.simulation.districts.district import ADMIN, CLIENTS, STAFF
from opora.bootstrap.simulation.districts.numbers import COUNT, FIRST_PHONE
from opora.bootstrap.simulation.outside import Pen, Post, Shelf, Till, Weather
from opora.bootstrap.simulation.program import Messenger
from opora.core.access.model.people import User
from opora.core.access.model.scopes import Role
from opora.core.billing.model.ledger import ADJUSTMENTS, Transfer, between, of_person
from opora.core.billing.model.plans import FREE, Limit, Period
from opora.core.billing.ports.plans import PlanViews
from opora.core.billing.usecases.publishing import PublishPlans
from opora.core.bookings.model.hours import Availability, WeeklyHours
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.usecases.hours import SetHours
from opora.core.bookings.usecases.offerings import AddOffering
from opora.core.kernel.model import Money
from opora.core.numbers.model.numbers import GivenNumber
from opora.core.numbers.usecases.adding import AddNumbers
from opora.core.numbers.usecases.projects import CreateProject, SetSchedule

STATES = {
    "payments": "status",
    "refunds": "status",
    "ledger_holds": "state",
    "subscriptions": "status",
    "generations": "status",
    "appointments": "status",
    "phone_numbers": "status",
    "documents": "status",
    "exports": "status",
    "deliveries": "state",
}
"""The column of states of each table whose moves are watched."""
SAVED_MINOR = 450_000
"""What each person has: enough for some months of a plan, and not for all that can be asked for."""
REQUESTS_MAX = 4
"""How many texts a month the free plan has: few enough to be spent within a seed."""
FOUNDED = 1 << 40
"""The names of what is there before a seed begins lie above those that a seed gives."""
MOVED = """
CREATE TRIGGER sim_moved_{table} AFTER UPDATE OF {column} ON {table} WHEN OLD.{column} <> NEW.{column} BEGIN
  INSERT INTO sim_moves (place, id, was, state) VALUES ('{table}', NEW.id, OLD.{column}, NEW.{column});
END;
"""


class Noon:
    """A clock that stands still until the seeds begin."""

    off_s = 0.0

    def __call__(self) -> object:
        return BEGINNING


def found(file: Path, root: AsyncContainer) -> None:
    """Let the town be settled by the use cases themselves, and its moves be written down from then on."""
    asyncio.run(_settle(file, root))
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        driver.executescript(
            "CREATE TABLE sim_moves (number INTEGER PRIMARY KEY, place TEXT, id TEXT, was ANY, state ANY);"
            + "".join(MOVED.format(table=table, column=column) for table, column in STATES.items())
        )


async def _settle(file: Path, root: AsyncContainer) -> None:
    database = SqliteDatabase(file, now=lambda: BEGINNING)
    await database.open()
    chance = random.Random(0)  # noqa: S311  # the same town for all seeds
    weather = Weather(chance)
    around = Surroundings(
        database,
        SkewedClock(Noon(), 0.0),  # type: ignore[arg-type]  # a clock of the store that needs no loop
        SeededIdentifiers(FOUNDED),
        SeededRandomness(chance),
        Quiet(chance),
        Till(weather),
        Pen(weather),
        Post(weather),
        Shelf(),
    )
    async with root(context={Surroundings: around}, scope=Scope.APP) as program:
        await _people(program)
        await _plans(program)
        await _salon(program)
        await _campaign(program)
    await database.read.execute("UPDATE outbox SET dispatched_at = now()")
    await database.close()


class Quiet(Messenger):
    """Tells nobody."""

    def announce(self, ids: object, kinds: object = ()) -> None:
        """Say nothing."""


async def _people(program: AsyncContainer) -> None:
    unit = await program.get(SqlUnitOfWork)
    async with unit() as tx:
        for id, role in {**dict.fromkeys(CLIENTS, Role.CLIENT), STAFF: Role.STAFF, 99: Role.ADMIN}.items():
            email = f"user{id}@example.org"
            await tx.users.add(
                User(
                    id=id,
                    email=email,
                    email_verified=True,
                    roles=frozenset({role}),
                    full_name=f"U{id}",
                    created_at=BEGINNING,
                )
            )
        for id in CLIENTS:
            postings = between(ADJUSTMENTS, of_person(id), Money(SAVED_MINOR, "RUB"))
            key = f"saved:{id}"
            await tx.ledger.post(Transfer(key=key, kind="saved", cause="town", postings=postings, at=BEGINNING))


async def _plans(program: AsyncContainer) -> None:
    plans = await (await program.get(PlanViews)).offered()
    tight = (Limit("generate.requests", Period.MONTH, REQUESTS_MAX), Limit("generate.tokens", Period.MONTH, 100_000))
    publish = await program.get(PublishPlans)
    await publish(ADMIN, [replace(one, limits=tight) if one.code == FREE else one for one in plans])


async def _salon(program: AsyncContainer) -> None:
    weekly = tuple(WeeklyHours(day, 0, 1440) for day in range(7))
    set_hours, add = await program.get(SetHours), await program.get(AddOffering)
    await set_hours(ADMIN, Availability(user_id=STAFF, timezone="UTC", weekly=weekly))
    offering = Offering(
        id=0, name="Hour", duration_min=60, step_min=30, price_minor=1_000, staff_ids=(STAFF,), created_at=BEGINNING
    )
    await add(ADMIN, offering)


async def _campaign(program: AsyncContainer) -> None:
    create, add = await program.get(CreateProject), await program.get(AddNumbers)
    project = await create(ADMIN, {"name": "Town"})
    given = [GivenNumber(phone_number=f"+{FIRST_PHONE + place}", project_id=project.id) for place in range(COUNT)]
    await add(ADMIN, given)
    hours = await program.get(SetSchedule)
    await hours(ADMIN, project.id, [(day, "00:00", "24:00", True) for day in range(7)])
