import json
from dataclasses import asdict, fields
from datetime import date, timedelta
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opora.adapters.files.tables import packaged_tables
from opora.core.profiles.model.people import Profile, Sex
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules import checks
from opora.core.profiles.rules.dates import birthday
from opora.core.profiles.rules.people import people, person
from opora.core.profiles.rules.workshop import Workshop

AS_OF = date(2026, 11, 21)
LOCALES = ("ru_RU", "en_US", "en_GB", "de_DE", "kk_KZ")
WORKSHOP = Workshop(packaged_tables())
GOLDEN = {
    "ru_RU": "d1083d6915440cac1507f1e156f418fb36d1268b9936277fa0063b8948c732f9",
    "en_US": "66945db395d27de0f55066fa40695b7103a32d4b15fbfbffd11c0fa88e06ec75",
    "en_GB": "b28c57036f5cbd6835efb61a730d389c302c6d2e39b78919b8d8f7484dc2b3d4",
    "de_DE": "32054fabfea85642620d3cc3418df122b251c03959cca9c9d04e27eb6271dfae",
    "kk_KZ": "f395688750b26b55a56b1cb3fe17679fc4ae1cdaeea78353001d19c1ada2a414",
}

recipes = st.builds(
    Recipe,
    locale=st.sampled_from(LOCALES),
    seed=st.integers(0, 2**63 - 1),
    as_of=st.dates(date(2005, 1, 1), date(2099, 12, 31)),
    sex=st.sampled_from([None, *Sex]),
)
indices = st.integers(0, 999_999)


def age_on(birth, day):
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def digest(profiles):
    text = "\n".join(json.dumps(asdict(one), ensure_ascii=False, sort_keys=True, default=str) for one in profiles)
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("locale", LOCALES)
def test_data_version_1_makes_the_people_it_always_made(workshop, locale):
    assert workshop.version == 1
    assert digest(people(workshop, Recipe(locale, 42, date(2026, 1, 1)), 0, 1_000)) == GOLDEN[locale]


@given(recipes, indices)
@settings(max_examples=60, deadline=None)
def test_a_person_is_the_same_alone_and_among_others(recipe, index):
    first = max(0, index - 3)
    alone = person(WORKSHOP, recipe)(index)
    assert list(people(WORKSHOP, recipe, first, index - first + 1))[-1] == alone


@given(recipes, indices, st.integers(14, 100), st.integers(0, 86))
@settings(max_examples=200, deadline=None)
def test_nobody_is_older_or_younger_than_asked_for(recipe, index, low, more):
    recipe = Recipe(recipe.locale, recipe.seed, recipe.as_of, recipe.sex, low, min(low + more, 100))
    one = person(WORKSHOP, recipe)(index)
    assert recipe.age_min <= age_on(one.birth_date, recipe.as_of) <= recipe.age_max
    assert recipe.sex in (None, one.sex)
    assert one.birth_date <= one.passport.issued_on <= recipe.as_of


@given(recipes, indices)
@settings(max_examples=100, deadline=None)
def test_the_options_move_nothing_that_they_do_not_name(recipe, index):
    one = person(WORKSHOP, recipe)(index)
    older = person(WORKSHOP, Recipe(recipe.locale, recipe.seed, recipe.as_of, recipe.sex, 50, 60))(index)
    assert (older.address, older.phone, older.email, older.finance) == (
        one.address,
        one.phone,
        one.email,
        one.finance,
    )


@given(st.integers(0, 2**32), indices, st.dates(date(2005, 1, 1), date(2099, 12, 31)), st.integers(14, 100))
@settings(max_examples=400, deadline=None)
def test_a_russian_passport_is_the_one_its_holders_age_calls_for(seed, index, as_of, age):
    one = person(WORKSHOP, Recipe("ru_RU", seed, as_of, None, age, age))(index)
    issued = one.passport.issued_on
    assert issued >= max(date(1997, 10, 1), birthday(one.birth_date, 14))
    reached = [birthday(one.birth_date, years) for years in (14, 20, 45)]
    anchor = max([day for day in reached if day < as_of - timedelta(days=90)], default=reached[0])
    if anchor >= date(2000, 10, 1):
        assert anchor <= issued <= min(anchor + timedelta(days=90), as_of)
    else:
        assert date(2000, 10, 1) <= issued <= date(2003, 12, 31)
    assert 0 <= (issued.year - 2000 - int(one.passport.series[2:])) % 100 <= 3
    assert issued.year - 3 >= 1997
    assert int(one.passport.number) >= 101


def test_russian_people_agree_with_their_region(tables, some_people):
    regions = {region.name: region for region in tables.locales["ru_RU"].regions}
    for one in some_people["ru_RU"]:
        region = regions[one.address.region]
        city = next(city for city in region.cities if city.name == one.address.city)
        assert one.passport.series[:2] == region.document_series
        assert one.passport.department_code[:2] == region.code == one.tax.inn[:2]
        assert one.passport.department_code[2] in "0123"
        assert one.tax.inn[:4] in city.tax_offices
        assert any(one.phone.startswith(pattern.rstrip("#")) for pattern in city.phones)
        assert any(int(first) <= int(one.address.postal_code) < int(first) + n for first, n in city.postal_codes)
        assert one.passport.issued_by in {issuer for _, issuer in region.issuers}


def test_a_russian_surname_and_patronymic_show_the_sex(some_people):
    for one in some_people["ru_RU"]:
        assert one.middle_name.endswith("на" if one.sex == "female" else "ич")
        if one.last_name.endswith(("ов", "ев", "ёв", "ин")):
            assert one.sex == "male"
        if one.last_name.endswith(("ова", "ева", "ёва", "ина", "ая")):
            assert one.sex == "female"
        assert one.full_name == f"{one.last_name} {one.first_name} {one.middle_name}"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_field_of_the_contract_is_there(some_people, locale):
    names = [field.name for field in fields(Profile)]
    assert ", ".join(names) == (
        "locale, sex, full_name, last_name, first_name, middle_name, birth_date, birth_place, "
        "passport, address, phone, email, tax, finance"
    )
    for one in some_people[locale]:
        assert one.locale == locale
        assert one.phone[0] == "+"
        assert one.phone[1:].isdigit()
        assert 8 <= len(one.phone) <= 16
        assert one.email.isascii()
        assert one.email.rpartition("@")[2] in {"example.com", "example.org", "mail.test", "post.test"}
        assert checks.luhn(one.finance.card.number)
        month, year = map(int, one.finance.card.expires.split("/"))
        assert (AS_OF.year, AS_OF.month) < (2000 + year, month)


def test_numbers_of_the_other_countries_are_right(some_people):
    for one in some_people["en_US"]:
        assert checks.never_issued_ssn(one.tax.inn)
        assert checks.routing_number(one.finance.bik)
        assert one.phone[5:10] == "55501"
    for one in some_people["en_GB"]:
        assert checks.taxpayer_reference(one.tax.inn)
        assert checks.never_issued_nino(one.tax.snils)
        assert checks.iban(one.finance.account)
        assert one.finance.account[8:14] == one.finance.bik
    for one in some_people["de_DE"]:
        assert checks.german_tax_number(one.tax.inn)
        assert checks.iban(one.finance.account)
        assert one.finance.account[4:12] == one.finance.bik
    for one in some_people["kk_KZ"]:
        assert checks.kazakh_iin(one.tax.inn)
        assert checks.iban(one.finance.account)
        assert one.tax.inn.startswith(f"{one.birth_date:%y%m%d}")
        assert int(one.tax.inn[6]) % 2 == (one.sex == "male")


def test_the_banks_in_the_table_are_a_banks_code_and_its_correspondent_account(tables):
    for bank in tables.locales["ru_RU"].banks:
        assert checks.correspondent_account(bank.correspondent_account, bank.code)
    for bank in tables.locales["en_US"].banks:
        assert checks.routing_number(bank.code)


def unique_values(one):
    values = [one.passport.number, one.tax.inn, one.finance.account, one.finance.card.number, one.email]
    if one.locale == "ru_RU":
        values[0] = one.passport.series + one.passport.number
        values += [one.tax.snils, one.phone]
    return values


def test_no_digit_is_wrong_and_no_number_repeats_among_forty_thousand(workshop):
    seen = [set() for _ in range(7)]
    for one in people(workshop, Recipe("ru_RU", 2_026, AS_OF), 450_000, 40_000):
        assert checks.inn(one.tax.inn)
        assert checks.snils(one.tax.snils)
        assert checks.account(one.finance.account, one.finance.bik)
        assert checks.luhn(one.finance.card.number)
        for known, value in zip(seen, unique_values(one), strict=True):
            known.add(value)
    assert [len(known) for known in seen] == [40_000] * 7


@pytest.mark.parametrize("locale", LOCALES)
def test_no_number_repeats_in_one_small_region_and_one_year_of_age(tables, workshop, locale):
    region = min(tables.locales[locale].regions, key=lambda one: one.weight).code
    recipe = Recipe(locale, 3, AS_OF, Sex.FEMALE, 30, 30, region)
    rows = [unique_values(one) for one in people(workshop, recipe, 0, 15_000)]
    assert all(len(set(column)) == len(rows) for column in zip(*rows, strict=True))


@pytest.mark.parametrize(("locale", "run"), [("en_US", 100), ("de_DE", 100), ("en_GB", 1_000), ("kk_KZ", 1_000)])
def test_phones_kept_for_fiction_do_not_repeat_within_a_run(workshop, locale, run):
    phones = [one.phone for one in people(workshop, Recipe(locale, 5, AS_OF), 777, run)]
    assert len(set(phones)) == run
