"""The kinds of refusal. A context subclasses one of them with a docstring (the title) and a stable code."""

from typing import ClassVar


class DomainError(Exception):
    """Something asked for cannot be done."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: object) -> None:
        """Keep `detail` for the reader and `facts` (plain JSON values) for the program that asked."""
        super().__init__(detail or (self.__doc__ or "").strip().split("\n")[0])
        self.facts = facts


class Invalid(DomainError):
    """The request breaks a rule about its own content."""

    code = "invalid"

    def __init__(self, detail: str = "", *, errors: dict[str, list[str]] | None = None, **facts: object) -> None:
        """`errors` maps a field's dotted path to every message about it."""
        super().__init__(detail, **facts)
        self.errors = errors or {}


class Unauthenticated(DomainError):
    """Nobody is known to be asking."""

    code = "unauthenticated"


class PaymentRequired(DomainError):
    """The balance does not cover it."""

    code = "payment_required"


class PermissionDenied(DomainError):
    """The caller may see this but not do it."""

    code = "permission_denied"


class NotFound(DomainError):
    """There is no such thing, or the caller may not see it."""

    code = "not_found"


class Conflict(DomainError):
    """The present state forbids it; asking later or differently may work."""

    code = "conflict"


class Gone(DomainError):
    """It was here and is not any more."""

    code = "gone"


class TooLarge(DomainError):
    """The request is larger than its bound."""

    code = "too_large"


class WrongMedia(DomainError):
    """The content is of a kind that is not taken here."""

    code = "wrong_media"


class LimitExceeded(DomainError):
    """A rate or a quota is spent."""

    code = "limit_exceeded"


class Unavailable(DomainError):
    """A system Opora depends on does not answer; ask again after `retry_after_s`."""

    code = "unavailable"

    def __init__(self, detail: str = "", *, retry_after_s: int = 1, **facts: object) -> None:
        super().__init__(detail, **facts)
        self.retry_after_s = retry_after_s


class Stale(Conflict):
    """Someone else changed it first; read it again."""

    code = "stale"


class IllegalMove(Conflict):
    """The state of the record does not allow this move."""

    code = "illegal_move"


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"


class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was used with another request."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first call with this Idempotency-Key has not ended yet."""

    code = "idempotency_still_running"


class Overtaken(Conflict):
    """Another call with the same Idempotency-Key took over; nothing of this one was kept."""

    code = "idempotency_overtaken"


class AnswerLost(Conflict):
    """The first call had its effect but its answer was lost; read the record instead of repeating."""

    code = "idempotency_answer_lost"


class NoSuchBlob(NotFound):
    """The store keeps no file of this name."""

    code = "no_such_blob"


class BlobTooLarge(TooLarge):
    """The file is larger than it may be."""

    code = "blob_too_large"


class StorageUnavailable(Unavailable):
    """The store of files does not answer or has no room."""

    code = "storage_unavailable"


class NoSuchVersion(NotFound):
    """There is no such version of the API."""

    code = "version_not_found"


class VersionInvalid(Invalid):
    """The version's dates or its successor do not fit together."""

    code = "version_invalid"
