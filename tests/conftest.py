"""What every test may ask for: an event loop, the servers of the run, and the stores and units of work on them."""

import os

import pytest

# The servers of a run are on loopback and have no TLS. A connection that is given up while the driver asks for TLS
# leaves an error that nobody hears, which pytest would lay at the door of whichever test runs then.
os.environ.setdefault("PGSSLMODE", "disable")

pytest_plugins = ("servers.plugin", "servers.stores", "servers.bucket", "servers.rings", "servers.canaries")


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"
