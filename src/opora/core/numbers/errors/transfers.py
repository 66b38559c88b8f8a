"""Refusals about imports and exports of numbers."""

from opora.core.kernel.errors import Conflict, Gone, Invalid, NotFound, Unavailable


class InvalidTransfer(Invalid):
    """This import or export cannot be asked for: a field of the request is out of its bounds."""

    code = "invalid_transfer"


class NoSuchTransfer(NotFound):
    """No import or export has this id, or it is of a project that the caller was not granted."""

    code = "no_such_transfer"


class TransferNotReady(Conflict):
    """The transfer has not come that far, or is of another kind."""

    code = "transfer_not_ready"


class TransferEnded(Conflict):
    """The transfer has ended; there is nothing to cancel."""

    code = "transfer_ended"


class TransferTouched(Conflict):
    """The import was taken back already, or cannot be."""

    code = "transfer_not_undoable"


class TransferExpired(Gone):
    """What the transfer left behind was kept for its time and is gone."""

    code = "transfer_expired"


class NoSuchDropFile(NotFound):
    """The partner's drop holds no file of this name."""

    code = "no_such_drop_file"


class DropUnavailable(Unavailable):
    """The partner's drop does not answer, or lets nobody in."""

    code = "drop_unavailable"


class DropRefused(Invalid):
    """The partner's drop does not do this: the name leads out of it, or its rights forbid it."""

    code = "drop_refused"
