"""Refusals about events of calls and about the numbering registry."""

from opora.core.kernel.errors import Invalid, Unauthenticated


class UnsignedWebhook(Unauthenticated):
    """The message bears no signature that fits it, or one too old."""

    code = "webhook_unsigned"


class InvalidCallEvent(Invalid):
    """A field of the event is out of its bounds."""

    code = "invalid_call_event"


class InvalidRegistry(Invalid):
    """The file is no table of numbering ranges."""

    code = "invalid_registry"
