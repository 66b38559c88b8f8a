"""Refusals about phone numbers."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound


class InvalidPhone(Invalid):
    """This is no phone number that can be called."""

    code = "invalid_phone"


class NoSuchNumber(NotFound):
    """No number has this id, or it is in a project that the caller was not granted."""

    code = "no_such_number"


class NumberExists(Conflict):
    """The project holds this number already."""

    code = "number_exists"


class NumberSuppressed(Conflict):
    """This number is on the list of those that are never called."""

    code = "number_suppressed"


class InvalidNumberFilter(Invalid):
    """This filter cannot be asked for: a field is out of its bounds."""

    code = "invalid_number_filter"


class InvalidNumberChange(Invalid):
    """This change names nothing that can be changed, or a value out of its bounds."""

    code = "invalid_number_change"


class TooManyNumbers(Invalid):
    """More numbers than one call may name."""

    code = "too_many_numbers"


class NotDue(Conflict):
    """The number may not be called now: its attempts are spent, or the cause of its failure does not pass."""

    code = "not_due"


class NoSuchSuppression(NotFound):
    """The list of numbers never called has no such entry within the caller's reach."""

    code = "no_such_suppression"


class InvalidSuppression(Invalid):
    """This entry of the list of numbers never called is out of its bounds."""

    code = "invalid_suppression"


class SuppressionExists(Conflict):
    """The number is on the list already."""

    code = "suppression_exists"


class ProjectNotActive(Conflict):
    """The project is paused: none of its numbers is given out for calling."""

    code = "project_not_active"
