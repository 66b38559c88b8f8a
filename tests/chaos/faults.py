"""The faults of a run, each a few seconds long, in an order that a seed decides."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from chaos.town import LEASE_S, Town, rows
from servers import redis

PAST_THE_LEASE_S = LEASE_S + 1.5
PAST_AN_ANSWERS_LEASE_S = 11.0
"""Longer than a claimed Idempotency-Key is its process's own."""
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def kill_worker(town: Town, chance: Random) -> None:
    """Kill a worker and start another."""
    victim = town.working.pop(chance.randrange(len(town.working)))
    victim.kill()
    await asyncio.to_thread(town.forget, victim)
    await asyncio.to_thread(town.work)


async def kill_api(town: Town, chance: Random) -> None:
    """Kill an API process and start another in its place."""
    port = chance.choice(sorted(town.serving))
    victim = town.serving.pop(port)
    victim.kill()
    await asyncio.to_thread(town.forget, victim)
    await asyncio.to_thread(town.serve, port)


async def stop_worker(town: Town, chance: Random) -> None:
    """Stop a worker past the lease of its jobs, and let it go on."""
    await stopped(chance.choice(town.working).pid, PAST_THE_LEASE_S)


async def stop_api(town: Town, chance: Random) -> None:
    """Stop an API process past the lease of the calls it was answering, and let it go on."""
    await stopped(town.serving[chance.choice(sorted(town.serving))].pid, PAST_AN_ANSWERS_LEASE_S)


async def stopped(pid: int, seconds: float) -> None:
    """Stop a process of the run for so long."""
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


async def cut(town: Town, name: str, seconds: float) -> None:
    """Reset every connection to a server and refuse new ones for so long."""
    await town.proxies[name].cut()
    try:
        await asyncio.sleep(seconds)
    finally:
        await town.proxies[name].start()


async def cut_postgres(town: Town, chance: Random) -> None:
    """Cut PostgreSQL off."""
    await cut(town, "postgres", 0.5 + 2 * chance.random())


async def terminate_backends(town: Town, chance: Random) -> None:
    """End every session in PostgreSQL, as an administrator may."""
    await rows(town.database_url, TERMINATE)


async def crash_postgres(town: Town, chance: Random) -> None:
    """End PostgreSQL without a checkpoint, as a power cut of its process, and let it recover from its log."""
    await asyncio.to_thread(town.postgres.restart, signal.SIGQUIT)


async def flush_redis(town: Town, chance: Random) -> None:
    """Empty Redis."""
    await asyncio.to_thread(flushed, town.redis_url)


def flushed(url: str) -> None:
    """Empty the Redis of the run."""
    server = redis.Plain(url)
    try:
        server.call("FLUSHALL")
    finally:
        server.close()


async def freeze_redis(town: Town, chance: Random) -> None:
    """Let Redis accept and answer nothing."""
    town.redis.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(0.5 + 2 * chance.random())
    finally:
        town.redis.send(signal.SIGCONT)


async def cut_redis(town: Town, chance: Random) -> None:
    """Cut Redis off."""
    await cut(town, "redis", 0.5 + 2 * chance.random())


async def kill_redis(town: Town, chance: Random) -> None:
    """Kill Redis, which forgets everything, and start it again."""
    await asyncio.to_thread(town.redis.restart, signal.SIGKILL)


async def cut_rabbitmq(town: Town, chance: Random) -> None:
    """Cut RabbitMQ off."""
    await cut(town, "amqp", 0.5 + 2 * chance.random())


type Fault = Callable[[Town, Random], Awaitable[None]]

DECK: tuple[Fault, ...] = (
    kill_worker, kill_api, stop_worker, cut_postgres, terminate_backends, flush_redis, freeze_redis, cut_redis,
    kill_redis, crash_postgres, stop_api, kill_worker, kill_api,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Played:
    """A fault as it was played."""

    name: str
    from_s: float
    until_s: float


def dealt(town: Town, chance: Random) -> list[Fault]:
    """Return every fault that the town can have, shuffled."""
    deck = [*DECK, *([cut_rabbitmq] if "amqp" in town.proxies else [])]
    chance.shuffle(deck)
    return deck


async def play(town: Town, chance: Random, seconds: float, told: Callable[[str], None]) -> list[Played]:
    """Play fault after fault until the time is over, the whole deck before any of it again."""
    loop = asyncio.get_running_loop()
    began_s, played = loop.time(), list[Played]()
    deck: list[Fault] = []
    while (now_s := loop.time() - began_s) < seconds:
        deck = deck or dealt(town, chance)
        fault = deck.pop()
        name = fault.__name__.replace("_", " ")
        told(name)
        await fault(town, chance)
        played.append(Played(name, now_s, loop.time() - began_s))
        told("")
        with contextlib.suppress(TimeoutError):
            await asyncio.sleep(min(chance.uniform(0.5, 3.0), max(0.0, seconds - played[-1].until_s)))
    return played
