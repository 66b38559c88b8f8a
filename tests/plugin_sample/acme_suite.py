"""Acme holds its adapter to the contract, as any bank does in its own repository."""

from pathlib import Path

import pytest
from opora_acme import build

from opora.testing.core_banking import CoreBankingContract

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Opora runs on asyncio."""
    return "asyncio"


class TestAcme(CoreBankingContract):
    """Every promise of the port, on a folder of this test alone."""

    @pytest.fixture(autouse=True)
    def _bank(self, tmp_path: Path) -> None:
        self.bank = build({"folder": str(tmp_path / "acme")})
