"""The contract of the version registry."""

from datetime import date

import pytest

from opora.core.kernel.model import ApiVersion, VersionStatus
from opora.core.kernel.ports import UnitOfWork, VersionRegistry, VersionTx

FIRST = "v1"
"""The version that every registry begins with."""


class VersionRegistryContract:
    """What every registry promises."""

    unit: UnitOfWork[VersionTx]
    registry: VersionRegistry

    async def test_it_begins_with_one_stable_version(self) -> None:
        (first,) = await self.registry.versions()
        assert (first.version, first.status) == (FIRST, VersionStatus.STABLE)

    @pytest.mark.parametrize("status", VersionStatus)
    async def test_a_saved_version_is_given_back_whole(self, status: VersionStatus) -> None:
        changed = ApiVersion(FIRST, status, None, date(2030, 1, 1), date(2031, 2, 3), "v2")
        async with self.unit() as tx:
            await tx.versions.save(changed)
            assert await tx.versions.get(FIRST) == changed
        assert list(await self.registry.versions()) == [changed]

    async def test_a_rollback_changes_nothing(self) -> None:
        before = await self.registry.versions()
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.versions.save(ApiVersion(FIRST, VersionStatus.RETIRED))
                raise ZeroDivisionError
        assert await self.registry.versions() == before

    async def test_there_is_no_version_of_another_name(self) -> None:
        async with self.unit() as tx:
            assert await tx.versions.get("v0") is None
