"""Refusals about projects and what belongs to them."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound


class NoSuchProject(NotFound):
    """No project has this id, or the caller was not granted it."""

    code = "no_such_project"


class InvalidProject(Invalid):
    """A field of the project is out of its bounds."""

    code = "invalid_project"


class ProjectNotDeleted(Conflict):
    """The project is not deleted, so there is nothing to restore."""

    code = "project_not_deleted"


class NoSuchProvider(NotFound):
    """No provider has this id."""

    code = "no_such_provider"


class InvalidProvider(Invalid):
    """A field of the provider is out of its bounds."""

    code = "invalid_provider"


class ProviderInUse(Conflict):
    """Numbers or projects refer to this provider."""

    code = "provider_in_use"


class NoSuchGeo(NotFound):
    """No area has this id."""

    code = "no_such_geo"


class InvalidGeo(Invalid):
    """A field of the area is out of its bounds."""

    code = "invalid_geo"


class GeoInUse(Conflict):
    """Numbers or projects refer to this area."""

    code = "geo_in_use"


class InvalidSchedule(Invalid):
    """These hours cannot be kept: an entry is out of its bounds."""

    code = "invalid_schedule"


class NotGranted(NotFound):
    """This user has no grant to the project."""

    code = "not_granted"


class NoManagersRole(Invalid):
    """Only an active user with the role of a manager can be granted a project."""

    code = "no_managers_role"


class NotLinked(NotFound):
    """The project has no such link."""

    code = "not_linked"
