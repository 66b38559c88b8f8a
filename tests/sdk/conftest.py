"""A service for the clients: one that runs, with an administrator who may do everything."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from e2e.running import Installation

ADMIN, PASSWORD = "chief@example.com", "correct horse battery"


@dataclass(frozen=True, slots=True)
class Served:
    """Where a service answers."""

    address: str
    installation: Installation


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An embedded installation with an administrator."""
    installation = Installation(tmp_path_factory.mktemp("sdk") / "home").migrated()
    installation.command("users", "create", "--email", ADMIN, "--role", "admin", given=f"{PASSWORD}\n")
    try:
        yield Served(installation.serve(), installation)
    finally:
        codes = installation.end()
    assert set(codes) <= {0}
