"""The contract of a store of people: subclass it and give it what it asks for."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from opora.core.access.errors import EmailTaken, NoSuchUser
from opora.core.access.model.people import User, UserFilter, user_view
from opora.core.access.model.scopes import Role
from opora.core.access.ports.people import UserViews
from opora.core.access.ports.transaction import AccessTx
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.testing.access import NOON, a_user


class UserRepositoryContract:
    """What every store of people holds: give it `unit`, and `views` on the same store."""

    unit: Callable[[], AbstractAsyncContextManager[AccessTx]]
    views: UserViews

    async def kept(self, **changes: Any) -> User:
        """Keep a user in a transaction of its own."""
        user = a_user(**changes)
        async with self.unit() as tx:
            await tx.users.add(user)
        return user

    async def test_gives_back_what_was_added(self) -> None:
        plain = await self.kept()
        full = await self.kept(
            id=4,
            email="иван@пример.рф",
            password_hash="$argon2id$",
            roles=frozenset({Role.ADMIN, Role.MANAGER}),
            is_active=False,
            email_verified=True,
            full_name="Иван «Ваня» О'Хара",
            locale="ru",
            epoch_at=NOON,
        )
        async with self.unit() as tx:
            assert await tx.users.get(3) == plain
            assert await tx.users.get(4) == full
            assert await tx.users.with_email("иван@пример.рф") == full
            assert await tx.users.with_email("nobody@example.org") is None
            assert await tx.users.get(99) is None

    async def test_forgets_what_a_failed_block_added(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.users.add(a_user())
                _ = 1 / 0
        async with self.unit() as tx:
            assert await tx.users.get(3) is None

    async def test_takes_one_of_many_users_of_one_address_that_come_at_once(self) -> None:
        async def take(number: int) -> bool:
            try:
                await self.kept(id=number)
            except EmailTaken:
                return False
            return True

        assert sum(await asyncio.gather(*(take(number) for number in range(1, 9)))) == 1

    async def test_saves_roles_with_the_rest_and_refuses_an_older_version(self) -> None:
        user = await self.kept()
        after = replace(user, roles=frozenset({Role.STAFF}), full_name="Anna", version=2)
        async with self.unit() as tx:
            await tx.users.save(after)
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.users.save(replace(user, roles=frozenset({Role.ADMIN}), version=2))
        async with self.unit() as tx:
            assert await tx.users.get(3) == after

    async def test_a_hash_is_replaced_only_while_it_is_the_one_that_was_read(self) -> None:
        await self.kept(password_hash="old")
        async with self.unit() as tx:
            assert await tx.users.replace_hash(3, "old", "new")
            assert not await tx.users.replace_hash(3, "old", "other")
            user = await tx.users.get(3)
        assert user == a_user(password_hash="new")

    async def test_counts_other_active_admins(self) -> None:
        admin = frozenset({Role.ADMIN})
        await self.kept(id=1, email="a@x", roles=admin)
        await self.kept(id=2, email="b@x", roles=admin, is_active=False)
        await self.kept(id=3, email="c@x")
        async with self.unit() as tx:
            assert (await tx.users.admins_besides(1), await tx.users.admins_besides(3)) == (0, 1)

    async def test_of_two_admins_who_demote_each_other_at_once_one_stays(self) -> None:
        for number in (1, 2):
            await self.kept(id=number, email=f"{number}@x", roles=frozenset({Role.ADMIN}))

        async def demote(user_id: int) -> None:
            async with self.unit() as tx:
                user = await tx.users.get(user_id)
                if user is not None and await tx.users.admins_besides(user_id):
                    await tx.users.save(replace(user, roles=frozenset({Role.CLIENT}), version=2))

        await asyncio.gather(demote(1), demote(2))
        async with self.unit() as tx:
            assert await tx.users.admins_besides(0) == 1

    async def test_lists_users_newest_first_by_what_is_wanted(self) -> None:
        await self.kept(id=1, email="anna@example.org", full_name="Анна Петрова")
        await self.kept(id=2, email="boris@example.org", roles=frozenset({Role.ADMIN, Role.CLIENT}))
        await self.kept(id=3, email="vera_x@example.org", is_active=False)
        assert await self.listed() == [3, 2, 1]
        assert await self.listed(role=Role.ADMIN) == [2]
        assert await self.listed(is_active=False) == [3]
        assert await self.listed(text="петроВА") == [1]
        assert await self.listed(text="a_x") == [3]
        page = await self.views.page(UserFilter(), PageRequest(limit=1, number=2))
        assert ([view.id for view in page.items], page.count, page.more) == ([2], 3, True)

    async def listed(self, **wanted: Any) -> list[int]:
        """Name the users of the first page."""
        page = await self.views.page(UserFilter(**wanted), PageRequest())
        return [view.id for view in page.items]

    async def test_shows_one_user(self) -> None:
        assert await self.views.one((await self.kept()).id) == user_view(a_user())
        with pytest.raises(NoSuchUser):
            await self.views.one(99)
