"""What people prove things with besides a password: tokens of letters, codes of a device, devices known from before."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from opora.core.access.model.people import User


class Purpose(StrEnum):
    """What a one-time token is good for, and for nothing else."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a purpose
    FINISH_LOGIN = "finish_login"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeToken:
    """What is kept of a token that somebody was given: its digest, never its text. Spent, it is gone."""

    digest: bytes = field(repr=False)
    purpose: Purpose
    user_id: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """A person's TOTP secret, encrypted; it counts once it was confirmed with a code.

    `last_step` is the time step of the last code that was taken: no code is taken twice.
    """

    user_id: int
    sealed: bytes = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A second factor at the one moment its secret and its recovery codes are shown."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodes:
    """What lets a person in who has lost the device that makes their codes; each is good once."""

    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who is found at an address, whether they come from a known device, and whether a code will be asked of them."""

    user: User | None = None
    known_mark: bytes | None = None
    has_devices: bool = False
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """When and how the holder of a token has proved who they are, and whether they have a second factor now."""

    at: datetime
    methods: tuple[str, ...] = ()
    has_second_factor: bool = False
