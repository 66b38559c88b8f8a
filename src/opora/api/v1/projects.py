"""HTTP face of campaigns: projects, their hours, and how well they do."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.values import LABEL_PATTERN, PathId, Positive, QueryText, Text
from opora.core.kernel.model import Actor, Page
from opora.core.numbers.errors.projects import NoSuchProject
from opora.core.numbers.model.conversion import Conversion
from opora.core.numbers.model.projects import (
    ATTEMPTS_DEFAULT,
    ATTEMPTS_MAX,
    HOLIDAYS_MAX,
    NAME_MAX,
    TIMEZONE_DEFAULT,
    Project,
    ProjectFilter,
    ProjectStatus,
    ZoneMode,
)
from opora.core.numbers.model.schedules import WINDOWS_MAX, CallingWindow
from opora.core.numbers.ports.projects import ProjectViews
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.rules.schedules import clock_time
from opora.core.numbers.usecases.conversion import RecalculateConversion, ShowConversion
from opora.core.numbers.usecases.projects import (
    CreateProject,
    DeleteProject,
    RestoreProject,
    SetSchedule,
    UpdateProject,
)

Name = Annotated[str, Meta(min_length=1, max_length=NAME_MAX, pattern=LABEL_PATTERN)]
Zone = Annotated[str, Meta(min_length=1, max_length=64, pattern=LABEL_PATTERN)]
Holidays = Annotated[list[date], Meta(max_length=HOLIDAYS_MAX)]
Attempts = Annotated[int, Meta(ge=1, le=ATTEMPTS_MAX)]
TimeOfDay = Annotated[str, Meta(min_length=5, max_length=15, pattern=r"^[0-9:.]+$(?!\n)")]


class NewProject(Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign is; `zone_mode` says whose clock its hours follow, each number's or that of `timezone`."""

    name: Name
    description: Text = ""
    status: ProjectStatus = ProjectStatus.ACTIVE
    timezone: Zone = TIMEZONE_DEFAULT
    zone_mode: ZoneMode = ZoneMode.NUMBER
    holidays: Holidays = []
    attempts_max: Attempts = ATTEMPTS_DEFAULT
    in_progress_max: Positive | None = None


class ProjectChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of a campaign; what is not sent stays."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    status: ProjectStatus | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    zone_mode: ZoneMode | UnsetType = UNSET
    holidays: Holidays | UnsetType = UNSET
    attempts_max: Attempts | UnsetType = UNSET
    in_progress_max: Positive | UnsetType | None = UNSET


class ShownProject(Struct, frozen=True):
    """A campaign; `status` is `deleted` for one that is hidden."""

    id: int
    name: str
    description: str
    status: str
    timezone: str
    zone_mode: ZoneMode
    holidays: Sequence[date]
    attempts_max: int
    in_progress_max: int | None
    is_deleted: bool
    deleted_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class WindowItem(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of a weekday, 0 being Monday; an end at or before the start lies on the next day."""

    weekday: Annotated[int, Meta(ge=0, le=6)]
    start_time: TimeOfDay
    end_time: TimeOfDay
    is_active: bool = True


class Week(Struct, frozen=True, forbid_unknown_fields=True):
    """Every window of a week, in place of those there were."""

    items: Annotated[list[WindowItem], Meta(max_length=WINDOWS_MAX)]


class ShownWeek(Struct, frozen=True):
    """A project's calling hours; none are none."""

    items: Sequence[WindowItem]


class Figures(Struct, frozen=True):
    """How a campaign did at one moment; the rate is successes in per cent of the numbers processed."""

    total_numbers: int
    processed_numbers: int
    success_numbers: int
    failed_numbers: int
    conversion_rate: float | None
    calculated_at: datetime


class ShownConversion(Figures, frozen=True):
    """How a campaign does, and how it did, the newest first."""

    history: Sequence[Figures]


Status = Annotated[ProjectStatus | None, QueryParameter(name="status", description="Projects in this status.")]


class ProjectController(Controller):
    """Campaigns of the caller; with `projects:read_all` everyone's."""

    path = "/projects"
    tags = ["Projects"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("projects:read"))
    async def projects(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[ProjectViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        status: Status = None,
        q: QueryText = None,
    ) -> Envelope[ShownProject]:
        """List projects, the newest first; `q` is looked for in name and description."""
        wanted = ProjectFilter(status=status, text=q)
        found = await views.page(reach(actor), wanted, page_request(limit, page))
        return envelope(shown_page(found), request.url)

    @get("/deleted", opt=needs("projects:read"))
    async def deleted(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[ProjectViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownProject]:
        """List deleted projects, the newest first; each can be restored."""
        found = await views.page(reach(actor), ProjectFilter(deleted=True), page_request(limit, page))
        return envelope(shown_page(found), request.url)

    @post(opt=needs("projects:write"))
    async def create(
        self, data: JSONBody[NewProject], actor: FromDishka[Actor], create: FromDishka[CreateProject]
    ) -> Response[ShownProject]:
        """Make a project; its maker sees it."""
        project = await create(actor, fields(data))
        return made(shown(project), f"/projects/{project.id}")

    @get("/{project_id:int}", opt=needs("projects:read"))
    async def project(
        self, project_id: PathId, actor: FromDishka[Actor], views: FromDishka[ProjectViews]
    ) -> ShownProject:
        """Read one project."""
        return shown(await seen(views, project_id, actor))

    @put("/{project_id:int}", opt=needs("projects:write"))
    async def replace(
        self,
        project_id: PathId,
        data: JSONBody[NewProject],
        actor: FromDishka[Actor],
        update: FromDishka[UpdateProject],
    ) -> ShownProject:
        """Replace a project; what is not sent takes its default."""
        return shown(await update(actor, project_id, fields(data)))

    @patch("/{project_id:int}", opt=needs("projects:write"))
    async def change(
        self,
        project_id: PathId,
        data: JSONBody[ProjectChanges],
        actor: FromDishka[Actor],
        update: FromDishka[UpdateProject],
    ) -> ShownProject:
        """Change a project."""
        return shown(await update(actor, project_id, fields(data)))

    @delete("/{project_id:int}", opt=needs("projects:write"))
    async def remove(self, project_id: PathId, actor: FromDishka[Actor], remove: FromDishka[DeleteProject]) -> None:
        """Hide a project and its numbers; nothing is lost."""
        await remove(actor, project_id)

    @post("/{project_id:int}/restore", status_code=200, opt={**needs("projects:write"), **details(refusals=(409,))})
    async def restore(
        self, project_id: PathId, actor: FromDishka[Actor], restore: FromDishka[RestoreProject]
    ) -> ShownProject:
        """Bring a deleted project back with its numbers."""
        return shown(await restore(actor, project_id))

    @get("/{project_id:int}/schedules", opt=needs("projects:read"))
    async def schedules(
        self, project_id: PathId, actor: FromDishka[Actor], views: FromDishka[ProjectViews]
    ) -> ShownWeek:
        """Read a project's calling hours."""
        project = await seen(views, project_id, actor)
        return shown_week(await views.windows(project.id))

    @put("/{project_id:int}/schedules", opt=needs("projects:write"))
    async def set_schedules(
        self,
        project_id: PathId,
        data: JSONBody[Week],
        actor: FromDishka[Actor],
        set_schedule: FromDishka[SetSchedule],
    ) -> ShownWeek:
        """Replace a project's calling hours; without any it does not call."""
        items = [(one.weekday, one.start_time, one.end_time, one.is_active) for one in data.items]
        return shown_week(await set_schedule(actor, project_id, items))

    @get("/{project_id:int}/conversion", opt=needs("projects:read"))
    async def conversion(
        self,
        project_id: PathId,
        actor: FromDishka[Actor],
        show: FromDishka[ShowConversion],
        limit: PageLimit = 50,
    ) -> ShownConversion:
        """Read how a project does: its newest figures, and up to `limit` of those before."""
        newest, history = await show(actor, project_id, limit)
        return shown_conversion(newest, history)

    @post("/{project_id:int}/recalculate-conversion", status_code=200, opt=needs("projects:write"))
    async def recalculate(
        self,
        project_id: PathId,
        actor: FromDishka[Actor],
        recalculate: FromDishka[RecalculateConversion],
        show: FromDishka[ShowConversion],
    ) -> ShownConversion:
        """Count a project now."""
        await recalculate(actor, project_id)
        newest, history = await show(actor, project_id, 50)
        return shown_conversion(newest, history)


async def seen(views: ProjectViews, project_id: int, actor: Actor) -> Project:
    """Return a project within the caller's reach; raises NoSuchProject."""
    project = await views.one(project_id, reach(actor))
    if project is None:
        raise NoSuchProject(project_id=project_id)
    return project


def fields(body: Struct) -> Mapping[str, object]:
    """Return the fields that were sent, lists as tuples."""
    sent = {name: value for name, value in structs.asdict(body).items() if value is not UNSET}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in sent.items()}


def shown(project: Project) -> ShownProject:
    """Return a project as it stands on the wire."""
    return ShownProject(
        id=project.id,
        name=project.name,
        description=project.description,
        status=str(project.status) if project.deleted_at is None else "deleted",
        timezone=project.timezone,
        zone_mode=project.zone_mode,
        holidays=project.holidays,
        attempts_max=project.attempts_max,
        in_progress_max=project.in_progress_max,
        is_deleted=project.deleted_at is not None,
        deleted_at=project.deleted_at,
        created_by=project.created_by,
        created_at=project.created_at,
        updated_at=project.updated_at,
    )


def shown_page(page: Page[Project]) -> Page[ShownProject]:
    """Return a page of projects as they stand on the wire."""
    return page.shown_as(shown)


def shown_week(windows: Sequence[CallingWindow]) -> ShownWeek:
    """Return calling hours as they stand on the wire."""
    return ShownWeek(
        [
            WindowItem(one.weekday, clock_time(one.start_minute), clock_time(one.end_minute), one.is_active)
            for one in windows
        ]
    )


def figures(found: Conversion) -> Figures:
    """Return figures as they stand on the wire."""
    return Figures(
        found.total_numbers,
        found.processed_numbers,
        found.success_numbers,
        found.failed_numbers,
        found.conversion_rate,
        found.calculated_at,
    )


def shown_conversion(newest: Conversion, history: Sequence[Conversion]) -> ShownConversion:
    """Return how a project does as it stands on the wire."""
    return ShownConversion(**structs.asdict(figures(newest)), history=[figures(one) for one in history])
