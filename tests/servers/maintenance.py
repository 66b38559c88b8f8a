"""Making and dropping databases from plain fixtures, outside any test's event loop."""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Coroutine
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from servers.processes import alive

TIMEOUT_S = 30.0
HOSTNAME = sha256(socket.gethostname().encode()).hexdigest()[:6]
OURS = re.compile(rf"opora_test_{HOSTNAME}_(\d+)_")


def database_name(run_pid: int, rest: str) -> str:
    """Name a database so that a later run on this machine can tell whose it is and whether that run still lives."""
    return f"opora_test_{HOSTNAME}_{run_pid}_{rest}"


def in_database(url: str, name: str) -> str:
    """Give the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class Maintenance:
    """One connection to a server's maintenance database, kept by a loop in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._driver = self._wait(asyncpg.connect(url, timeout=TIMEOUT_S))
        except BaseException:
            self._end()
            raise

    def _wait[T](self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(TIMEOUT_S * 2)

    def value(self, sql: str, *arguments: object) -> Any:
        """Return the first column of the first row."""
        return self._wait(self._driver.fetchval(sql, *arguments))

    def run(self, sql: str) -> None:
        """Run one statement outside any transaction."""
        self._wait(self._driver.execute(sql))

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database and return its URL; letters of every script fold as Unicode says."""
        locale = " LOCALE 'C.UTF-8' ENCODING 'UTF8'" if template == "template0" else ""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{locale}')
        return in_database(self.url, name)

    def drop(self, name: str) -> None:
        """Drop a database whatever is connected to it."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def drop_run(self, run_pid: int) -> None:
        """Drop every database of one run."""
        self._drop_of(lambda pid: pid == run_pid)

    def drop_abandoned(self) -> None:
        """Drop the databases of runs on this machine that were killed."""
        self._drop_of(lambda pid: not alive(pid))

    def _drop_of(self, chosen: Any) -> None:
        names = self._wait(self._driver.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'opora\\_test\\_%'"))
        for (name,) in names:
            match = OURS.match(name)
            if match and chosen(int(match[1])):
                with contextlib.suppress(asyncpg.PostgresError):  # another run may be dropping it too
                    self.drop(name)

    def close(self) -> None:
        """Let the connection and the thread go."""
        self._wait(self._driver.close())
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def reachable(url: str) -> str:
    """Return the version of a server that lets us make databases, or an empty text."""
    try:
        server = Maintenance(url)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return ""
    try:
        may = server.value("SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
        return str(server.value("SHOW server_version")).split()[0] if may else ""
    finally:
        server.close()
