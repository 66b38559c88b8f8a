"""All one million Russian people of one seed: no wrong check digit, no number twice."""

import time
from datetime import date

from bench.figures import Figure
from opora.adapters.files.tables import packaged_tables
from opora.core.profiles.model.people import Profile
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules import checks
from opora.core.profiles.rules.draws import PEOPLE_MAX
from opora.core.profiles.rules.people import people
from opora.core.profiles.rules.workshop import Workshop

SEED = 42
AS_OF = date(2026, 1, 1)
NUMBERS = ("passport", "INN", "SNILS", "account", "card", "phone", "e-mail")


def right(one: Profile) -> bool:
    """Tell whether every check digit of a person holds."""
    finance = one.finance
    return (
        checks.inn(one.tax.inn)
        and checks.snils(one.tax.snils or "")
        and checks.account(finance.account, finance.bik)
        and checks.correspondent_account(finance.correspondent_account or "", finance.bik)
        and checks.luhn(finance.card.number)
    )


def numbers(one: Profile) -> tuple[str, ...]:
    """Return what only one person may bear."""
    passport = f"{one.passport.series}{one.passport.number}"
    return (
        passport,
        one.tax.inn,
        one.tax.snils or "",
        one.finance.account,
        one.finance.card.number,
        one.phone,
        one.email,
    )


def figures() -> list[Figure]:
    """Look at every person of the seed and count what is wrong or there twice."""
    seen: list[set[str]] = [set() for _ in NUMBERS]
    wrong = 0
    started = time.perf_counter()
    for one in people(Workshop(packaged_tables()), Recipe("ru_RU", SEED, AS_OF), 0, PEOPLE_MAX):
        wrong += not right(one)
        for known, number in zip(seen, numbers(one), strict=True):
            known.add(number)
    repeated = sum(PEOPLE_MAX - len(known) for known in seen)
    took_s = time.perf_counter() - started
    path = f"{PEOPLE_MAX:,} people of one seed, made and looked at in {took_s:.0f} s"
    return [
        Figure(f"{path}: with a wrong check digit", str(wrong), goal="none", met=not wrong),
        Figure(f"{path}: {', '.join(NUMBERS)} there twice", str(repeated), goal="none", met=not repeated),
    ]
