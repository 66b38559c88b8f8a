"""A master that sentinels know by name: found, lost, and found again where its replica took its place."""

import asyncio
import signal

import pytest

from opora.adapters.redis.addresses import Address, Whereabouts
from opora.adapters.redis.opening import connection_to
from opora.adapters.redis.rates import RedisRateGate
from opora.bootstrap.forms import redacted_url
from opora.bootstrap.taskiq_messenger import TaskiqMessenger, redis_broker
from opora.core.kernel.errors import Unavailable
from opora.testing.rates import a_policy, admitted, an_admission
from servers import redis
from servers.rings import Ring

pytestmark = pytest.mark.anyio
WITHIN_S = 40


async def test_limits_and_wake_ups_go_on_at_the_replica_that_took_the_masters_place(redis_sentinel: Ring) -> None:
    connection = connection_to(redis_sentinel.url, timeout_s=0.5)
    gate, asked = RedisRateGate(connection), an_admission(a_policy(5))
    assert await admitted(gate, asked, 8) == 5
    (master, process), (replica, _), _ = redis_sentinel.servers
    assert said(f"{master}/3", "DBSIZE") == 1
    messengers = [TaskiqMessenger(redis_broker(redis_sentinel.url, "wake")) for _ in range(2)]
    woken = asyncio.Event()
    async with asyncio.timeout(WITHIN_S), messengers[1].heard(woken.set):
        await told(messengers[0], woken)
        process.send(signal.SIGKILL)
        with pytest.raises(Unavailable):
            await connection.call("GET", "x")
        while not await answers(connection):  # noqa: ASYNC110  # the sentinel decides when
            await asyncio.sleep(0.1)
        assert await connection.call("SET", "x", "1") == b"OK"
        assert said(f"{replica}/3", "GET", "x") == "1"
        assert not (await gate.admit(asked)).allowed, "what was spent before is known to the replica"
        woken.clear()
        await told(messengers[0], woken)
    for one in messengers:
        await one.close()
    await connection.close()


def said(url: str, *words: str) -> object:
    server = redis.Plain(url)
    try:
        return server.call(*words)
    finally:
        server.close()


async def told(messenger: TaskiqMessenger, woken: asyncio.Event) -> None:
    while not woken.is_set():
        messenger.announce([])
        await asyncio.sleep(0.1)


async def answers(connection: object) -> bool:
    try:
        await connection.call("PING")  # type: ignore[attr-defined]
    except Unavailable:
        return False
    return True


async def test_a_server_that_is_a_replica_now_is_not_written_to(redis_sentinel: Ring) -> None:
    connection = connection_to(redis_sentinel.url, timeout_s=0.5)
    await connection.call("PING")
    (master, _), (replica, _), _ = redis_sentinel.servers
    said(master, "REPLICAOF", *replica.removeprefix("redis://").split(":"))
    with pytest.raises(Exception, match=r"READONLY|answer"):
        await connection.call("SET", "x", "1")
    with pytest.raises(Unavailable):
        await connection.call("SET", "x", "1")
    await connection.close()


async def test_a_name_that_no_sentinel_knows_is_unavailable(redis_sentinel: Ring) -> None:
    connection = connection_to(redis_sentinel.url.replace("opora-test", "another"), timeout_s=0.5)
    with pytest.raises(Unavailable):
        await connection.call("PING")
    await connection.close()


def test_reads_every_kind_of_address() -> None:
    one, two = (Address("a", 1, 0, "me", "p@ss", True, ""), Address("b", 6379, 0, "me", "p@ss", True, ""))
    assert Whereabouts.parse("rediss+cluster://me:p%40ss@a:1,b") == Whereabouts("cluster", (one, two))
    first, second = (Address("a", 1, 2, "", "word", False, ""), Address("b", 26379, 2, "", "word", False, ""))
    found = Whereabouts.parse("redis+sentinel://:word@a:1,b/main/2")
    assert found == Whereabouts("sentinel", (first, second), "main")
    assert Whereabouts.parse("redis://a:1/2").kind == "server"


@pytest.mark.parametrize(
    "url", ["redis+cluster://a/1", "redis+sentinel://a", "redis+sentinel://a/b/c", "amqp+cluster://a"]
)
def test_refuses_what_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Whereabouts.parse(url)


def test_a_password_before_several_hosts_is_put_out() -> None:
    assert redacted_url("redis+cluster://me:word@a:1,b:2") == "redis+cluster://me:***@a:1,b:2"
