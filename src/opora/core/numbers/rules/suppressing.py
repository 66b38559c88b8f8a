"""Who may say that a number is never called, and which numbers that concerns."""

from opora.core.kernel.errors import PermissionDenied
from opora.core.numbers.errors.numbers import InvalidSuppression
from opora.core.numbers.model.numbers import NumberStatus, PhoneNumber, Suppression
from opora.core.numbers.model.projects import ProjectReach


def refuse_beyond_reach(project_id: int | None, reach: ProjectReach) -> None:
    """Raise PermissionDenied for an entry of every project, unless the caller sees every project."""
    if project_id is None and reach.user_id is not None:
        raise PermissionDenied("Entries of every project are for those who see every project.")


def refuse_homeless(project_id: int | None, reach: ProjectReach) -> None:
    """Raise InvalidSuppression for an entry of every project, unless the caller sees every project."""
    if project_id is None and reach.user_id is not None:
        raise InvalidSuppression(errors={"project_id": ["is left out only by those who see every project"]})


def concerns(entry: Suppression, number: PhoneNumber) -> bool:
    """Tell whether an entry ends a number's campaign."""
    return number.status is not NumberStatus.SUPPRESSED and entry.project_id in {None, number.project_id}
