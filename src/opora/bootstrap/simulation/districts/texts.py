"""Texts: each ends once, is charged once by its end, and no quota is oversold."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dishka import AsyncContainer

from opora.bootstrap.simulation.districts.district import Act, Check, District, Store, client, rows, spread
from opora.core.generation.model.texts import MOVES, Mode, Reach
from opora.core.generation.ports.texts import TextViews
from opora.core.generation.rules.asking import Order
from opora.core.generation.usecases.asking import AskForText, FollowText
from opora.core.generation.usecases.writing import CancelText
from opora.core.kernel.model import Moves

QUOTAS = frozenset({"quota_usage", "quota_holds"})


class Texts(District):
    """People ask for texts at once, later and again, of engines that fail, and stop some of them."""

    name = "texts"
    slots = frozenset({"sweep-texts"})
    checks = (
        Check(
            "Q1: a quota is oversold",
            QUOTAS,
            "SELECT feature FROM quota_usage WHERE units IS NOT NULL AND used + held > units",
        ),
        Check(
            "Q2: what is held of a quota is not what its holds say",
            QUOTAS,
            "SELECT feature FROM quota_usage u WHERE held <> (SELECT coalesce(sum(units), 0) FROM quota_holds h WHERE"
            " h.person_id = u.person_id AND h.feature = u.feature AND h.period = u.period"
            " AND h.starts_at = u.starts_at)",
        ),
        Check(
            "T1: a text has ended and still holds a quota, or waits and holds none",
            QUOTAS | {"generations"},
            "SELECT id FROM generations g WHERE (g.status IN ('queued', 'running')) <> EXISTS (SELECT 1"
            " FROM quota_holds h WHERE h.hold_id = g.id)",
        ),
    )
    moves: ClassVar[Mapping[str, Moves[Any]]] = {"generations": MOVES}
    unsettled = "SELECT count(*) FROM generations WHERE status IN ('queued', 'running')"

    def act(self, key: str, user_id: int) -> Act:
        chance = self.town.chance
        word = spread(chance, {"ask": 5, "wait": 2, "cancel": 1})
        fresh = chance.random() < 0.5  # noqa: PLR2004  # half of them want a text of their own
        order = Order(
            function="post",
            topic=f"tea {chance.randrange(2)}" if not fresh else key,
            variables={},
            mode=Mode.ASYNC if word == "ask" else Mode.SYNC,
            fresh=fresh,
        )

        async def ask(program: AsyncContainer) -> object:
            text = await (await program.get(AskForText))(client(user_id), order)
            if word == "wait":
                follow = await program.get(FollowText)
                await follow.settled(text.id, Reach(client(user_id).subject), 5.0)
            return f"t{text.id}"

        async def cancel(program: AsyncContainer) -> object:
            views = await program.get(TextViews)
            found = await views.one(uuid.UUID(self._some_text()), Reach(None)) if self._some_text() else None
            if found is None or found.owner != client(user_id).subject:
                return "=nothing"
            return f"c{(await (await program.get(CancelText))(client(user_id), found.id)).id}"

        return cancel if word == "cancel" else ask

    def _some_text(self) -> str:
        """Return the last text that a client was told of."""
        told = [answer[1:] for answer in self.town.answers.values() if answer[0] == "t"]
        return told[-1] if told else ""

    def ended(self, store: Store) -> Iterator[str]:
        """Compare what was asked, written, told of and charged."""
        texts = {row["id"]: row for row in rows(store, "SELECT * FROM generations")}
        for key, answer in self.town.answers.items():
            if answer[0] == "t" and answer[1:] not in texts:
                yield f"P1: call {key} was told of text {answer[1:]}, which is not there"
        for id, text in texts.items():
            if text["status"] in {"queued", "running"}:
                yield f"T2: text {id} is still {text['status']}"
        told = {row["subject"]: row["n"] for row in rows(store, COMPLETED)}
        for id, text in texts.items():
            if told.get(id, 0) != (text["status"] == "completed" and not is_served(text)):
                yield f"T3: text {id} is {text['status']} and was told complete {told.get(id, 0)} times"
        for row in rows(store, CHARGED):
            if row["used"] != row["served"]:
                yield f"P2: person {row['person_id']} had {row['served']} texts and was charged {row['used']}"


def is_served(text: object) -> bool:
    """Tell whether a text was there when it was asked for: nothing happened that could be told of."""
    return bool(text["is_cached"]) and not text["attempts"]  # type: ignore[index]  # a row


COMPLETED = "SELECT subject, count(*) AS n FROM outbox WHERE topic = 'generation.completed' GROUP BY subject"
CHARGED = """
SELECT u.person_id, sum(u.used + u.overage) AS used, (SELECT count(*) FROM generations g
 WHERE g.user_id = u.person_id AND (g.status = 'completed' OR (g.status = 'cancelled' AND g.attempts > 0))) AS served
FROM quota_usage u WHERE u.feature = 'generate.requests' AND u.period = 'month' GROUP BY u.person_id
"""
