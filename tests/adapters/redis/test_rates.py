"""Limits on a real Redis server."""

import asyncio
import socket

import pytest

from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.adapters.redis.addresses import Address
from opora.adapters.redis.connection import WAITING_MAX, RedisConnection
from opora.adapters.redis.rate_stats import RedisRateStats
from opora.adapters.redis.rates import RedisRateGate, cell_key, denial_key, epoch_key
from opora.core.kernel.errors import Unavailable
from opora.testing.rates import RateGateContract, RateStatsContract, SpareContract, a_policy, admitted, an_admission

pytestmark = pytest.mark.anyio

AGE_CELLS = """
for _, key in ipairs(redis.call('KEYS', ARGV[2] .. 'rl:*')) do
  local value, kept_ms = redis.call('GET', key), redis.call('PTTL', key)
  if #value == 24 then
    local anchor, spent, interval = struct.unpack('<ddd', value)
    value = struct.pack('<ddd', anchor - ARGV[1] * 1000, spent, interval)
  end
  if kept_ms > tonumber(ARGV[1]) then
    redis.call('SET', key, value, 'PX', string.format('%.0f', kept_ms - ARGV[1]))
  else
    redis.call('DEL', key)
  end
end
"""


@pytest.fixture
async def connection(redis_url):
    connection = RedisConnection(redis_url, timeout_s=2)
    yield connection
    await connection.close()


@pytest.fixture
def refused_url():
    """An address that nobody listens on: bound, so that nobody else takes it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{bound.getsockname()[1]}/11"


@pytest.fixture
def frozen_url():
    """A server that accepts and never answers, as a stopped one does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/11"


class TestRedisRateGate(RateGateContract):
    @pytest.fixture(autouse=True)
    def _gate(self, connection, redis_url, redis_prefix):
        self.connection, self.url, self.prefix = connection, redis_url, redis_prefix
        self.gate = RedisRateGate(connection, prefix=redis_prefix)

    async def elapse(self, seconds: float) -> None:
        await self.connection.call("EVAL", AGE_CELLS, 0, round(seconds * 1000), self.prefix)

    async def test_two_processes_share_every_quota(self) -> None:
        other = RedisConnection(self.url)
        admission = an_admission(a_policy(40))
        elsewhere = RedisRateGate(other, prefix=self.prefix)
        counts = await asyncio.gather(admitted(self.gate, admission, 60), admitted(elsewhere, admission, 60))
        await other.close()
        assert sum(counts) == 40

    async def test_a_lost_connection_is_made_again(self) -> None:
        admission = an_admission(a_policy(5))
        me = await self.connection.call("CLIENT", "ID")
        with pytest.raises(Unavailable):
            await asyncio.gather(
                self.gate.admit(admission),
                self.connection.call("CLIENT", "KILL", "ID", me, "SKIPME", "no"),
                self.gate.admit(admission),
            )
        assert (await self.gate.admit(admission)).allowed

    async def test_no_key_outlives_what_it_says(self) -> None:
        admission = an_admission(a_policy(6, window_s=60, step_s=20))
        for _ in range(3):
            await self.gate.admit(admission)
        left_ms = await self.connection.call("PTTL", self.prefix + cell_key(admission.subject, "minute"))
        assert 39_000 < left_ms <= 40_000


class TestRefusedRedis(SpareContract):
    @pytest.fixture(autouse=True)
    def _gate(self, refused_url):
        self.gate = GuardedRateGate(RedisRateGate(RedisConnection(refused_url)), instances=2)


class TestFrozenRedis(SpareContract):
    @pytest.fixture(autouse=True)
    def _gate(self, frozen_url):
        self.gate = GuardedRateGate(RedisRateGate(RedisConnection(frozen_url)), instances=2)


class TestRedisRateStats(RateStatsContract):
    @pytest.fixture(autouse=True)
    def _stats(self, connection, redis_prefix):
        self.stats, self.elsewhere = (RedisRateStats(connection, prefix=redis_prefix) for _ in range(2))


async def test_a_flushed_store_starts_anew_and_is_taught_its_script_again(private_redis):
    connection = RedisConnection(private_redis.url, timeout_s=2)
    gate, admission = RedisRateGate(connection), an_admission(a_policy(1))
    assert await admitted(gate, admission, 2) == 1
    await connection.call("FLUSHALL")
    await connection.call("SCRIPT", "FLUSH")
    assert await admitted(gate, admission, 2) == 1
    await connection.close()


async def test_figures_name_a_bounded_number_of_subjects_and_lose_no_call(connection, redis_prefix):
    stats = RedisRateStats(connection, prefix=redis_prefix)
    for number in range(6_000):
        stats.count(f"address:{number}", True)
        if number % 400 == 0:
            await stats.flush()
    day = (await stats.figures())[2]
    assert day.allowed == 6_000
    assert (
        max([await connection.call("HLEN", key) for key in await connection.call("KEYS", f"{redis_prefix}*")]) <= 4_001
    )


async def test_a_silent_server_is_given_up_within_its_timeout(frozen_url):
    connection = RedisConnection(frozen_url.removesuffix("/11"))
    with pytest.raises(Unavailable):
        async with asyncio.timeout(0.15):
            await connection.call("PING")


async def test_no_more_calls_wait_than_the_bound(frozen_url):
    connection = RedisConnection(frozen_url.removesuffix("/11"), timeout_s=0.5)
    first = asyncio.ensure_future(connection.call("PING"))
    await asyncio.wait({first}, timeout=0.1)  # until it is connected and waits
    waiting = [connection.call("PING") for _ in range(WAITING_MAX - 1)]
    with pytest.raises(Unavailable):
        connection.call("PING")
    await connection.close()
    answers = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}


async def test_a_caller_that_gives_up_does_not_shift_the_answers_of_others(connection):
    given_up = asyncio.ensure_future(connection.call("ECHO", "first"))
    second = asyncio.ensure_future(connection.call("ECHO", "second"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await second == b"second"


async def test_a_wrong_password_is_a_store_that_does_not_answer(redis_url):
    address = Address.parse(redis_url)
    connection = RedisConnection(f"redis://nobody:wrong@{address.host}:{address.port}")
    with pytest.raises(Unavailable):
        await connection.call("PING")


def test_all_keys_of_a_subject_lie_in_one_slot_of_a_cluster():
    keys = [cell_key("user:3", "minute"), cell_key("user:3", "day"), epoch_key("user:3")]
    keys += [denial_key("user:3"), denial_key("user:3/jti:8f")]
    assert {key.partition("{")[2].partition("}")[0] for key in keys} == {"user:3"}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://127.0.0.1:6380/5", Address("127.0.0.1", 6380, 5, "", "", False, "")),
        ("rediss://me:p%40ss@cache", Address("cache", 6379, 0, "me", "p@ss", True, "")),
        ("unix:///run/redis.sock?db=2", Address("127.0.0.1", 6379, 2, "", "", False, "/run/redis.sock")),
    ],
)
def test_reads_an_address(url, address):
    assert Address.parse(url) == address


def test_refuses_another_kind_of_address():
    with pytest.raises(ValueError, match="redis://"):
        Address.parse("amqp://127.0.0.1")


def test_greets_with_name_and_database():
    assert Address.parse("redis://me:word@127.0.0.1/5").greeting() == [("AUTH", "me", "word"), ("SELECT", "5")]
    assert Address.parse("redis://:word@127.0.0.1").greeting() == [("AUTH", "word")]
