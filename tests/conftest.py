"""What every test may ask for: an event loop, the servers of the run, and the stores and units of work on them."""

import pytest

pytest_plugins = ("servers.plugin", "servers.stores", "servers.bucket", "servers.rings", "servers.canaries")


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"
