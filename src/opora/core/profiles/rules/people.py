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
    BIRTH,
    CONTACT,
    FINANCE,
    NAME,
    PASSPORT,
    PEOPLE_MAX,
    PLACE,
    keystream,
    permutation,
    spread,
    stream_key,
)
from opora.core.profiles.rules.germany import GERMANY
from opora.core.profiles.rules.kazakhstan import IIN_SERIALS, KAZAKHSTAN
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
_STRATA = PEOPLE_MAX // IIN_SERIALS


def births(recipe: Recipe) -> Callable[[int, int], tuple[bool, date]]:
    """Return the function from a word and a permuted index to a sex (is it a woman?) and a birth date.

    The span of birth dates is cut into 200 strata and the permuted index names one: even in spread as a plain draw,
    and what lets numbers with a birth date inside be unique. The shortest span, one year of age, has 365 dates.
    """
    first, days = birth_range(recipe.as_of, recipe.age_min, recipe.age_max)
    fixed = None if recipe.sex is None else recipe.sex is Sex.FEMALE

    def birth(word: int, unique: int) -> tuple[bool, date]:
        stratum = unique // IIN_SERIALS
        start = stratum * days // _STRATA
        width = (stratum + 1) * days // _STRATA - start
        word, female = divmod(word, 2)
        return bool(female) if fixed is None else fixed, date.fromordinal(first + start + word % width)

    return birth


def contacts(key: bytes) -> Callable[[int, int, int, Place, str], tuple[str, str]]:
    """Return the function from a word, the index, the permuted index, a place and a Latin name to phone and e-mail.

    E-mail goes to domains that nobody can own (RFC 2606). Runs of a million phone numbers and more are filled by the
    permuted index; the short runs kept for fiction by the index itself, so that people in a row differ.
    """
    factor, offset = spread(key, "mailbox", _MAILBOXES)
    turns = {digits: (10**digits, *spread(key, f"phone/{digits}", 10**digits)) for digits in _PHONE_DIGITS}

    def contact(word: int, index: int, unique: int, place: Place, latin: str) -> tuple[str, str]:
        lines = place.phones
        pattern, digits = lines[word % len(lines)]
        size, turn, start = turns[digits]
        number = ((index if size < PEOPLE_MAX else unique) * turn + start) % size
        high, low = divmod((unique * factor + offset) % _MAILBOXES, 1000)
        return pattern % number, f"{latin}.{THREE[high]}{THREE[low]}@{_DOMAINS[word >> 32 & 3]}"

    return contact


def person(workshop: Workshop, recipe: Recipe) -> Callable[[int], Profile]:
    """Return the function from an index (0…PEOPLE_MAX-1) to a person.

    The recipe was checked before (`asking`).
    """
    table = workshop.table(recipe.locale)
    country = COUNTRIES[recipe.locale]
    locale, as_of = recipe.locale, recipe.as_of
    key = stream_key(workshop.version, locale, recipe.seed)
    words, permute = keystream(key), permutation(key)
    birth_of = births(recipe)
    home_of = workshop.home_of(locale, recipe.region)
    name_of = workshop.name_of(locale)
    contact_of = contacts(key)
    passport_of = country.passports(table, key, as_of)
    tax_of = country.taxes(table, key, as_of)
    finance_of = country.finances(table, key, as_of)
    sexes = (Sex.MALE, Sex.FEMALE)

    def make(index: int) -> Profile:
        drawn = words(index)
        unique = permute(index)
        female, birth = birth_of(drawn[BIRTH], unique)
        place, address, birth_place = home_of(drawn[PLACE])
        last, first, middle, full, latin = name_of(drawn[NAME], female)
        passport = passport_of(drawn[PASSPORT], unique, birth, place)
        phone, email = contact_of(drawn[CONTACT], index, unique, place, latin)
        tax = tax_of(unique, birth, female, place)
        finance = finance_of(drawn[FINANCE], unique, place)
        sex = sexes[female]
        return Profile(
            locale, sex, full, last, first, middle, birth, birth_place, passport, address, phone, email, tax, finance
        )

    return make


def people(workshop: Workshop, recipe: Recipe, index: int, count: int) -> Iterator[Profile]:
    """Yield `count` people from `index` on."""
    return map(person(workshop, recipe), range(index, index + count))
