"""What a telephone tells of its calls, and what it is told of a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.numbers import NoSuchNumber
from opora.core.numbers.model.calls import Call, CallEvent
from opora.core.numbers.model.numbers import CallingPolicy, PhoneNumber
from opora.core.numbers.model.projects import EVERY_PROJECT, Project
from opora.core.numbers.ports.calls import CallViews
from opora.core.numbers.ports.numbers import NumberViews
from opora.core.numbers.ports.projects import ProjectViews
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import calls as rules
from opora.core.numbers.rules.phones import PhonePolicy, normalised
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.usecases.claims import settle
from opora.core.numbers.usecases.together import Together

MATCHES_MAX = 20
LAST_CALLS = 10
AT_ONCE = 100
"""How many events one transaction keeps."""
type Told = tuple[Actor, CallEvent]
"""An event and who tells of it."""


@dataclass(frozen=True, slots=True)
class ReceiveCallEvents:
    """Keep events of calls and bring their numbers to where all of them together have them, in one transaction."""

    unit: UnitOfWork[NumberTx]
    clock: Clock
    policy: CallingPolicy

    async def __call__(self, told: Sequence[Told]) -> Sequence[bool]:
        """Tell of each event whether it is new; a repeat changes nothing.

        An event of a number that no project holds is kept all the same.
        """
        now = self.clock.now()
        actors = {event.event_id: actor for actor, event in told}
        async with self.unit() as tx:
            events = await tx.calls.note([event for _, event in told], now)
            if events:
                numbers = await self._folded(tx, events, now)
                by = [(number, actors[event.event_id]) for number, event in numbers]
                await settle(tx, by, self.clock, self.policy)
        new = {event.event_id for event in events}
        return [is_first(new, event.event_id) for _, event in told]

    async def _folded(
        self, tx: NumberTx, events: Sequence[CallEvent], now: datetime
    ) -> Sequence[tuple[PhoneNumber, CallEvent]]:
        """Fold events into their calls; return the numbers called, locked, each with the last event of it."""
        calls = dict(await tx.calls.open(events, now))
        ids = sorted({call.number_id for call in calls.values() if call.number_id is not None})
        phones = sorted({call.phone for call in calls.values() if call.number_id is None})
        numbers = {one.id: one for one in await tx.numbers.called(ids, phones, EVERY_PROJECT)}
        about: dict[int, CallEvent] = {}
        for event in events:
            call = rules.folded(calls[event.call_id], event, now)
            number = number_of(call, event, numbers)
            if number is not None:
                call = replace(call, number_id=number.id, project_id=number.project_id)
                about[number.id] = event
            calls[event.call_id] = call
        await tx.calls.save(list(calls.values()))
        return [(numbers[id], about[id]) for id in sorted(about)]


def number_of(call: Call, event: CallEvent, numbers: Mapping[int, PhoneNumber]) -> PhoneNumber | None:
    """Return the number that a call is about: chosen at the first event that finds one."""
    if call.number_id is not None:
        return numbers.get(call.number_id)
    candidates = [one for one in numbers.values() if one.phone == call.phone]
    return rules.chosen([one for one in candidates if event.project_id in {None, one.project_id}])


def is_first(new: set[str], event_id: str) -> bool:
    """Tell whether an event is new, once of all that carry its id."""
    was_new = event_id in new
    new.discard(event_id)
    return was_new


class ReceiveCallEvent:
    """Keep an event of a call. Events that arrive while others are being kept are kept by one transaction after it."""

    def __init__(self, receive: ReceiveCallEvents) -> None:
        self.clock = receive.clock
        self._together = Together(receive, AT_ONCE)

    async def __call__(self, actor: Actor, event: CallEvent) -> bool:
        """Tell, once it is committed, whether the event is new. Raises InvalidCallEvent for one of the future."""
        rules.refuse_future(event, self.clock.now())
        return await self._together((actor, event))


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a telephone number: where it is in campaigns, the latest called first, and its last calls."""

    phone: int
    matches: Sequence[tuple[PhoneNumber, Project]]
    last_calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class LookUpCaller:
    """Tell who calls, for the pop-up of a telephone."""

    numbers: NumberViews
    projects: ProjectViews
    calls: CallViews
    policy: PhonePolicy

    async def __call__(self, actor: Actor, spelling: str) -> Caller:
        """Raise InvalidPhone, or NoSuchNumber where no project within reach holds the number."""
        phone = normalised(spelling, self.policy.region)
        seen = reach(actor)
        found = await self.numbers.by_phone(phone, seen, MATCHES_MAX)
        known = await self.projects.several([one.project_id for one in found], seen)
        matches = [(one, known[one.project_id]) for one in found if one.project_id in known]
        if not matches:
            raise NoSuchNumber(phone_number=f"+{phone}")
        last = await self.calls.of_numbers([one.id for one, _ in matches], seen, LAST_CALLS)
        return Caller(phone, matches, last)


USE_CASES = (ReceiveCallEvents, ReceiveCallEvent, LookUpCaller)
