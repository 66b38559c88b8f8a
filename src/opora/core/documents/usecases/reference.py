"""What can be done with the lists and the people behind documents."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from opora.core.documents.errors import InvalidCategory, InvalidClient, NoSuchClient
from opora.core.documents.model.clients import ClientProfile
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.reference import Category, ReferenceList
from opora.core.documents.ports.reference import ReferenceTx, ReferenceViews
from opora.core.documents.rules import clients as rules
from opora.core.documents.rules.calendar import today
from opora.core.documents.rules.uploads import reach
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork

PROCESSING_DAYS_MAX = 3_650
RETENTION_DAYS_MAX = 36_500
LISTED = {
    "financial_position_id": ReferenceList.FINANCIAL_POSITIONS,
    "user_type_id": ReferenceList.USER_TYPES,
}
"""Fields of a profile that name an entry of a list."""


@dataclass(frozen=True, slots=True)
class AddCategory:
    """Add a kind of paper."""

    unit: UnitOfWork[ReferenceTx]
    clock: Clock

    async def __call__(
        self, actor: Actor, name: str, code: str | None, processing_days: int, retention_days: int
    ) -> Category:
        """Return the category; raises InvalidCategory, CategoryTaken. Without a code it gets one of its id."""
        errors: dict[str, list[str]] = {}
        if not 0 <= processing_days <= PROCESSING_DAYS_MAX:
            errors["processing_days"] = [f"is between 0 and {PROCESSING_DAYS_MAX}"]
        if not 0 <= retention_days <= RETENTION_DAYS_MAX:
            errors["retention_days"] = [f"is between 0 and {RETENTION_DAYS_MAX}"]
        if not name.strip():
            errors["name"] = ["is not blank"]
        if errors:
            raise InvalidCategory(errors=errors)
        now = self.clock.now()
        async with self.unit() as tx:
            id = await tx.categories.next_id()
            category = Category(
                id=id,
                code=(code or f"category-{id}").casefold(),
                name=name.strip(),
                processing_days=processing_days,
                retention_days=retention_days,
                created_at=now,
            )
            await tx.categories.add(category)
            new = {"name": category.name, "code": category.code}
            await tx.audit.record(
                Change(
                    actor=actor,
                    action="category.added",
                    entity_type="category",
                    entity_id=str(id),
                    at=now,
                    new=new,
                )
            )
        return category


@dataclass(frozen=True, slots=True)
class KeepClientProfile:
    """Say of a person who they are to the bank."""

    unit: UnitOfWork[ReferenceTx]
    lists: ReferenceViews
    clock: Clock
    desk: Desk

    async def __call__(self, actor: Actor, user_id: int, changes: Mapping[str, object]) -> ClientProfile:
        """Change the fields named, and return the profile; raises NoSuchClient, NotYoursToSay, InvalidClient."""
        await self._refuse_unlisted(changes)
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.clients.get(user_id, reach(actor))
            if before is None:
                raise NoSuchClient(user_id=user_id)
            after = rules.changed(before, changes, actor, now, today(self.desk.calendar, now))
            await tx.clients.save(after, before.version)
            # Which fields changed is told; what they hold is nobody's business but the bank's and the client's.
            fields = [name for name, value in asdict(after).items() if asdict(before)[name] != value]
            await tx.audit.record(
                Change(
                    actor=actor,
                    action="client.changed",
                    entity_type="client",
                    entity_id=str(user_id),
                    at=now,
                    new={"fields": sorted(set(fields) - {"updated_at", "version"})},
                )
            )
        return after

    async def _refuse_unlisted(self, changes: Mapping[str, object]) -> None:
        errors: dict[str, list[str]] = {}
        for field, of in LISTED.items():
            if changes.get(field) is not None:
                known = {item.id for item in await self.lists.items(of)}
                if changes[field] not in known:
                    errors[field] = [f"is one of {', '.join(map(str, sorted(known)))}"]
        if errors:
            raise InvalidClient(errors=errors)


USE_CASES = (AddCategory, KeepClientProfile)
