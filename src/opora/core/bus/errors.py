"""What can be wrong between the house and its bus."""

from opora.core.kernel.errors import NotFound, Unavailable


class BusUnavailable(Unavailable):
    """The event bus does not answer; what was to leave stays and is sent later."""

    code = "bus_unavailable"


class NoSuchEventType(NotFound):
    """There is no event of this type."""

    code = "no_such_event_type"
