"""The servers that tests stand on are what they say, and are left clean."""

import signal
from pathlib import Path

import asyncpg
import pytest

from opora.adapters.sql.connection import Database
from servers import fleet as fleets
from servers import redis
from servers.fleet import Absent, Choice
from servers.plugin import Private

pytestmark = pytest.mark.anyio


async def test_a_database_is_at_the_newest_schema_and_empty(database: Database) -> None:
    assert await database.read.fetch_value("SELECT count(*) FROM jobs") == 0


async def test_postgresql_folds_letters_of_every_script(postgres_database: Database) -> None:
    assert await postgres_database.read.fetch_value("SELECT lower('ОПОРА')") == "опора"


async def test_two_tests_never_share_a_database(postgres_url: str, empty_postgres_url: str) -> None:
    connection = await asyncpg.connect(empty_postgres_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    finally:
        await connection.close()
    assert postgres_url != empty_postgres_url


def test_redis_keeps_and_deletes_under_the_prefix_of_the_test(redis_url: str, redis_prefix: str) -> None:
    server = redis.Plain(redis_url)
    server.call("SET", redis_prefix + "a", "1")
    assert server.call("GET", redis_prefix + "a") == "1"
    server.delete(redis_prefix)
    assert server.call("GET", redis_prefix + "a") is None
    server.close()


def test_a_private_redis_can_be_killed_and_started_again(private_redis: Private) -> None:
    private_redis.process.restart(signal.SIGKILL)
    assert redis.reachable(private_redis.url).startswith("Valkey")


async def test_a_private_postgresql_keeps_its_data_over_a_restart(private_postgres: Private) -> None:
    connection = await asyncpg.connect(private_postgres.url)
    await connection.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
    await connection.close()
    private_postgres.process.restart()
    connection = await asyncpg.connect(private_postgres.url)
    try:
        assert await connection.fetchval("SELECT id FROM kept") == 7
    finally:
        await connection.close()


def test_a_named_server_that_does_not_serve_stops_the_run() -> None:
    with pytest.raises(Absent, match="OPORA_TEST_REDIS_URL names"):
        fleets.choose({"OPORA_TEST_REDIS_URL": "redis://127.0.0.1:1"})


def test_wheels_can_be_forced_where_servers_are_found() -> None:
    choices = fleets.choose({"OPORA_TEST_SERVERS": "wheels", "OPORA_TEST_REDIS_URL": "redis://127.0.0.1:1"})
    assert choices[fleets.POSTGRES].origin == "started from the wheel"
    assert choices[fleets.REDIS] == Choice("started from the wheel")
    assert choices[fleets.AMQP] == fleets.ABSENT


def test_a_fleet_is_joined_by_what_it_tells(tmp_path: Path) -> None:
    first = fleets.Fleet(tmp_path, 1, {fleets.REDIS: Choice("found", "redis://127.0.0.1:6379", "Redis 7")})
    second = fleets.Fleet.joined(first.told())
    assert second.choices == first.choices
    assert second.url(fleets.REDIS) == "redis://127.0.0.1:6379"
