"""The contract of a store of one-time tokens, second factors and devices: subclass it and give it what it asks for."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from opora.core.access.model.people import User
from opora.core.access.model.proofs import Arrival, OneTimeToken, Purpose, SecondFactor
from opora.core.access.ports.proofs import Arrivals
from opora.core.access.ports.transaction import AccessTx
from opora.testing.access import HOUR, NOON, SECOND, a_user

MARK, OTHER = bytes(32), bytes([1]) * 32


def a_token(**changes: Any) -> OneTimeToken:
    """Build a token that verifies an address for an hour."""
    token = OneTimeToken(digest=MARK, purpose=Purpose.VERIFY_EMAIL, user_id=3, created_at=NOON, expires_at=NOON + HOUR)
    return replace(token, **changes)


def a_factor(**changes: Any) -> SecondFactor:
    """Build a second factor that waits to be confirmed."""
    return replace(SecondFactor(user_id=3, sealed=b"sealed", created_at=NOON), **changes)


class ProofsContract:
    """What every store of proofs holds: give it `unit`, and `arrivals` on the same store."""

    unit: Callable[[], AbstractAsyncContextManager[AccessTx]]
    arrivals: Arrivals

    async def a_kept_user(self) -> User:
        """Keep the user that the rest is about."""
        async with self.unit() as tx:
            await tx.users.add(a_user())
        return a_user()

    async def kept(self, **changes: Any) -> OneTimeToken:
        """Keep a user with a token."""
        await self.a_kept_user()
        token = a_token(**changes)
        async with self.unit() as tx:
            await tx.one_time_tokens.add(token)
        return token

    async def confirmed(self, *digests: bytes) -> SecondFactor:
        """Keep a user with a confirmed factor."""
        await self.a_kept_user()
        factor = a_factor(sealed=b"again", confirmed_at=NOON + SECOND, last_step=10)
        async with self.unit() as tx:
            assert await tx.second_factors.put(a_factor())
            assert await tx.second_factors.confirm(factor, digests)
        return factor

    async def spend(self, **changes: Any) -> int | None:
        """Spend the token, or one that differs from it."""
        wanted = {"digest": MARK, "purpose": Purpose.VERIFY_EMAIL, "now": NOON, **changes}
        async with self.unit() as tx:
            return await tx.one_time_tokens.spend(wanted["digest"], wanted["purpose"], wanted["now"])

    async def test_a_token_is_spent_once_in_its_time_and_for_its_purpose(self) -> None:
        await self.kept()
        assert await self.spend(digest=OTHER) is None
        assert await self.spend(purpose=Purpose.RESET_PASSWORD) is None
        assert await self.spend(now=NOON + HOUR) is None
        assert await self.spend() == 3
        assert await self.spend() is None

    async def test_a_token_spent_in_a_block_that_failed_is_not_spent(self) -> None:
        await self.kept()
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.one_time_tokens.spend(MARK, Purpose.VERIFY_EMAIL, NOON)
                _ = 1 / 0
        assert await self.spend() == 3

    async def test_of_many_who_spend_a_token_at_once_one_does(self) -> None:
        await self.kept()
        spent = await asyncio.gather(*(self.spend() for _ in range(8)))
        assert sorted(one for one in spent if one) == [3]

    async def test_tokens_are_dropped_by_user_and_purpose(self) -> None:
        await self.kept()
        async with self.unit() as tx:
            await tx.one_time_tokens.add(a_token(digest=OTHER))
            assert await tx.one_time_tokens.drop(3, Purpose.RESET_PASSWORD) == 0
            assert await tx.one_time_tokens.drop(4, Purpose.VERIFY_EMAIL) == 0
            assert await tx.one_time_tokens.drop(3, Purpose.VERIFY_EMAIL) == 2

    async def test_an_unconfirmed_factor_is_replaced_and_a_confirmed_one_is_not(self) -> None:
        await self.a_kept_user()
        async with self.unit() as tx:
            assert await tx.second_factors.get(3) is None
            assert not await tx.second_factors.confirm(a_factor(confirmed_at=NOON), [])
            assert await tx.second_factors.put(a_factor())
            assert await tx.second_factors.put(a_factor(sealed=b"second"))
            assert await tx.second_factors.get(3) == a_factor(sealed=b"second")
            assert await tx.second_factors.confirm(a_factor(confirmed_at=NOON), [MARK])
            assert not await tx.second_factors.put(a_factor(sealed=b"third"))
            assert not await tx.second_factors.confirm(a_factor(confirmed_at=NOON), [OTHER])
            assert await tx.second_factors.get(3) == a_factor(confirmed_at=NOON)

    async def test_a_step_is_taken_once_and_none_before_it_after_it(self) -> None:
        await self.confirmed()

        async def take(step: int) -> bool:
            async with self.unit() as tx:
                return await tx.second_factors.take_step(3, step)

        assert not await take(10)
        assert sum(await asyncio.gather(*(take(12) for _ in range(8)))) == 1
        assert not await take(11)
        assert await take(13)

    async def test_a_recovery_code_is_taken_once_and_all_go_with_the_factor(self) -> None:
        await self.confirmed(MARK, OTHER)

        async def take(digest: bytes) -> bool:
            async with self.unit() as tx:
                return await tx.second_factors.take_recovery_code(3, digest)

        assert sum(await asyncio.gather(*(take(MARK) for _ in range(8)))) == 1
        async with self.unit() as tx:
            assert await tx.second_factors.remove(3)
            assert not await tx.second_factors.remove(3)
        assert not await take(OTHER)
        async with self.unit() as tx:
            assert await tx.second_factors.put(a_factor())
            assert not await tx.second_factors.remove(3)

    async def test_devices_are_remembered_up_to_a_number_and_the_longest_unseen_go(self) -> None:
        await self.a_kept_user()
        marks = [bytes([number]) * 32 for number in range(4)]
        async with self.unit() as tx:
            for number, mark in enumerate(marks[:3]):
                assert await tx.devices.remember(3, mark, NOON + number * SECOND, keep=3)
            assert not await tx.devices.remember(3, marks[0], NOON + HOUR, keep=3)
            assert await tx.devices.remember(3, marks[3], NOON + HOUR, keep=3)
        known = [(await self.arrivals.at("anna@example.org", [mark])).known_mark for mark in marks]
        assert known == [marks[0], None, marks[2], marks[3]]
        async with self.unit() as tx:
            assert await tx.devices.forget(3) == 3
        assert not (await self.arrivals.at("anna@example.org", [MARK])).has_devices

    async def test_an_arrival_tells_the_user_the_first_known_mark_and_whether_a_code_follows(self) -> None:
        assert await self.arrivals.at("anna@example.org", [MARK]) == Arrival()
        await self.confirmed()
        assert await self.arrivals.at("anna@example.org", [MARK]) == Arrival(a_user(), None, False, True)
        async with self.unit() as tx:
            await tx.devices.remember(3, OTHER, NOON, keep=3)
        assert await self.arrivals.at("anna@example.org", [MARK, OTHER]) == Arrival(a_user(), OTHER, True, True)
        assert await self.arrivals.at("anna@example.org", [MARK]) == Arrival(a_user(), None, True, True)
        async with self.unit() as tx:
            await tx.devices.remember(3, MARK, NOON, keep=3)
        assert (await self.arrivals.at("anna@example.org", [MARK, OTHER])).known_mark == MARK

    async def test_an_unconfirmed_factor_asks_nobody(self) -> None:
        await self.a_kept_user()
        async with self.unit() as tx:
            await tx.second_factors.put(a_factor())
        assert not (await self.arrivals.at("anna@example.org", [MARK])).has_second_factor

    async def test_the_owner_of_a_good_token_is_found_and_of_no_other(self) -> None:
        await self.kept()
        found = await self.arrivals.by_token(MARK, Purpose.VERIFY_EMAIL, NOON, [MARK])
        assert found == Arrival(a_user())
        for digest, purpose, now in (
            (OTHER, Purpose.VERIFY_EMAIL, NOON),
            (MARK, Purpose.FINISH_LOGIN, NOON),
            (MARK, Purpose.VERIFY_EMAIL, NOON + HOUR),
        ):
            assert await self.arrivals.by_token(digest, purpose, now, [MARK]) == Arrival()
