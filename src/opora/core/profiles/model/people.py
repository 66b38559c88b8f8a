"""A synthetic person: coherent, with right check digits, and of no real one.

The classes are slotted but not frozen: freezing makes one person cost 7 µs more (each field then goes through
`object.__setattr__`), half of the whole budget. Nothing in Opora changes one after it was made.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Sex(StrEnum):
    """The two values that the documents of every locale here know."""

    MALE = "male"
    FEMALE = "female"


@dataclass(slots=True)
class Passport:
    """The main identity document; `series` and `department_code` are None where a country has none."""

    series: str | None
    number: str
    issued_on: date
    issued_by: str
    department_code: str | None


@dataclass(slots=True)
class Address:
    """Where the person lives; the postal code belongs to the city, the city to the region."""

    postal_code: str
    region: str
    city: str
    street: str
    house: str
    apartment: str


@dataclass(slots=True)
class Tax:
    """`inn` is the taxpayer's number, `snils` the social insurance number, each as the country writes it."""

    inn: str
    snils: str | None


@dataclass(slots=True)
class Card:
    """A payment card; `expires` is `MM/YY`, later than the as-of date."""

    number: str
    expires: str
    payment_system: str


@dataclass(slots=True)
class Finance:
    """One account in one bank; `bik` is the country's own code of the bank, `account` its own form or an IBAN."""

    bank_name: str
    bik: str
    correspondent_account: str | None
    account: str
    card: Card
    currency: str


@dataclass(slots=True)
class Profile:
    """One person; the fields and their order are those of the REST contract."""

    locale: str
    sex: Sex
    full_name: str
    last_name: str
    first_name: str
    middle_name: str | None
    birth_date: date
    birth_place: str
    passport: Passport
    address: Address
    phone: str
    email: str
    tax: Tax
    finance: Finance
