"""Refusals of the profiles context."""

from opora.core.kernel.errors import Conflict, Gone, Invalid, NotFound


class InvalidGeneration(Invalid):
    """These people cannot be made: a field of the request is out of its bounds."""

    code = "invalid_generation"


class NoSuchProfile(NotFound):
    """No profile has this id, or it is not the caller's."""

    code = "no_such_profile"


class InvalidExport(Invalid):
    """This file cannot be asked for: a field of the request is out of its bounds."""

    code = "invalid_export"


class NoSuchExport(NotFound):
    """No export has this id, or it is not the caller's."""

    code = "no_such_export"


class ExportNotReady(Conflict):
    """The file is not made yet, or could not be made."""

    code = "export_not_ready"


class ExportExpired(Gone):
    """The file was kept for its time and is gone; ask for it anew."""

    code = "export_expired"


class ProfileGone(Gone):
    """A profile was deleted before the file was made."""

    code = "profile_gone"
