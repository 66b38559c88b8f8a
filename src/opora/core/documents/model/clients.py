"""What the bank knows of a person beside their account: the `User` of document 4."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Sex(StrEnum):
    """As passports have it."""

    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """A person's names, birthday, address and tax number (INN); the two ids are of reference lists.

    `version` counts changes; 0 is a profile that nobody has filled in yet.
    """

    user_id: int
    last_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    birthday: date | None = None
    sex: Sex | None = None
    address: str = ""
    inn: str | None = None
    financial_position_id: int | None = None
    user_type_id: int | None = None
    updated_at: datetime | None = None
    version: int = 0
