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


class MfaRequired(Unauthenticated):
    """The password is right; a code of the second factor has to follow."""

    code = "mfa_required"


class MfaTokenInvalid(Unauthenticated):
    """The log-in that this token belongs to has ended or waited too long; begin anew with the password."""

    code = "mfa_token_invalid"


class CodeWrong(Unauthenticated):
    """The code is not one of this moment, or was used before."""

    code = "code_wrong"


class StepUpNeeded(Unauthenticated):
    """This call wants a fresh sign-in, with the second factor where there is one."""

    code = "step_up_required"


class ClientUnknown(Unauthenticated):
    """The client's id and secret do not belong together."""

    code = "oauth_client_unknown"


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


class GrantNotAllowed(PermissionDenied):
    """This client may not get tokens in this way."""

    code = "grant_not_allowed"


class BeyondOwnRights(PermissionDenied):
    """Nobody can grant, or change, rights they do not hold themselves."""

    code = "beyond_own_rights"


class NoSuchKey(NotFound):
    """No API key has this id."""

    code = "no_such_key"


class NoSuchUser(NotFound):
    """No user has this id."""

    code = "no_such_user"


class NoSecondFactor(NotFound):
    """There is no second factor to confirm or to remove."""

    code = "no_second_factor"


class SecondFactorPresent(Conflict):
    """A second factor is in use; remove it before another takes its place."""

    code = "second_factor_present"


class NoSuchSession(NotFound):
    """No open session of yours has this id."""

    code = "no_such_session"


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


class RotationUnderWay(Conflict):
    """A new signing key is published already and waits for its time to sign."""

    code = "rotation_under_way"


class KeyInvalid(Invalid):
    """The fields of the API key do not hold."""

    code = "key_invalid"


class UserInvalid(Invalid):
    """The fields of the user do not hold."""

    code = "user_invalid"


class OneTimeTokenInvalid(Invalid):
    """The token of the letter is unknown, was used, or its time is over; ask for another letter."""

    code = "one_time_token_invalid"


class CurrentPasswordWrong(Invalid):
    """The present password is another."""

    code = "current_password_wrong"


class ConfirmationWrong(Invalid):
    """The code does not fit the secret that was shown; check the device's clock and send the code of this moment."""

    code = "confirmation_wrong"


class GrantInvalid(Invalid):
    """The request for a token lacks a field, or has one twice."""

    code = "grant_invalid"


class GrantUnsupported(Invalid):
    """Tokens are not given out in this way."""

    code = "grant_unsupported"


class ScopeBeyondGrant(Invalid):
    """A scope was asked for that cannot be granted here."""

    code = "scope_beyond_grant"


class TokenTypeUnsupported(Invalid):
    """What was presented is not taken back in this way."""

    code = "token_type_unsupported"


class LoginLimited(LimitExceeded):
    """Too many failed attempts to log in; wait before the next."""

    code = "login_limited"


class HashingBusy(Unavailable):
    """More passwords wait to be checked than the service can check soon."""

    code = "hashing_busy"


class FactorUnreadable(Unavailable):
    """The second factor cannot be read: the encryption key is not the one it was kept under."""

    code = "factor_unreadable"


class SigningKeyMissing(Unavailable):
    """No key is there yet to sign access tokens with."""

    code = "signing_key_missing"


class TicketInvalid(Unauthenticated):
    """The ticket is unknown, was used, or is too old; ask for another."""

    code = "ticket_invalid"


class TicketNeedsPerson(Conflict):
    """Streams are for people; this key acts for nobody."""

    code = "ticket_needs_person"
