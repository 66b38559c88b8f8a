"""The tables that ship with the program, and the people most tests look at."""

from datetime import date

import pytest

from opora.adapters.files.tables import packaged_tables
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.rules.people import people
from opora.core.profiles.rules.workshop import Workshop

AS_OF = date(2026, 11, 21)


@pytest.fixture(scope="session")
def tables():
    return packaged_tables()


@pytest.fixture(scope="session")
def workshop(tables):
    return Workshop(tables)


@pytest.fixture(scope="session")
def some_people(tables, workshop):
    """Two thousand of each locale."""
    return {locale: list(people(workshop, Recipe(locale, 7, AS_OF), 0, 2_000)) for locale in tables.locales}
