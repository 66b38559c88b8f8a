"""A store of buckets for the tests: moto's server, as a process of its own on a free port."""

import http.client
import os
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from servers.fleet import Fleet
from servers.processes import HOST, Guarded, free_port


def answers(port: int) -> bool:
    """Tell whether the store answers there."""
    return asked(port, "GET", "/moto-api/") is not None


def asked(port: int, method: str, path: str) -> bytes | None:
    """Ask the store, unsigned; None where it does not answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().read()
    except OSError:
        return None
    finally:
        connection.close()


@pytest.fixture(scope="session")
def bucket_server(fleet: Fleet) -> Iterator[int]:
    """The port of a store of buckets that ends with the run."""
    folder = fleet.folder / f"buckets-{uuid4().hex[:8]}"
    folder.mkdir()
    port = free_port()
    process = Guarded([sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], folder, os.getpid())
    process.wait_until(lambda: answers(port))
    yield port
    process.stop()
