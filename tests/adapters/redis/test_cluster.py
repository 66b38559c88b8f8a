"""All that Opora keeps in Redis, on a real cluster of three masters, and on one that loses a master."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adapters.redis.test_rates import AGE_CELLS
from opora.adapters.redis.bus import RedisBus
from opora.adapters.redis.cluster import ClusterConnection
from opora.adapters.redis.connection import RedisConnection, Refused
from opora.adapters.redis.live import RedisLive
from opora.adapters.redis.opening import connection_to
from opora.adapters.redis.rate_stats import RedisRateStats
from opora.adapters.redis.rates import RedisRateGate, cell_key
from opora.adapters.redis.token_notes import RedisTokenNotes
from opora.bootstrap.taskiq_messenger import TaskiqMessenger, redis_broker
from opora.core.kernel.errors import Unavailable
from opora.events import Event, MemoryInbox, listen
from opora.testing.bus import EventBusContract
from opora.testing.rates import RateGateContract, RateStatsContract, a_policy, admitted, an_admission
from opora.testing.token_notes import TokenNotesContract
from servers.rings import Ring

pytestmark = pytest.mark.anyio
WITHIN_S = 30
SUBJECTS = [f"key:{number}" for number in range(60)]


@pytest.fixture
async def connection(anyio_backend: str, redis_cluster: Ring) -> AsyncIterator[RedisConnection]:
    connection = connection_to(redis_cluster.url, timeout_s=2)
    yield connection
    await connection.close()


class TestGate(RateGateContract):
    """Limits and denials."""

    @pytest.fixture(autouse=True)
    def _gate(self, connection: RedisConnection, redis_cluster: Ring, redis_prefix: str) -> None:
        self.gate = RedisRateGate(connection, prefix=redis_prefix)
        self.ring, self.prefix = redis_cluster, redis_prefix

    async def elapse(self, seconds: float) -> None:
        for url, _ in self.ring.servers[:3]:
            server = RedisConnection(url, timeout_s=2)
            await server.call("EVAL", AGE_CELLS, 0, round(seconds * 1000), self.prefix)
            await server.close()

    async def test_two_processes_share_the_quota_of_every_subject_wherever_it_is_kept(self) -> None:
        other = connection_to(self.ring.url, timeout_s=2)
        elsewhere, policy = RedisRateGate(other, prefix=self.prefix), a_policy(4)
        asked = [an_admission(policy, subject=subject) for subject in SUBJECTS]
        counts = await asyncio.gather(*(admitted(gate, one, 3) for gate in (self.gate, elsewhere) for one in asked))
        await other.close()
        assert sum(counts) == 4 * len(SUBJECTS)


class TestStats(RateStatsContract):
    """Figures."""

    @pytest.fixture(autouse=True)
    def _stats(self, connection: RedisConnection, redis_prefix: str) -> None:
        self.stats, self.elsewhere = (RedisRateStats(connection, prefix=redis_prefix) for _ in range(2))


class TestNotes(TokenNotesContract):
    """Notes of tokens."""

    @pytest.fixture(autouse=True)
    def _notes(self, connection: RedisConnection, redis_prefix: str) -> None:
        self.notes = RedisTokenNotes(connection, prefix=f"{redis_prefix}auth:jwt:")


class TestBus(EventBusContract):
    """The stream of events."""

    @pytest.fixture(autouse=True)
    async def _bus(self, connection: RedisConnection, redis_cluster: Ring, redis_prefix: str) -> AsyncIterator[None]:
        self.redis, self.stream, nowhere = connection, f"{redis_prefix}events", "redis+cluster://127.0.0.1:9"
        self.bus = RedisBus(connection_to(redis_cluster.url, timeout_s=5), self.stream, 1000)
        self.away = RedisBus(connection_to(nowhere, timeout_s=1), self.stream, 1000)
        yield
        await self.bus.close()

    async def heard(self, count: int) -> Sequence[bytes]:
        entries = await self.redis.call("XRANGE", self.stream, "-", "+")
        assert len(entries) >= count
        return [dict(zip(fields[::2], fields[1::2], strict=True))[b"event"] for _, fields in entries]


async def test_a_wake_up_reaches_a_worker(redis_cluster: Ring, redis_prefix: str) -> None:
    sender, hearer = (TaskiqMessenger(redis_broker(redis_cluster.url, f"{redis_prefix}wake")) for _ in range(2))
    woken = asyncio.Event()
    async with asyncio.timeout(WITHIN_S), hearer.heard(woken.set):
        while not woken.is_set():
            sender.announce([])
            await asyncio.sleep(0.1)
    await sender.close()
    await hearer.close()


async def test_news_is_heard_at_whichever_server_one_listens(connection: RedisConnection, redis_cluster: Ring) -> None:
    here, there = (RedisLive(connection, redis_cluster.url, "test:live") for _ in range(2))
    heard: list[int] = []
    there.listen(heard.extend)
    async with asyncio.timeout(WITHIN_S):
        while not heard:
            await here.announce([3])
            await asyncio.sleep(0.05)
    await there.close()
    assert heard[0] == 3


async def test_a_program_that_listens_hears_the_stream_and_buries_what_it_cannot_handle(
    connection: RedisConnection, redis_cluster: Ring, redis_prefix: str
) -> None:
    stream, heard = f"{redis_prefix}stream", []

    async def handle(event: Event, _: Any) -> None:
        heard.append(event.id)

    told = {"specversion": "1.0", "id": "7", "source": "/", "type": "user.created", "data": {}}
    for body in ("no event", json.dumps(told)):
        await connection.call("XADD", stream, "*", "event", body)
    listening = asyncio.create_task(
        listen(redis_cluster.url, "crm", handle, MemoryInbox(), topics=["#"], stream=stream)
    )
    async with asyncio.timeout(WITHIN_S):
        while not heard:  # noqa: ASYNC110  # the cluster decides when
            await asyncio.sleep(0.05)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert heard == ["7"]
    assert await connection.call("XLEN", f"{{{stream}}}:crm:dead") == 1


async def test_a_command_over_several_slots_is_refused_before_it_is_sent(connection: RedisConnection) -> None:
    with pytest.raises(Refused, match="CROSSSLOT"):
        await connection.call("DEL", "{key:1}", "{key:2}")


async def test_a_slot_that_moved_is_followed(connection: ClusterConnection, redis_prefix: str) -> None:
    keys = [f"{redis_prefix}{number}" for number in range(60)]
    await asyncio.gather(*(connection.call("SET", key, "1") for key in keys))
    connection._map = connection._map[8192:] + connection._map[:8192]  # every server is taken for another
    assert await asyncio.gather(*(connection.call("GET", key) for key in keys)) == [b"1"] * len(keys)


async def test_a_slot_under_way_is_asked_for_where_it_goes(redis_cluster: Ring, redis_prefix: str) -> None:
    connection = connection_to(redis_cluster.url, timeout_s=2)
    assert isinstance(connection, ClusterConnection)
    key = f"{redis_prefix}under-way"
    slot = int(await connection.call("CLUSTER", "KEYSLOT", key))
    await connection.call("GET", key)
    source = connection._map[slot]
    target = next(one for one in connection._map if one != source)
    servers = {one: RedisConnection(f"redis://{one[0]}:{one[1]}", timeout_s=2) for one in (source, target)}
    ids = {one: (await server.call("CLUSTER", "MYID")).decode() for one, server in servers.items()}
    await servers[target].call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
    await servers[source].call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
    try:
        assert await connection.call("SET", key, "1") == b"OK"
        assert connection._map[slot] == source
        assert await connection.call("GET", key) == b"1"
        await connection.call("DEL", key)
    finally:
        for server in servers.values():
            await server.call("CLUSTER", "SETSLOT", slot, "STABLE")
            await server.close()
        await connection.close()


async def test_a_cluster_that_is_away_is_unavailable(anyio_backend: str) -> None:
    connection = connection_to("redis+cluster://127.0.0.1:9,127.0.0.1:10")
    for command in (("PING",), ("GET", "x")):
        with pytest.raises(Unavailable):
            await connection.call(*command)
    await connection.close()


async def test_a_lost_master_is_replaced_and_the_others_go_on_meanwhile(own_cluster: Ring, redis_prefix: str) -> None:
    connection = connection_to(own_cluster.url, timeout_s=0.5)
    assert isinstance(connection, ClusterConnection)
    gate, policy = RedisRateGate(connection, prefix=redis_prefix), a_policy(1000)
    asked = {subject: an_admission(policy, subject=subject) for subject in SUBJECTS}
    for one in asked.values():
        await gate.admit(one)
    first = own_cluster.servers[0][0].rpartition(":")[2]
    there = {one: connection._map[await slot(connection, redis_prefix, one)][1] == int(first) for one in SUBJECTS}
    own_cluster.servers[0][1].send(signal.SIGKILL)
    answers: dict[str, Any] = {}
    for one in SUBJECTS[:20]:
        answers[one] = (await asyncio.gather(gate.admit(asked[one]), return_exceptions=True))[0]
    assert not any(isinstance(answers[one], Exception) for one in answers if not there[one])
    assert all(isinstance(answers[one], Unavailable) for one in answers if there[one]) and any(there.values())
    async with asyncio.timeout(WITHIN_S):
        for one in SUBJECTS:
            while not await let_in(gate, asked[one]):  # noqa: ASYNC110  # the servers decide when
                await asyncio.sleep(0.1)
    await connection.close()


async def slot(connection: RedisConnection, prefix: str, subject: str) -> int:
    return int(await connection.call("CLUSTER", "KEYSLOT", prefix + cell_key(subject, "minute")))


async def let_in(gate: RedisRateGate, admission: Any) -> bool:
    try:
        return (await gate.admit(admission)).allowed
    except Unavailable:
        return False
