"""Appointments: no time is sold twice."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from dishka import AsyncContainer

from opora.bootstrap.simulation.clock import BEGINNING
from opora.bootstrap.simulation.districts.district import ADMIN, Act, Check, District, Store, client, rows, spread
from opora.core.bookings.model.appointments import MOVES, Wish
from opora.core.bookings.usecases.booking import BookAppointment, HoldSlot, TakeUpHold
from opora.core.bookings.usecases.deciding import CancelAppointment
from opora.core.bookings.usecases.moving import MoveAppointment
from opora.core.kernel.model import Moves

TIMES = (9.0, 9.5, 10.0, 10.5)


def time_of(hour: float) -> datetime:
    """Return an hour of the day after the first."""
    return BEGINNING + timedelta(days=1, hours=hour)


class Bookings(District):
    """A few people want the same hours of one member of staff."""

    name = "bookings"
    checks = (
        Check(
            "P3: a time is sold twice",
            frozenset({"appointments", "engagements"}),
            "SELECT a.id FROM appointments a JOIN appointments b ON a.id < b.id AND a.staff_id = b.staff_id"
            " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
            " WHERE a.status NOT IN ('cancelled', 'lapsed') AND b.status NOT IN ('cancelled', 'lapsed')",
        ),
    )
    moves: ClassVar[Mapping[str, Moves[Any]]] = {"appointments": MOVES}

    def act(self, key: str, user_id: int) -> Act:
        chance = self.town.chance
        word = spread(chance, {"book": 4, "hold": 2, "cancel": 2, "move": 2})
        wish = Wish(service_id=1, starts_at=time_of(chance.choice(TIMES)), note=key)
        told = [int(answer[1:]) for answer in self.town.answers.values() if answer[0] == "a"]
        known = chance.choice(told) if told else 1

        async def book(program: AsyncContainer) -> object:
            if word == "book":
                return f"a{(await (await program.get(BookAppointment))(client(user_id), wish)).id}"
            held = await (await program.get(HoldSlot))(client(user_id), wish)
            return f"a{(await (await program.get(TakeUpHold))(client(user_id), held.id, note=key)).id}"

        async def change(program: AsyncContainer) -> object:
            if word == "cancel":
                return f"c{(await (await program.get(CancelAppointment))(ADMIN, known))[0].id}"
            move = await program.get(MoveAppointment)
            await move(ADMIN, known, wish.starts_at)
            return f"m{known}"

        return book if word in {"book", "hold"} else change

    def ended(self, store: Store) -> Iterator[str]:
        """Look for every appointment that was told of, and for calls that made two."""
        there = {row["id"]: row for row in rows(store, "SELECT * FROM appointments")}
        for key, answer in self.town.answers.items():
            if answer[0] == "a" and int(answer[1:]) not in there:
                yield f"P1: call {key} was told of appointment {answer[1:]}, which is not there"
        made = [row["note"] for row in there.values() if row["note"] and row["status"] != "lapsed"]
        yield from (f"P2: call {key} made two appointments" for key in set(made) if made.count(key) > 1)
