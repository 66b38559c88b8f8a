"""What can be done with the versions of the API."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

from opora.core.kernel.errors import NoSuchVersion
from opora.core.kernel.model import Actor, ApiVersion, Change, VersionStatus
from opora.core.kernel.ports import Clock, UnitOfWork, VersionTx
from opora.core.kernel.rules import refuse_bad_version


@dataclass(frozen=True, slots=True)
class ChangeVersion:
    """Say of a version how long it will live and what follows it."""

    unit: UnitOfWork[VersionTx]
    clock: Clock

    async def __call__(
        self, actor: Actor, version: str, changes: Mapping[str, VersionStatus | date | str | None]
    ) -> ApiVersion:
        """Change the fields named, and return the version; raises NoSuchVersion, VersionInvalid."""
        async with self.unit() as tx:
            before = await tx.versions.get(version)
            if before is None:
                raise NoSuchVersion
            after = replace(before, **changes)  # type: ignore[arg-type]  # the edge's struct has the same field types
            refuse_bad_version(after)
            await tx.versions.save(after)
            await tx.audit.record(
                Change(
                    actor=actor,
                    action="version.changed",
                    entity_type="api_version",
                    entity_id=version,
                    old={name: told(value) for name, value in asdict(before).items() if name in changes},
                    new={name: told(value) for name, value in asdict(after).items() if name in changes},
                    at=self.clock.now(),
                )
            )
        return after


def told(value: object) -> object:
    """Return a value as the audit log keeps it."""
    return value.isoformat() if isinstance(value, date) else value


USE_CASES = (ChangeVersion,)
