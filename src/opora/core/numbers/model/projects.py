"""Projects, the providers and areas linked to them, and who sees which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

NAME_MAX = 255
ATTEMPTS_DEFAULT = 5
ATTEMPTS_MAX = 50
HOLIDAYS_MAX = 400
TIMEZONE_DEFAULT = "Europe/Moscow"


class ProjectStatus(StrEnum):
    """Whether a project's numbers are given out for calling; a deleted project is hidden whatever its status."""

    ACTIVE = "active"
    PAUSED = "paused"


class ZoneMode(StrEnum):
    """Whose clock a project's hours follow: that of each number, or the project's own."""

    NUMBER = "number"
    PROJECT = "project"


class ProviderStatus(StrEnum):
    """Whether a provider serves."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class ProjectReach:
    """Whose projects, and numbers in them, a caller sees: those granted to one user, or all where it is None.

    A key that belongs to no user (`user_id` 0) sees the projects it made: `maker` is its name.
    """

    user_id: int | None
    maker: str = ""


EVERY_PROJECT = ProjectReach(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A campaign: its hours are kept on the clock that `zone_mode` names, never on `holidays`.

    A number is called at most `attempts_max` times; at most `in_progress_max` numbers are out at once, if given.
    """

    id: int
    name: str
    description: str = ""
    status: ProjectStatus = ProjectStatus.ACTIVE
    timezone: str = TIMEZONE_DEFAULT
    zone_mode: ZoneMode = ZoneMode.NUMBER
    holidays: tuple[date, ...] = ()
    attempts_max: int = ATTEMPTS_DEFAULT
    in_progress_max: int | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where numbers come from; `contact_info` holds plain JSON values."""

    id: int
    name: str
    type: str | None = None
    contact_info: Mapping[str, object]
    status: ProviderStatus = ProviderStatus.ACTIVE
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Geo:
    """An area; its `timezone`, where given, is taken for the numbers that name it."""

    id: int
    country_code: str
    region: str | None = None
    city: str | None = None
    timezone: str | None = None
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The right of a manager to see a project and the numbers in it."""

    project_id: int
    user_id: int
    granted_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFilter:
    """Which projects are wanted; None wants any. Deleted ones are listed apart."""

    status: ProjectStatus | None = None
    text: str | None = None
    deleted: bool = False
