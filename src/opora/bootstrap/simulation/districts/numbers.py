"""Campaigns: a number is given to one caller at a time, and an event of a call counts once."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from dishka import AsyncContainer

from opora.bootstrap.simulation.clock import BEGINNING
from opora.bootstrap.simulation.districts.district import ADMIN, Act, District, Store, rows, spread
from opora.core.kernel.model import Moves
from opora.core.numbers.model.calls import CallEvent, CallEventType, CallResult
from opora.core.numbers.model.numbers import MOVES, STATUS_CODES, NumberStatus
from opora.core.numbers.usecases.calls import ReceiveCallEvent
from opora.core.numbers.usecases.claims import ClaimNumbers

FIRST_PHONE = 79160000000
COUNT = 4
RESULTS = tuple(CallResult)


def through_a_call(status: NumberStatus) -> frozenset[NumberStatus]:
    """Return what may follow a status in one commit: a result that nobody claimed is two moves at once."""
    nexts = MOVES.table[status]
    return nexts | (MOVES.table[NumberStatus.IN_PROGRESS] if NumberStatus.IN_PROGRESS in nexts else frozenset())


AS_STORED: Moves[Any] = Moves[Any](
    {code: frozenset(STATUS_CODES[one] for one in through_a_call(status)) for status, code in STATUS_CODES.items()}
)


class Numbers(District):
    """Operators take numbers, and the telephone tells of their calls, sometimes twice."""

    name = "numbers"
    slots = frozenset({"sweep-calls"})
    moves: ClassVar[Mapping[str, Moves[Any]]] = {"phone_numbers": AS_STORED}

    def act(self, key: str, user_id: int) -> Act:  # noqa: ARG002  # operators, not clients
        chance = self.town.chance
        limit = chance.choice((1, 1, 2))
        phone, result = FIRST_PHONE + chance.randrange(COUNT), chance.choice(RESULTS)
        event = CallEvent(
            event_id=f"e:{key}" if chance.random() < 0.7 else "e:again",  # noqa: PLR2004  # some events come twice
            call_id=f"c:{phone}",
            type=CallEventType.RESULT,
            phone=phone,
            occurred_at=BEGINNING - timedelta(seconds=chance.randrange(100)),
            result=result,
        )

        async def claim(program: AsyncContainer) -> object:
            claimed = await (await program.get(ClaimNumbers))(ADMIN, 1, limit)
            return "n" + ",".join(str(one.id) for one in claimed.numbers)

        async def hear(program: AsyncContainer) -> object:
            return f"e{await (await program.get(ReceiveCallEvent))(ADMIN, event)}"

        return claim if spread(chance, {"claim": 3, "event": 2}) == "claim" else hear

    def ended(self, store: Store) -> Iterator[str]:
        """Compare the numbers that callers were given with how often each was taken."""
        taken = {row["id"]: row["n"] for row in rows(store, TAKEN)}
        given: dict[int, int] = {}
        for answer in self.town.answers.values():
            if answer[0] == "n":
                for part in filter(None, answer[1:].split(",")):
                    given[int(part)] = given.get(int(part), 0) + 1
        for id, times in given.items():
            if times > taken.get(id, 0):
                yield f"P2: number {id} was given {times} times and taken {taken.get(id, 0)} times"


TAKEN = f"""
SELECT CAST(id AS INTEGER) AS id, count(*) AS n FROM sim_moves WHERE place = 'phone_numbers' AND state =
 {STATUS_CODES[NumberStatus.IN_PROGRESS]} GROUP BY id
"""
