"""One person, put together from the parts so that they agree."""

from collections.abc import Callable, Iterator
from datetime import date

from opora.core.profiles.model.people import Profile, Sex
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules.america import AMERICA
from opora.core.profiles.rules.britain import BRITAIN
from opora.core.profiles.rules.control import THREE
from opora.core.profiles.rules.dates import birth_range
from opora.core.profiles.rules.documents import Country
from opora.core.profiles.rules.draws import (
    DOMAIN,
    NARROW,
    PEOPLE_MAX,
    PHONE_LINE,
    SEX,
    Block,
    keystream,
    permutation,
    spread,
    stream_key,
)
from opora.core.profiles.rules.germany import GERMANY
from opora.core.profiles.rules.kazakhstan import KAZAKHSTAN
from opora.core.profiles.rules.places import Place
from opora.core.profiles.rules.russia import RUSSIA
from opora.core.profiles.rules.workshop import Workshop

COUNTRIES: dict[str, Country] = {
    "ru_RU": RUSSIA,
    "en_US": AMERICA,
    "en_GB": BRITAIN,
    "de_DE": GERMANY,
    "kk_KZ": KAZAKHSTAN,
}
_DOMAINS = ("example.com", "example.org", "mail.test", "post.test")
_MAILBOXES = 1_000_000
_PHONE_DIGITS = (2, 3, 6, 7)
_HALF = 1 << NARROW - 1


def births(recipe: Recipe) -> Callable[[Block, int], tuple[bool, date]]:
    """Return the function from a block and a permuted index to a sex (is it a woman?) and a birth date.

    The permuted index goes through the span of birth dates as through a million points on it: as even as a draw, and
    people a `kazakhstan.IIN_SERIALS` apart are born on different days, for the shortest span has 365.
    """
    first, days = birth_range(recipe.as_of, recipe.age_min, recipe.age_max)
    fixed = None if recipe.sex is None else recipe.sex is Sex.FEMALE

    def birth(block: Block, unique: int) -> tuple[bool, date]:
        female = block[SEX] >= _HALF if fixed is None else fixed
        return female, date.fromordinal(first + unique * days // PEOPLE_MAX)

    return birth


def contacts(key: bytes) -> Callable[[Block, int, int, Place, str], tuple[str, str]]:
    """Return the function from a block, the index, the permuted index, a place and a Latin name to phone and e-mail.

    E-mail goes to domains that nobody can own (RFC 2606). Runs of a million phone numbers and more are filled by the
    permuted index; the short runs kept for fiction by the index itself, so that people in a row differ.
    """
    factor, offset = spread(key, "mailbox", _MAILBOXES)
    turns = {digits: (10**digits, *spread(key, f"phone/{digits}", 10**digits)) for digits in _PHONE_DIGITS}

    def contact(block: Block, index: int, unique: int, place: Place, latin: str) -> tuple[str, str]:
        lines = place.phones
        pattern, digits = lines[block[PHONE_LINE] * len(lines) >> NARROW]
        size, turn, start = turns[digits]
        number = ((index if size < PEOPLE_MAX else unique) * turn + start) % size
        high, low = divmod((unique * factor + offset) % _MAILBOXES, 1000)
        return pattern % number, f"{latin}.{THREE[high]}{THREE[low]}@{_DOMAINS[block[DOMAIN] & 3]}"

    return contact


def person(workshop: Workshop, recipe: Recipe) -> Callable[[int], Profile]:
    """Return the function from an index (0…PEOPLE_MAX-1) to a person.

    The recipe was checked before (`asking`).
    """
    table = workshop.table(recipe.locale)
    country = COUNTRIES[recipe.locale]
    locale, as_of = recipe.locale, recipe.as_of
    key = stream_key(workshop.version, locale, recipe.seed)
    block_of, permute = keystream(key), permutation(key)
    birth_of = births(recipe)
    home_of = workshop.home_of(locale, recipe.region)
    name_of = workshop.name_of(locale)
    contact_of = contacts(key)
    passport_of = country.passports(table, key, as_of)
    tax_of = country.taxes(table, key, as_of)
    finance_of = country.finances(table, key, as_of)
    sexes = (Sex.MALE, Sex.FEMALE)

    def make(index: int) -> Profile:
        block = block_of(index)
        unique = permute(index)
        female, birth = birth_of(block, unique)
        place, address, birth_place = home_of(block)
        last, first, middle, full, latin = name_of(block, female)
        passport = passport_of(block, unique, birth, place)
        phone, email = contact_of(block, index, unique, place, latin)
        tax = tax_of(unique, birth, female, place)
        finance = finance_of(block, unique, place)
        sex = sexes[female]
        return Profile(
            locale, sex, full, last, first, middle, birth, birth_place, passport, address, phone, email, tax, finance
        )

    return make


def people(workshop: Workshop, recipe: Recipe, index: int, count: int) -> Iterator[Profile]:
    """Yield `count` people from `index` on."""
    return map(person(workshop, recipe), range(index, index + count))
