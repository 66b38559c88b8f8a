"""How committed work is announced within a process, and through Redis once it is needed."""

from uuid import UUID

import pytest

from opora.bootstrap.messenger import LateMessenger, LocalMessenger

pytestmark = pytest.mark.anyio


async def test_a_worker_of_the_process_hears_at_once_and_only_while_it_listens() -> None:
    messenger, heard = LocalMessenger(), []
    messenger.announce([])
    async with messenger.heard(lambda: heard.append("engine"), lambda: heard.append("relay")):
        messenger.announce([UUID(int=1)])
    messenger.announce([])
    assert heard == ["engine", "relay"]


async def test_a_messenger_is_built_at_its_first_use_and_once() -> None:
    built: list[LocalMessenger] = []

    def build() -> LocalMessenger:
        built.append(LocalMessenger())
        return built[-1]

    late = LateMessenger(build)
    await late.close()
    assert built == []
    late.announce([])
    async with late.heard():
        late.announce([])
    await late.close()
    assert len(built) == 1
