"""People a second, with right check digits, beside Faker and Mimesis building the same fields."""

import random
from collections.abc import Callable
from datetime import date, timedelta

from faker import Faker
from mimesis import Address, Datetime, Finance, Person
from mimesis.enums import Gender
from mimesis.locales import Locale

from bench.figures import Figure, at_least, seconds_per_call
from opora.adapters.files.tables import packaged_tables
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules.people import person
from opora.core.profiles.rules.workshop import Workshop

PEOPLE = 100
AS_OF = date(2026, 1, 1)
BIK = "044525225"


def weighted(digits: str, *weights: int) -> int:
    """Add digits times weights, as anyone would write it."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def snils_of(nine: str) -> str:
    """Close nine digits as an insurance number."""
    return f"{nine}{weighted(nine, 9, 8, 7, 6, 5, 4, 3, 2, 1) % 101 % 100:02d}"


def inn_of(ten: str) -> str:
    """Close ten digits as a person's taxpayer number."""
    eleven = ten + str(weighted(ten, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10)
    return eleven + str(weighted(eleven, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10)


def account_of(serial: str) -> str:
    """Write an account of Sberbank with its key."""
    total = weighted(BIK[6:] + "408178100" + serial, *(7, 1, 3) * 8)
    return f"40817810{total % 10 * 3 % 10}{serial}"


def luhn_of(fifteen: str) -> str:
    """Close fifteen digits with their Luhn digit."""
    total = sum(value - 9 if value > 9 else value for value in (int(d) * 2 for d in fifteen[::2]))
    return fifteen + str(-(total + sum(map(int, fifteen[1::2]))) % 10)


def faker_people() -> Callable[[int], object]:
    """Return a maker by Faker's own providers for every field it has."""
    fake = Faker("ru_RU")
    fake.seed_instance(42)

    def make(_index: int) -> dict[str, object]:
        female = fake.boolean()
        side = "female" if female else "male"
        last, first, middle = (getattr(fake, f"{part}_name_{side}")() for part in ("last", "first", "middle"))
        birth = fake.date_of_birth(minimum_age=18, maximum_age=80)
        series, number = fake.passport_number().replace(" ", "")[:4], fake.numerify("######")
        return {
            "locale": "ru_RU",
            "sex": side,
            "full_name": f"{last} {first} {middle}",
            "last_name": last,
            "first_name": first,
            "middle_name": middle,
            "birth_date": birth,
            "birth_place": fake.city_name(),
            "passport": {
                "series": series,
                "number": number,
                "issued_on": fake.date_between("-10y"),
                "issued_by": f"УМВД России по {fake.region()}",
                "department_code": fake.numerify("###-###"),
            },
            "address": {
                "postal_code": fake.postcode(),
                "region": fake.region(),
                "city": fake.city_name(),
                "street": fake.street_name(),
                "house": fake.building_number(),
                "apartment": fake.numerify("##"),
            },
            "phone": fake.phone_number(),
            "email": fake.safe_email(),
            "tax": {"inn": fake.individuals_inn(), "snils": fake.snils()},
            "finance": {
                "bank_name": fake.bank(),
                "bik": BIK,
                "correspondent_account": "30101810400000000225",
                "account": account_of(fake.numerify("###########")),
                "card": {
                    "number": fake.credit_card_number(),
                    "expires": fake.credit_card_expire(),
                    "payment_system": fake.credit_card_provider(),
                },
                "currency": "RUB",
            },
        }

    return make


def mimesis_people() -> Callable[[int], object]:
    """Return a maker by Mimesis; it has no Russian numbers any more, so their check digits are written here."""
    someone, address = Person(Locale.RU, seed=42), Address(Locale.RU, seed=42)
    days, finance, rng = Datetime(Locale.RU, seed=42), Finance(Locale.RU, seed=42), random.Random(42)  # noqa: S311 - made-up people

    def digits(count: int) -> str:
        return f"{rng.randrange(10**count):0{count}d}"

    def make(_index: int) -> dict[str, object]:
        gender = Gender.FEMALE if rng.random() < 0.5 else Gender.MALE
        last, first = someone.last_name(gender), someone.first_name(gender)
        return {
            "locale": "ru_RU",
            "sex": gender.value,
            "full_name": f"{last} {first}",
            "last_name": last,
            "first_name": first,
            "middle_name": first,
            "birth_date": someone.birthdate(1946, 2008),
            "birth_place": address.city(),
            "passport": {
                "series": digits(4),
                "number": digits(6),
                "issued_on": days.date(2016, 2025),
                "issued_by": f"УМВД России по {address.region()}",
                "department_code": f"{digits(3)}-{digits(3)}",
            },
            "address": {
                "postal_code": address.zip_code(),
                "region": address.region(),
                "city": address.city(),
                "street": address.street_name(),
                "house": address.street_number(),
                "apartment": digits(2),
            },
            "phone": someone.phone_number(),
            "email": someone.email(["example.com"]),
            "tax": {"inn": inn_of(digits(10)), "snils": snils_of(digits(9))},
            "finance": {
                "bank_name": finance.bank(),
                "bik": BIK,
                "correspondent_account": "30101810400000000225",
                "account": account_of(digits(11)),
                "card": {
                    "number": luhn_of("2200" + digits(11)),
                    "expires": str(AS_OF + timedelta(days=rng.randrange(1000))),
                    "payment_system": "МИР",
                },
                "currency": "RUB",
            },
        }

    return make


def batch(make: Callable[[int], object]) -> Callable[[], object]:
    """Return a way that makes a hundred people, as one request does."""
    return lambda: [make(index) for index in range(PEOPLE)]


def seconds_per_person() -> dict[str, float]:
    """Return the seconds a person takes each maker, measured in turns."""
    ways = {
        "Opora": batch(person(Workshop(packaged_tables()), Recipe("ru_RU", 42, AS_OF))),
        "Faker": batch(faker_people()),
        "Mimesis": batch(mimesis_people()),
    }
    return {name: taken_s / PEOPLE for name, taken_s in seconds_per_call(ways).items()}


def figures() -> list[Figure]:
    """Return the rows of this topic."""
    taken_s = seconds_per_person()
    path = "one coherent Russian person, 34 fields, check digits right"
    return [
        at_least(path, taken_s["Opora"], peer, taken_s[peer], goal) for peer, goal in (("Faker", 12), ("Mimesis", 4))
    ]
