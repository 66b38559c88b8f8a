"""A campaign over a real store: its use cases, a clock that is turned by hand, and few words for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from opora.adapters.sql.connection import Database
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.numbers.registry import SqlNumberingRegistry
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import SYSTEM, Actor
from opora.core.kernel.ports import Clock
from opora.core.numbers.model.calls import CallEvent, CallEventType
from opora.core.numbers.model.numbers import CallingPolicy, GivenNumber, PhoneNumber
from opora.core.numbers.model.projects import EVERY_PROJECT, ZoneMode
from opora.core.numbers.rules.phones import PhonePolicy
from opora.core.numbers.usecases.adding import AddNumber
from opora.core.numbers.usecases.calls import ReceiveCallEvent, ReceiveCallEvents
from opora.core.numbers.usecases.claims import ClaimNumbers
from opora.core.numbers.usecases.projects import CreateProject, SetSchedule
from opora.testing.numbers import NOON

PHONE = 79161234567


class TurnedClock(Clock):
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Desk:
    """The use cases of campaigns over one store, and few words for them."""

    unit: SqlUnitOfWork
    database: Database
    clock: TurnedClock
    numbers = count(PHONE)
    events = count(1)
    policy = CallingPolicy()

    def __post_init__(self) -> None:
        self.registry = SqlNumberingRegistry(self.database, monotonic=lambda: float(next(self.events)) * 100)
        self.receive = ReceiveCallEvent(ReceiveCallEvents(self.unit, self.clock, self.policy))
        self.claim = ClaimNumbers(self.unit, self.clock, self.policy)

    async def project(self, **fields: object) -> int:
        """Make a project that may call at any time."""
        made = await CreateProject(self.unit, self.clock)(
            SYSTEM, {"name": "a", "zone_mode": ZoneMode.PROJECT, "timezone": "UTC", **fields}
        )
        await SetSchedule(self.unit, self.clock)(SYSTEM, made.id, [(day, "00:00", "24:00", True) for day in range(7)])
        return made.id

    async def number(self, project_id: int, **more: int) -> PhoneNumber:
        """Add a number."""
        given = GivenNumber(phone_number=f"+{next(self.numbers)}", project_id=project_id, **more)
        return await AddNumber(self.unit, self.registry, self.clock, PhonePolicy())(SYSTEM, given)

    async def read(self, number: PhoneNumber) -> PhoneNumber:
        """Return a number as it stands."""
        found = await SqlNumberViews(self.database.read).one(number.id, EVERY_PROJECT)
        assert found is not None
        return found

    async def tell(self, number: PhoneNumber, type: CallEventType, call_id: str, **more: object) -> bool:
        """Tell of a call of now."""
        event = CallEvent(
            event_id=f"e{next(self.events)}",
            call_id=call_id,
            type=type,
            phone=number.phone,
            occurred_at=self.clock.at,
            **more,  # type: ignore[arg-type]
        )
        return await self.receive(Actor(), event)

    async def run(self, use_case: object, **payload: object) -> Mapping[str, object]:
        """Run a job and return how it ended."""
        async with self.unit() as tx:
            await tx.jobs.add(NewJob(kind="test", payload=payload))
        leases = SqlJobLeases(self.database, TimeOrderedIdentifiers(), SystemRandomness(), self.clock)
        (claim,) = await leases.claim(["test"], 1, 30)
        assert isinstance(claim, Claim)
        await use_case(claim)  # type: ignore[operator]
        async with self.unit() as tx:
            job = await tx.jobs.get(claim.id)
        assert job is not None and job.result is not None
        return job.result
