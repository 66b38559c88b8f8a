"""The facts people are made from: names, places, banks of one locale, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GivenName:
    """A first name of one sex; `weight` is its relative frequency."""

    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class PairedName:
    """A surname or patronymic in both its forms; where a country has one form, both are the same."""

    male: str
    female: str
    weight: int


@dataclass(frozen=True, slots=True)
class City:
    """A city: its weight in thousands of people, its postal codes as runs `(first, count)`, its tax offices, and
    patterns of its phone numbers (`#` is a digit)."""

    name: str
    weight: int
    postal_codes: tuple[tuple[str, int], ...]
    phones: tuple[str, ...]
    tax_offices: tuple[str, ...] = ()
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a country by its official code; `issuers` are `(first year, name)`, the oldest first."""

    code: str
    name: str
    weight: int
    cities: tuple[City, ...]
    aliases: tuple[str, ...] = ()
    document_series: str = ""
    issuers: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Bank:
    """A participant of the payment system; `regions` (codes) limits where it is met, none means everywhere.

    `code` is the BIK, routing number, sort code, Bankleitzahl or BIC; `account_prefix` is what an IBAN carries
    before the account, or the balance account and currency of a Russian one.
    """

    name: str
    code: str
    weight: int
    account_prefix: str
    correspondent_account: str | None = None
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardSystem:
    """A payment system and the six-digit prefixes its cards begin with here."""

    name: str
    prefixes: tuple[str, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class LocaleTable:
    """Everything one locale's people are made from."""

    locale: str
    male_names: tuple[GivenName, ...]
    female_names: tuple[GivenName, ...]
    last_names: tuple[PairedName, ...]
    middle_names: tuple[PairedName, ...]
    streets: tuple[str, ...]
    regions: tuple[Region, ...]
    banks: tuple[Bank, ...]
    cards: tuple[CardSystem, ...]
    currency: str


@dataclass(frozen=True, slots=True)
class Tables:
    """One version of the data: the same version, locale, seed, index, date and options give the same person."""

    version: int
    locales: Mapping[str, LocaleTable]
