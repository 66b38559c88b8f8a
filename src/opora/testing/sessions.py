"""The contract of a store of sessions, refresh tokens and signing keys: subclass it and give it what it asks for."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from opora.core.access.model.people import RefreshToken
from opora.core.access.model.proofs import SecondFactor
from opora.core.access.model.scopes import Role
from opora.core.access.model.tokens import Algorithm, KeyPurpose, SigningKey, SigningKeyState, TokenStanding
from opora.core.access.ports.people import SessionViews
from opora.core.access.ports.tokens import TokenStandings
from opora.core.access.ports.transaction import AccessTx
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.testing.access import HOUR, NOON, SECOND, a_refresh_token, a_session, a_user


def a_signing_key(key_id: str, state: SigningKeyState = SigningKeyState.PENDING) -> SigningKey:
    """Build a signing key that nothing can be signed with."""
    return SigningKey(
        id=key_id,
        algorithm=Algorithm.ES256,
        state=state,
        public_jwk='{"kty":"EC"}',
        private_sealed=b"\x00sealed\xff",
        created_at=NOON,
    )


class SessionRepositoryContract:
    """What every store of sessions holds: give it `unit`, and `standings` and `views` on the same store."""

    unit: Callable[[], AbstractAsyncContextManager[AccessTx]]
    standings: TokenStandings
    views: SessionViews

    async def a_stay(self) -> None:
        """Keep a user, a session of theirs and its first refresh token."""
        async with self.unit() as tx:
            await tx.users.add(a_user())
            await tx.sessions.add(a_session())
            await tx.sessions.add_token(a_refresh_token())

    async def test_gives_back_what_was_added(self) -> None:
        await self.a_stay()
        full = a_session(id=6, address="203.0.113.9", user_agent="Браузер", ended_at=NOON)
        async with self.unit() as tx:
            await tx.sessions.add(full)
        async with self.unit() as tx:
            assert await tx.sessions.get(5) == a_session()
            assert await tx.sessions.get(6) == full
            assert await tx.sessions.get(7) is None
            assert await tx.sessions.token(bytes(32)) == a_refresh_token()
            assert await tx.sessions.token(bytes(31)) is None
            assert await tx.sessions.next_id() != await tx.sessions.next_id()

    async def test_a_token_spent_in_a_failed_block_is_not_spent(self) -> None:
        await self.a_stay()
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.sessions.spend(bytes(32), NOON)
                _ = 1 / 0
        async with self.unit() as tx:
            assert await tx.sessions.token(bytes(32)) == a_refresh_token()

    async def test_of_many_who_spend_one_token_at_once_one_wins(self) -> None:
        await self.a_stay()

        async def spend(number: int) -> RefreshToken | None:
            async with self.unit() as tx:
                return await tx.sessions.spend(bytes(32), NOON + number * SECOND)

        winners = [one for one in await asyncio.gather(*(spend(number) for number in range(10))) if one]
        assert len(winners) == 1
        async with self.unit() as tx:
            assert await tx.sessions.token(bytes(32)) == winners[0]
            assert await tx.sessions.spend(bytes(31), NOON) is None

    async def test_a_session_ends_once(self) -> None:
        await self.a_stay()
        async with self.unit() as tx:
            await tx.sessions.add(a_session(id=6))
            assert await tx.sessions.end(5, NOON)
            assert not await tx.sessions.end(5, NOON + HOUR)
            assert not await tx.sessions.end(99, NOON)
            assert await tx.sessions.end_all(3, NOON) == 1
            assert await tx.sessions.get(5) == a_session(ended_at=NOON)

    async def test_every_session_but_one_ends_and_each_that_did_is_named(self) -> None:
        await self.a_stay()
        async with self.unit() as tx:
            for number in (6, 7):
                await tx.sessions.add(a_session(id=number, methods=("pwd", "otp")))
            await tx.sessions.end(7, NOON)
            assert list(await tx.sessions.end_others(3, 5, NOON)) == [6]
            assert list(await tx.sessions.end_others(3, None, NOON)) == [5]
            assert await tx.sessions.get(6) == a_session(id=6, methods=("pwd", "otp"), ended_at=NOON)

    async def test_sessions_are_erased_with_their_tokens_which_are_refused(self) -> None:
        await self.a_stay()
        async with self.unit() as tx:
            assert await tx.sessions.erase_all(3) == 1
            assert await tx.sessions.get(5) is None
            assert await tx.sessions.token(bytes(32)) is None
        found = await self.standings.find(3, 5, "one")
        assert found is not None and found.revoked

    async def test_a_standing_tells_whether_the_owner_has_a_confirmed_second_factor(self) -> None:
        await self.a_stay()
        factor = SecondFactor(user_id=3, sealed=b"sealed", created_at=NOON)
        async with self.unit() as tx:
            await tx.second_factors.put(factor)
        found = await self.standings.find(3, 5, "one")
        assert found is not None and not found.has_second_factor
        async with self.unit() as tx:
            await tx.second_factors.confirm(replace(factor, confirmed_at=NOON), [])
        found = await self.standings.find(3, 5, "one")
        assert found is not None and found.has_second_factor

    async def test_a_token_stands_while_its_owner_its_session_and_itself_do(self) -> None:
        await self.a_stay()
        standing = TokenStanding(3, frozenset({Role.CLIENT}), is_active=True, epoch_at=None, revoked=False, version=1)
        revoked = replace(standing, revoked=True)
        assert await self.standings.find(3, 5, "one") == standing
        assert await self.standings.find(3, None, "one") == standing
        assert await self.standings.find(3, 99, "one") == revoked
        assert await self.standings.find(99, 5, "one") is None
        async with self.unit() as tx:
            await tx.sessions.refuse_token_id("one", NOON + HOUR)
            await tx.sessions.refuse_token_id("one", NOON + HOUR)
        assert await self.standings.find(3, 5, "one") == revoked
        assert await self.standings.find(3, 5, "two") == standing
        async with self.unit() as tx:
            await tx.sessions.end(5, NOON)
        assert await self.standings.find(3, 5, "two") == revoked

    async def test_a_standing_tells_what_the_owner_is_now(self) -> None:
        await self.a_stay()
        async with self.unit() as tx:
            await tx.users.add(a_user(id=4, email="boris@example.org"))
            blocked = a_user(roles=frozenset({Role.STAFF}), is_active=False, epoch_at=NOON + SECOND, version=2)
            await tx.users.save(blocked)
        staff = TokenStanding(
            3, frozenset({Role.STAFF}), is_active=False, epoch_at=NOON + SECOND, revoked=False, version=2
        )
        assert await self.standings.find(3, 5, "one") == staff
        # The session is another user's.
        found = await self.standings.find(4, 5, "one")
        assert found is not None and found.revoked

    async def test_ends_the_sessions_of_a_user_but_one(self) -> None:
        await self.a_stay()
        async with self.unit() as tx:
            await tx.users.add(a_user(id=4, email="boris@example.org"))
            for session in (a_session(id=6), a_session(id=7, ended_at=NOON), a_session(id=8, user_id=4)):
                await tx.sessions.add(session)
            await tx.sessions.add(a_session(id=9))
            assert list(await tx.sessions.end_others(3, 6, NOON)) == [5, 9]
            assert list(await tx.sessions.end_others(3, None, NOON)) == [6]
            assert list(await tx.sessions.end_others(3, None, NOON)) == []
        async with self.unit() as tx:
            other = await tx.sessions.get(8)
            assert other is not None and other.ended_at is None

    async def test_shows_a_users_open_sessions_newest_first(self) -> None:
        await self.a_stay()
        async with self.unit() as tx:
            await tx.users.add(a_user(id=4, email="boris@example.org"))
            over, ended = a_session(id=6, expires_at=NOON), a_session(id=7, ended_at=NOON)
            narrow = a_session(id=9, user_agent="curl", scopes=frozenset({"profiles:read"}))
            for session in (over, ended, a_session(id=8, user_id=4), narrow):
                await tx.sessions.add(session)
            await tx.sessions.add_token(a_refresh_token(number=2, digest=bytes(31), issued_at=NOON + HOUR))
            assert await tx.sessions.get(9) == narrow
        page = await self.views.page(3, NOON, PageRequest(limit=50))
        assert [(one.id, one.last_used_at) for one in page.items] == [(9, NOON), (5, NOON + HOUR)]
        assert (page.count, page.more) == (2, False)
        second = await self.views.page(3, NOON, PageRequest(limit=1, number=2))
        assert [one.id for one in second.items] == [5]

    async def test_keeps_signing_keys_and_one_of_them_active(self) -> None:
        pending, active = a_signing_key("a"), a_signing_key("b", SigningKeyState.ACTIVE)
        async with self.unit() as tx:
            assert await tx.signing_keys.add(pending)
            assert await tx.signing_keys.add(active)
            assert not await tx.signing_keys.add(a_signing_key("c", SigningKeyState.ACTIVE))
            other = replace(a_signing_key("d", SigningKeyState.ACTIVE), purpose=KeyPurpose.IDENTITY)
            assert await tx.signing_keys.add(other)
        retired = replace(active.move(SigningKeyState.RETIRED), retires_at=NOON + HOUR)
        async with self.unit() as tx:
            assert list(await tx.signing_keys.all()) == [pending, active, other]
            await tx.signing_keys.save(retired)
            turned = replace(pending.move(SigningKeyState.ACTIVE), activates_at=NOON + HOUR)
            await tx.signing_keys.save(turned)
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.signing_keys.save(retired)
        async with self.unit() as tx:
            assert list(await tx.signing_keys.all()) == [turned, retired, other]

    async def test_of_processes_that_make_the_first_signing_key_at_once_one_wins(self) -> None:
        async def make(name: str) -> bool:
            async with self.unit() as tx:
                return await tx.signing_keys.add(a_signing_key(name, SigningKeyState.ACTIVE))

        assert sum(await asyncio.gather(*(make(name) for name in "abcd"))) == 1
