"""Refusals of the access context."""

from opora.core.kernel.errors import (
    Conflict,
    Invalid,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)


class CredentialsAmbiguous(Unauthenticated):
    """The request carries two different credentials."""

    code = "credentials_ambiguous"


class CredentialsWrong(Unauthenticated):
    """The address and the password do not belong together."""

    code = "credentials_wrong"


class KeyMalformed(Unauthenticated):
    """The text is not an API key: its form or its checksum is wrong."""

    code = "key_malformed"


class KeyUnknown(Unauthenticated):
    """No API key has this text."""

    code = "key_unknown"


class KeyExpired(Unauthenticated):
    """The API key's time is over."""

    code = "key_expired"


class KeyRotated(Unauthenticated):
    """The API key was replaced by a newer one, and the overlap of the two has ended."""

    code = "key_rotated"


class KeyRevoked(Unauthenticated):
    """The API key was revoked."""

    code = "key_revoked"


class KeyDisabled(Unauthenticated):
    """The API key is switched off for now."""

    code = "key_disabled"


class KeyOwnerBlocked(Unauthenticated):
    """The person who owns the API key is blocked."""

    code = "key_owner_blocked"


class TokenMalformed(Unauthenticated):
    """The text is not an access token of this service."""

    code = "token_malformed"


class TokenInvalid(Unauthenticated):
    """The access token's signature or one of its claims does not hold."""

    code = "token_invalid"


class TokenExpired(Unauthenticated):
    """The access token's time is over."""

    code = "token_expired"


class TokenRevoked(Unauthenticated):
    """The access token was revoked: its session ended, or its owner was blocked."""

    code = "token_revoked"


class RefreshInvalid(Unauthenticated):
    """The refresh token is unknown, expired, or of a session that has ended."""

    code = "refresh_token_invalid"


class RefreshReused(Unauthenticated):
    """The refresh token was used before; its whole session has been ended."""

    code = "refresh_token_reused"


class AddressNotAllowed(PermissionDenied):
    """The API key may not be used from this network address."""

    code = "address_not_allowed"


class ScopeMissing(PermissionDenied):
    """A scope that this call needs was not granted."""

    code = "scope_missing"


class BeyondOwnRights(PermissionDenied):
    """Nobody can grant, or change, rights they do not hold themselves."""

    code = "beyond_own_rights"


class NoSuchKey(NotFound):
    """No API key has this id."""

    code = "no_such_key"


class NoSuchUser(NotFound):
    """No user has this id."""

    code = "no_such_user"


class KeyTaken(Conflict):
    """An API key with this secret exists already."""

    code = "key_taken"


class KeyNotRotatable(Conflict):
    """Only a working key that was not rotated before can be rotated."""

    code = "key_not_rotatable"


class EmailTaken(Conflict):
    """Another user has this e-mail address."""

    code = "email_taken"


class LastAdmin(Conflict):
    """Someone must stay who can administer the service."""

    code = "last_admin"


class KeyInvalid(Invalid):
    """The fields of the API key do not hold."""

    code = "key_invalid"


class UserInvalid(Invalid):
    """The fields of the user do not hold."""

    code = "user_invalid"


class LoginLimited(LimitExceeded):
    """Too many failed attempts to log in; wait before the next."""

    code = "login_limited"


class HashingBusy(Unavailable):
    """More passwords wait to be checked than the service can check soon."""

    code = "hashing_busy"


class SigningKeyMissing(Unavailable):
    """No key is there yet to sign access tokens with."""

    code = "signing_key_missing"
