"""Refusals of the profiles context."""

from opora.core.kernel.errors import Invalid, NotFound


class InvalidGeneration(Invalid):
    """These people cannot be made: a field of the request is out of its bounds."""

    code = "invalid_generation"


class NoSuchProfile(NotFound):
    """No profile has this id, or it is not the caller's."""

    code = "no_such_profile"
