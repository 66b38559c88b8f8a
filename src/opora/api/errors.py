"""Refusals that only exist over HTTP; every other code belongs to a context."""

from opora.core.kernel.errors import (
    Conflict,
    DomainError,
    Gone,
    Invalid,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
    Unavailable,
)


class BadRequest(DomainError):
    """The request cannot be read."""

    code = "bad_request"


class MalformedBody(BadRequest):
    """The body is not the JSON it claims to be."""

    code = "malformed_body"


class MalformedForm(BadRequest):
    """The form with files cannot be read."""

    code = "malformed_form"


class FormCutOff(BadRequest):
    """The connection ended before the form was whole."""

    code = "form_cut_off"


class TooDeep(BadRequest):
    """The JSON is nested deeper than its bound."""

    code = "too_deep"


class MalformedQuery(BadRequest):
    """The query string cannot be read."""

    code = "malformed_query"


class MalformedPath(BadRequest):
    """The path cannot be read."""

    code = "malformed_path"


class AmbiguousCredentials(BadRequest):
    """More than one credential of a kind was sent."""

    code = "ambiguous_credentials"


class CredentialsInQuery(BadRequest):
    """A credential was sent in the query string, where logs and histories keep it."""

    code = "credentials_in_query"


class IdentityHeader(BadRequest):
    """A header spells an identity that only the gateway may state."""

    code = "identity_header_refused"


class BadIdempotencyKey(BadRequest):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""

    code = "bad_idempotency_key"


class BodyTooSlow(DomainError):
    """The body did not arrive in time."""

    code = "body_too_slow"


class BodyTooLarge(TooLarge):
    """The body is larger than this call takes."""

    code = "body_too_large"


class TooManyParts(TooLarge):
    """The form has more parts, or longer headers of them, than this call takes."""

    code = "too_many_parts"


class AnsweredBefore(Conflict):
    """The first answer of this Idempotency-Key is given again."""

    code = "answered_before"


class UrlTooLong(DomainError):
    """The address is longer than its bound."""

    code = "url_too_long"


class HeadersTooLarge(DomainError):
    """The request's headers are larger than their bound."""

    code = "headers_too_large"


class MethodNotAllowed(DomainError):
    """This address does not answer to this method."""

    code = "method_not_allowed"


class NotAcceptable(DomainError):
    """The answer cannot be given in a form the request accepts."""

    code = "not_acceptable"


class UnsupportedMediaType(DomainError):
    """The body is of a type this call does not take."""

    code = "unsupported_media_type"


class PreconditionFailed(DomainError):
    """The record is not in the version that If-Match names."""

    code = "precondition_failed"


class UnsatisfiableRange(DomainError):
    """The range lies outside the file."""

    code = "unsatisfiable_range"


class ValidationFailed(Invalid):
    """The request is readable but its content is not valid; `errors` lists every field at fault."""

    code = "validation_failed"


class BadCursor(Invalid):
    """The cursor was not given out by this list."""

    code = "bad_cursor"


class NoSuchRoute(NotFound):
    """Nothing answers at this address."""

    code = "no_such_route"


class RateLimited(LimitExceeded):
    """Too many requests; ask again at `reset_at`."""

    code = "rate_limited"


class TooManyFailures(LimitExceeded):
    """Too many refused credentials came from this address."""

    code = "too_many_failures"


class VersionRetired(Gone):
    """This version of the API is past its sunset."""

    code = "version_retired"


class CredentialRevoked(Unauthenticated):
    """The credential was revoked, or ended by a sign-out."""

    code = "credential_revoked"


class InsufficientScope(PermissionDenied):
    """The caller's rights do not cover this call."""

    code = "insufficient_scope"


class InternalFault(DomainError):
    """Opora failed; the fault is logged under this trace."""

    code = "internal_error"


class Overloaded(Unavailable):
    """This process works on as many requests as it may at once."""

    code = "overloaded"


class RequestConflict(Conflict):
    """The request conflicts with the state of the record."""

    code = "request_conflict"


class CrossSite(PermissionDenied):
    """A page of another origin sent this, and cookies are heeded from pages of this origin alone."""

    code = "cross_site_request"
