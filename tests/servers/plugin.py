"""Fixtures that hand out databases of real servers, and the line that says which servers a run had."""

import asyncio
import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from servers import redis
from servers.fleet import AMQP, POSTGRES, REDIS, Absent, Fleet
from servers.maintenance import Maintenance, database_name, in_database
from servers.processes import Guarded

FLEET = pytest.StashKey[Fleet]()
TOLD = "opora_servers"
TEMPLATE_MADE = "template.made"
ROLE_PASSWORD = "lent-to-tests"
APP_ROLE, READER_ROLE = "opora_test_app", "opora_test_reader"


def pytest_configure(config: pytest.Config) -> None:
    """Lead the run, or join the one that started this worker."""
    told = getattr(config, "workerinput", {}).get(TOLD)
    try:
        config.stash[FLEET] = Fleet.joined(told) if told else Fleet.of_this_run()
    except (Absent, ValueError) as refusal:
        raise pytest.UsageError(str(refusal)) from refusal


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the run's servers to a worker of xdist."""
    node.workerinput[TOLD] = node.config.stash[FLEET].told()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Say which server each technology has."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        for name, choice in session.config.stash[FLEET].choices.items():
            reporter.write_line(f"{name}: {choice}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind: neither databases nor processes."""
    fleet = config.stash.get(FLEET, None)
    if fleet is None or hasattr(config, "workerinput"):
        return
    if fleet.choices[POSTGRES].url and (fleet.folder / TEMPLATE_MADE).exists():
        server = Maintenance(fleet.choices[POSTGRES].url)
        server.drop_run(fleet.pid)
        server.close()
    fleet.end()


@pytest.fixture(scope="session")
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """The servers of this run."""
    return request.config.stash[FLEET]


@contextmanager
def or_skip(name: str) -> Iterator[None]:
    """Skip the test where a server is absent; where CI is set only RabbitMQ, which no wheel brings, may be."""
    try:
        yield
    except Absent as absence:
        if os.environ.get("CI") and name != AMQP:
            pytest.fail(str(absence))
        pytest.skip(str(absence))


@pytest.fixture(scope="session")
def postgres_server(fleet: Fleet) -> Iterator[Maintenance]:
    """A PostgreSQL server to make databases on: `create(name)`, `drop(name)`, `url`."""
    with or_skip(POSTGRES):
        url = fleet.url(POSTGRES)
    server = Maintenance(url)
    yield server
    server.close()


@pytest.fixture(scope="session")
def migrated_postgres(fleet: Fleet, postgres_server: Maintenance) -> str:
    """The name of a database at the newest schema, which others are copied from; nobody connects to it."""
    from opora.adapters.sql import migrations  # seconds of imports that most runs do without

    name = database_name(fleet.pid, "template")
    with fleet.alone("template"):
        made = fleet.folder / TEMPLATE_MADE
        if not made.exists():
            made.touch()
            postgres_server.drop_abandoned()
            migrations.upgrade(postgres_server.create(name))
            lend_roles(postgres_server, name)
    return name


def lend_roles(server: Maintenance, name: str) -> None:
    """Grant a database to the role that the tests work under; one that lets us make none keeps to its owner."""
    from opora.adapters.sql import roles  # with the tables as data

    if not server.value("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"):
        return
    for role in (APP_ROLE, READER_ROLE):
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # of another run
            server.run(f"CREATE ROLE {role} LOGIN PASSWORD '{ROLE_PASSWORD}'")
    asyncio.run(roles.apply(in_database(server.url, name), roles.script(roles.RoleNames(APP_ROLE, READER_ROLE))))


def as_role(server: Maintenance, url: str, role: str) -> str:
    """Give the URL of a lent database for a role; the owner's where the server lets us make none."""
    if not server.value("SELECT count(*) FROM pg_roles WHERE rolname = $1", role):
        return url
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{ROLE_PASSWORD}@{place}"))


@pytest.fixture(scope="session")
def migrated_sqlite(fleet: Fleet) -> Path:
    """A file at the newest schema, which others are copied from."""
    file = fleet.folder / "template.db"
    with fleet.alone("sqlite"):
        if not file.exists():
            from opora.adapters.sql import blank  # as above

            made = fleet.folder / "unfinished.db"
            blank.lay(made)
            made.rename(file)
    return file


SERIAL = itertools.count(1)


def fresh_name(fleet: Fleet) -> str:
    """Name a database that no other test of the run uses."""
    return database_name(fleet.pid, f"{os.getpid()}_{next(SERIAL)}")


@pytest.fixture
def postgres_url(fleet: Fleet, postgres_server: Maintenance, migrated_postgres: str) -> Iterator[str]:
    """A fresh PostgreSQL database at the newest schema, gone after the test."""
    name = fresh_name(fleet)
    yield postgres_server.create(name, template=migrated_postgres)
    postgres_server.drop(name)


@pytest.fixture
def app_postgres_url(postgres_server: Maintenance, postgres_url: str) -> str:
    """The same database for the role that the program works under: no DDL, nothing removed that must stay."""
    return as_role(postgres_server, postgres_url, APP_ROLE)


@pytest.fixture
def reader_postgres_url(postgres_server: Maintenance, postgres_url: str) -> str:
    """The same database for the role of reports."""
    return as_role(postgres_server, postgres_url, READER_ROLE)


@pytest.fixture
def empty_postgres_url(fleet: Fleet, postgres_server: Maintenance) -> Iterator[str]:
    """A fresh PostgreSQL database without any table."""
    name = fresh_name(fleet)
    yield postgres_server.create(name)
    postgres_server.drop(name)


@pytest.fixture
def sqlite_file(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A fresh SQLite file at the newest schema."""
    return Path(shutil.copy(migrated_sqlite, tmp_path / "opora.db"))


@pytest.fixture
def redis_prefix() -> str:
    """A prefix for keys that no other test uses; keys under it are deleted after the test."""
    return f"opora_test:{uuid4().hex[:12]}:"


@pytest.fixture
def redis_url(fleet: Fleet, redis_prefix: str) -> Iterator[str]:
    """A Redis database: this worker's alone on a server of ours; on any other keep to keys under `redis_prefix`."""
    with or_skip(REDIS):
        url = fleet.url(REDIS).rstrip("/")
    ours = not fleet.choices[REDIS].url
    given = fleet.choices[REDIS].origin == "given"
    lane = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if not given:
        lanes = range(redis.DATABASES) if ours else redis.FOUND_DATABASES
        url = f"{url}/{lanes[(lane if ours else os.getpid()) % len(lanes)]}"
    yield url
    server = redis.Plain(url)
    if ours:
        server.call("FLUSHDB")
    else:
        server.delete(redis_prefix)
    server.close()


@pytest.fixture
def amqp_url(fleet: Fleet) -> str:
    """A RabbitMQ broker; declare queues with names of your own that delete themselves."""
    with or_skip(AMQP):
        return fleet.url(AMQP)


@dataclass(frozen=True, slots=True)
class Private:
    """A server that one test may restart, freeze and kill: `process.send`, `process.restart`, `process.stop`."""

    url: str
    process: Guarded


@pytest.fixture
def private_postgres(fleet: Fleet) -> Iterator[Private]:
    """A PostgreSQL server of this test alone, with an empty maintenance database."""
    with or_skip(POSTGRES):
        url, process = fleet.launch(POSTGRES, fleet.folder / f"private-{uuid4().hex[:8]}")
    yield Private(url, process)
    process.stop()


@pytest.fixture
def private_redis(fleet: Fleet) -> Iterator[Private]:
    """A Redis server of this test alone: flush it, freeze it, kill it."""
    with or_skip(REDIS):
        url, process = fleet.launch(REDIS, fleet.folder / f"private-{uuid4().hex[:8]}")
    yield Private(url, process)
    process.stop()
