"""What people can do with projects: make them, change them, hide them, set their hours, grant them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opora.core.access.model.scopes import Role
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.numbers.errors.projects import (
    NoManagersRole,
    NoSuchProject,
    NotGranted,
    NotLinked,
    ProjectNotDeleted,
)
from opora.core.numbers.events.projects import ProjectCreated, ProjectDeleted, ProjectRestored, ProjectUpdated
from opora.core.numbers.model.projects import Grant, Project
from opora.core.numbers.model.schedules import CallingWindow
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import schedules
from opora.core.numbers.rules.projects import refuse_bad_project
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.usecases.traces import differences, entry

PROJECT = "project"


async def found(tx: NumberTx, actor: Actor, id: int) -> Project:
    """Return a project within the caller's reach, locked; raises NoSuchProject."""
    project = await tx.projects.get(id, reach(actor))
    if project is None:
        raise NoSuchProject(project_id=id)
    return project


@dataclass(frozen=True, slots=True)
class CreateProject:
    """Make a campaign; its maker, where they do not see all of them anyway, is granted it."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, fields: Mapping[str, object]) -> Project:
        """Raise InvalidProject, naming every field at fault."""
        now = self.clock.now()
        async with self.unit() as tx:
            id = await tx.projects.next_id()
            blank = Project(id=id, name="", created_by=actor.subject, created_at=now, updated_at=now)
            project = replace(blank, **fields)  # type: ignore[arg-type]  # the edge's struct has the same field types
            refuse_bad_project(project)
            await tx.projects.add(project)
            user_id = reach(actor).user_id
            if user_id:
                await tx.projects.grant(Grant(project_id=id, user_id=user_id, granted_by=actor.subject, created_at=now))
            await tx.outbox.add(ProjectCreated(subject=id, at=now))
            await tx.audit.record(
                entry(actor, "project.created", (PROJECT, id), now, new=differences(blank, project)[1])
            )
        return project


@dataclass(frozen=True, slots=True)
class UpdateProject:
    """Change a campaign."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, changes: Mapping[str, object]) -> Project:
        """Change the fields named; raises NoSuchProject, InvalidProject."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await found(tx, actor, id)
            after = replace(before, **changes, updated_at=now, version=before.version + 1)  # type: ignore[arg-type]  # the same
            refuse_bad_project(after)
            await tx.projects.save(after)
            old, new = differences(before, after)
            await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=tuple(sorted(new))))
            await tx.audit.record(entry(actor, "project.updated", (PROJECT, id), now, old, new))
        return after


@dataclass(frozen=True, slots=True)
class DeleteProject:
    """Hide a campaign and all its numbers; nothing is lost."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> None:
        """Raise NoSuchProject where there is none within the caller's reach, or it is hidden already."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await found(tx, actor, id)
            await tx.projects.save(replace(before, deleted_at=now, updated_at=now, version=before.version + 1))
            await tx.outbox.add(ProjectDeleted(subject=id, at=now))
            await tx.audit.record(entry(actor, "project.deleted", (PROJECT, id), now))


@dataclass(frozen=True, slots=True)
class RestoreProject:
    """Bring a hidden campaign back."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int) -> Project:
        """Raise NoSuchProject where there is none within reach, ProjectNotDeleted where it is not hidden."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await tx.projects.get(id, reach(actor), deleted=True)
            if before is None:
                await found(tx, actor, id)
                raise ProjectNotDeleted(project_id=id)
            after = replace(before, deleted_at=None, updated_at=now, version=before.version + 1)
            await tx.projects.save(after)
            await tx.outbox.add(ProjectRestored(subject=id, at=now))
            await tx.audit.record(entry(actor, "project.restored", (PROJECT, id), now))
        return after


@dataclass(frozen=True, slots=True)
class SetSchedule:
    """Replace a campaign's week of calling hours."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(
        self, actor: Actor, id: int, items: Sequence[tuple[int, str, str, bool]]
    ) -> Sequence[CallingWindow]:
        """Raise InvalidSchedule, naming every entry at fault, or NoSuchProject."""
        now = self.clock.now()
        windows = schedules.week(items)
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            before = await tx.projects.windows(id)
            await tx.projects.set_windows(project.id, windows)
            await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("schedules",)))
            change = entry(
                actor,
                "project.schedule_set",
                (PROJECT, id),
                now,
                {"schedules": [schedules.words(one) for one in before]},
                {"schedules": [schedules.words(one) for one in windows]},
            )
            await tx.audit.record(change)
        return windows


@dataclass(frozen=True, slots=True)
class LinkProvider:
    """Say that a provider's numbers belong to a campaign."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, provider_id: int) -> bool:
        """Tell whether the link is new; raises NoSuchProject, NoSuchProvider."""
        now = self.clock.now()
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            is_new = await tx.projects.link_provider(project.id, provider_id, now)
            if is_new:
                new = {"provider_id": provider_id}
                await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("providers",)))
                await tx.audit.record(entry(actor, "project.provider_linked", (PROJECT, id), now, new=new))
        return is_new


@dataclass(frozen=True, slots=True)
class UnlinkProvider:
    """Undo the link of a provider."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, provider_id: int) -> None:
        """Raise NoSuchProject, or NotLinked where there is no such link."""
        now = self.clock.now()
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            if not await tx.projects.unlink_provider(project.id, provider_id):
                raise NotLinked(project_id=id, provider_id=provider_id)
            old = {"provider_id": provider_id}
            await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("providers",)))
            await tx.audit.record(entry(actor, "project.provider_unlinked", (PROJECT, id), now, old))


@dataclass(frozen=True, slots=True)
class LinkGeo:
    """Say that a campaign calls an area."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, geo_id: int) -> bool:
        """Tell whether the link is new; raises NoSuchProject, NoSuchGeo."""
        now = self.clock.now()
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            is_new = await tx.projects.link_geo(project.id, geo_id, now)
            if is_new:
                await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("geo",)))
                await tx.audit.record(entry(actor, "project.geo_linked", (PROJECT, id), now, new={"geo_id": geo_id}))
        return is_new


@dataclass(frozen=True, slots=True)
class UnlinkGeo:
    """Undo the link of an area."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, geo_id: int) -> None:
        """Raise NoSuchProject, or NotLinked where there is no such link."""
        now = self.clock.now()
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            if not await tx.projects.unlink_geo(project.id, geo_id):
                raise NotLinked(project_id=id, geo_id=geo_id)
            await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("geo",)))
            await tx.audit.record(entry(actor, "project.geo_unlinked", (PROJECT, id), now, {"geo_id": geo_id}))


@dataclass(frozen=True, slots=True)
class GrantProject:
    """Let a manager see a campaign and the numbers in it."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, user_id: int) -> tuple[Grant, bool]:
        """Return the grant and whether it is new; raises NoSuchProject, NoManagersRole."""
        now = self.clock.now()
        grant = Grant(project_id=id, user_id=user_id, granted_by=actor.subject, created_at=now)
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            user = await tx.users.get(user_id)
            if user is None or not user.is_active or not user.roles & {Role.MANAGER, Role.ADMIN}:
                raise NoManagersRole(errors={"user_id": ["is no active user with the role of a manager"]})
            is_new = await tx.projects.grant(grant)
            if is_new:
                await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("managers",)))
                change = entry(actor, "project.granted", (PROJECT, project.id), now, new={"user_id": user_id})
                await tx.audit.record(change)
        return grant, is_new


@dataclass(frozen=True, slots=True)
class WithdrawProject:
    """Take a manager's grant back: from the next call on they do not see the campaign."""

    unit: UnitOfWork[NumberTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, user_id: int) -> None:
        """Raise NoSuchProject, or NotGranted where there is no such grant."""
        now = self.clock.now()
        async with self.unit() as tx:
            project = await found(tx, actor, id)
            if not await tx.projects.withdraw(project.id, user_id):
                raise NotGranted(project_id=id, user_id=user_id)
            await tx.outbox.add(ProjectUpdated(subject=id, at=now, fields=("managers",)))
            await tx.audit.record(entry(actor, "project.withdrawn", (PROJECT, id), now, {"user_id": user_id}))


USE_CASES = (
    CreateProject,
    UpdateProject,
    DeleteProject,
    RestoreProject,
    SetSchedule,
    LinkProvider,
    UnlinkProvider,
    LinkGeo,
    UnlinkGeo,
    GrantProject,
    WithdrawProject,
)
