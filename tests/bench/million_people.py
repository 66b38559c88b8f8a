"""All one million Russian people of one seed: no wrong check digit, no number twice. Run it as a program."""

import sys
import time
from datetime import date

from opora.adapters.files.tables import packaged_tables
from opora.core.profiles.model.people import Profile
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules import checks
from opora.core.profiles.rules.draws import PEOPLE_MAX
from opora.core.profiles.rules.people import people
from opora.core.profiles.rules.workshop import Workshop


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


def main(seed: int) -> int:
    """Look at every person of the seed, print what was found, and return 1 if anything is wrong."""
    seen: list[set[str]] = [set() for _ in range(7)]
    wrong = 0
    started = time.perf_counter()
    for one in people(Workshop(packaged_tables()), Recipe("ru_RU", seed, date(2026, 1, 1)), 0, PEOPLE_MAX):
        wrong += not right(one)
        for known, number in zip(seen, numbers(one), strict=True):
            known.add(number)
    repeated = [PEOPLE_MAX - len(known) for known in seen]
    print(f"{PEOPLE_MAX} people, {wrong} wrong, repeated {repeated}, {time.perf_counter() - started:.0f} s")
    return int(wrong > 0 or any(repeated))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 42))
