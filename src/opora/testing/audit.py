"""The contract of the audit log: entries that nobody alters, removes or inserts unseen."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opora.core.jobs.ports import JobTx
from opora.core.kernel.model import Actor, Change, Origin
from opora.core.kernel.ports import UnitOfWork

NOON = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
ANNA = Actor(user_id=3, key_id=7, origin=Origin("203.0.113.9", "curl/8", "r1"))


def a_change(number: int = 0, **changes: Any) -> Change:
    """Build an entry that differs by its number."""
    facts: dict[str, Any] = {
        "actor": ANNA,
        "action": "thing.changed",
        "entity_type": "thing",
        "entity_id": str(number),
        "at": NOON + timedelta(seconds=number),
        "old": {"имя": "был", "n": number},
        "new": None,
    }
    return Change(**{**facts, **changes})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found: `broken_at` is the id of the first entry that does not fit."""

    whole: bool
    checked: int
    unsealed: int
    broken_at: int | None


class AuditContract(ABC):
    """What every audit log promises."""

    unit: UnitOfWork[JobTx]

    @abstractmethod
    async def seal(self) -> int:
        """Seal what is committed; returns how many entries."""

    @abstractmethod
    async def verify(self) -> Verdict:
        """Walk the chain."""

    @abstractmethod
    async def rows(self) -> list[Mapping[str, Any]]:
        """Return the rows as the store holds them, in the order of their seals and then of their ids."""

    @abstractmethod
    async def write(self, sql: str) -> None:
        """Do what somebody with write access to the tables may do."""

    async def record(self, count: int, first: int = 0) -> None:
        """Keep entries, each in a transaction of its own."""
        for number in range(first, first + count):
            async with self.unit() as tx:
                await tx.audit.record(a_change(number))

    async def sealed(self, count: int) -> list[int]:
        """Keep and seal entries; returns their ids in the order of the chain."""
        await self.record(count)
        assert await self.seal() == count
        return [row["id"] for row in await self.rows()]

    async def test_an_entry_says_who_did_what_to_what_from_where(self) -> None:
        await self.record(1)
        (row,) = await self.rows()
        assert (row["user_id"], row["key_id"], row["action"]) == (3, 7, "thing.changed")
        assert (row["entity_type"], row["entity_id"]) == ("thing", "0")
        assert (row["address"], row["user_agent"], row["request_id"]) == ("203.0.113.9", "curl/8", "r1")
        assert (row["old_values"], row["new_values"]) == ('{"имя":"был","n":0}', None)

    async def test_an_origin_of_any_length_is_kept_within_its_bounds(self) -> None:
        async with self.unit() as tx:
            await tx.audit.record(a_change(actor=Actor(origin=Origin("::1", "x" * 9000, "y" * 9000))))
        (row,) = await self.rows()
        assert (len(row["user_agent"]), len(row["request_id"])) == (512, 128)
        assert (await self.verify()).whole

    async def test_a_rollback_leaves_no_entry(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.audit.record(a_change())
                raise ZeroDivisionError
        assert await self.rows() == []

    async def test_an_empty_log_is_whole(self) -> None:
        assert await self.seal() == 0
        assert await self.verify() == Verdict(True, 0, 0, None)

    async def test_entries_sealed_and_not_yet_sealed_are_whole(self) -> None:
        await self.sealed(5)
        await self.record(2, first=5)
        assert await self.verify() == Verdict(True, 5, 2, None)

    async def test_simultaneous_recorders_and_sealers_make_one_chain(self) -> None:
        async def recorder(first: int) -> None:
            await self.record(6, first)

        await asyncio.gather(*(recorder(number * 6) for number in range(8)), *(self.seal() for _ in range(8)))
        while await self.seal():
            pass
        assert await self.verify() == Verdict(True, 48, 0, None)
        assert [row["seal_number"] for row in await self.rows()] == list(range(1, 49))

    async def test_of_several_sealers_at_once_each_entry_is_sealed_by_one(self) -> None:
        await self.record(20)
        assert sum(await asyncio.gather(*(self.seal() for _ in range(8)))) == 20
        assert (await self.verify()).whole

    async def test_entries_committed_out_of_order_are_sealed_too(self) -> None:
        await self.sealed(3)
        await self.write("UPDATE audit_log SET seal_number = NULL, seal_hash = NULL WHERE id = 2")
        await self.write("UPDATE audit_log SET seal_number = NULL, seal_hash = NULL WHERE id = 3")
        await self.write("UPDATE audit_log SET seal_number = NULL, seal_hash = NULL WHERE id = 1")
        await self.write("UPDATE audit_seal SET seal_number = 0")
        assert await self.seal() == 3

    @pytest.mark.parametrize("which", [0, 3, 6])
    @pytest.mark.parametrize(
        "altered",
        [
            "action = 'thing.blessed'",
            "old_values = NULL",
            "entity_id = 'x'",
            "user_id = 1",
            "row_hash = substr(row_hash, 2)",
        ],
    )
    async def test_the_first_altered_entry_is_named(self, which: int, altered: str) -> None:
        ids = await self.sealed(7)
        await self.write(f"UPDATE audit_log SET {altered} WHERE id >= {ids[which]}")
        found = await self.verify()
        assert (found.whole, found.broken_at, found.checked) == (False, ids[which], which + 1)

    @pytest.mark.parametrize("which", [0, 3])
    async def test_the_entry_after_a_removed_one_is_named(self, which: int) -> None:
        ids = await self.sealed(5)
        await self.write(f"DELETE FROM audit_log WHERE id = {ids[which]}")
        assert await self.verify() == Verdict(False, which + 1, 0, ids[which + 1])

    async def test_removing_the_end_is_seen(self) -> None:
        ids = await self.sealed(5)
        await self.write(f"DELETE FROM audit_log WHERE id >= {ids[3]}")
        found = await self.verify()
        assert (found.whole, found.checked) == (False, 3)

    async def test_removing_everything_is_seen(self) -> None:
        await self.sealed(3)
        await self.write("DELETE FROM audit_log")
        assert not (await self.verify()).whole

    async def test_a_copy_of_an_entry_put_between_others_is_seen(self) -> None:
        ids = await self.sealed(4)
        await self.write(f"UPDATE audit_log SET seal_number = seal_number + 1000 WHERE id >= {ids[2]}")
        await self._copy(ids[0], 900, seal_number=3)
        await self.write(f"UPDATE audit_log SET seal_number = seal_number - 999 WHERE id >= {ids[2]} AND id < 900")
        await self.write("UPDATE audit_seal SET seal_number = 5")
        assert (await self.verify()).broken_at == 900

    async def test_a_copy_of_an_entry_put_after_the_end_is_seen(self) -> None:
        ids = await self.sealed(4)
        await self._copy(ids[0], 900, seal_number=5)
        assert (await self.verify()).broken_at == 900

    async def test_an_unsealed_entry_that_was_altered_is_named(self) -> None:
        await self.sealed(2)
        await self.record(1, first=2)
        last = (await self.rows())[-1]["id"]
        await self.write(f"UPDATE audit_log SET entity_id = 'x' WHERE id = {last}")
        assert (await self.verify()).broken_at == last

    async def _copy(self, id: int, to: int, seal_number: int) -> None:
        """Insert a copy of an entry under another id and seal number."""
        columns = "created_at, user_id, key_id, action, entity_type, entity_id, old_values, new_values, address"
        columns += ", user_agent, request_id, row_hash, seal_hash"
        await self.write(
            f"INSERT INTO audit_log (id, seal_number, {columns})"
            f" SELECT {to}, {seal_number}, {columns} FROM audit_log WHERE id = {id}"
        )
