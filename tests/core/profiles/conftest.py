"""The tables that ship with the program, and the people most tests look at."""

from datetime import date

import pytest

from opora.adapters.files.tables import packaged_tables
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules.people import people

AS_OF = date(2026, 11, 21)


@pytest.fixture(scope="session")
def tables():
    return packaged_tables()


@pytest.fixture(scope="session")
def some_people(tables):
    """Two thousand of each locale."""
    return {locale: list(people(tables, Recipe(locale, 7, AS_OF), 0, 2_000)) for locale in tables.locales}
