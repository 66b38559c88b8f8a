"""What is made ready once for all seeds of a locale: names in both scripts, cities with their codes."""

from collections.abc import Callable

from opora.core.profiles.model.people import Address
from opora.core.profiles.model.tables import LocaleTable, Tables
from opora.core.profiles.rules.draws import Block
from opora.core.profiles.rules.names import Named, surname_first, surname_last
from opora.core.profiles.rules.places import Place, places, settle

SURNAME_FIRST = frozenset({"ru_RU", "kk_KZ"})


class Workshop:
    """One version of the tables, prepared locale by locale and region by region when first asked for."""

    def __init__(self, tables: Tables) -> None:
        """Keep the tables; prepare nothing yet."""
        self.version = tables.version
        self.tables = tables
        self._names: dict[str, Callable[[Block, bool], Named]] = {}
        self._homes: dict[tuple[str, str | None], Callable[[Block], tuple[Place, Address, str]]] = {}

    def table(self, locale: str) -> LocaleTable:
        """Return the table of a known locale."""
        return self.tables.locales[locale]

    def name_of(self, locale: str) -> Callable[[Block, bool], Named]:
        """Return the maker of names of a locale."""
        if locale not in self._names:
            self._names[locale] = (surname_first if locale in SURNAME_FIRST else surname_last)(self.table(locale))
        return self._names[locale]

    def home_of(self, locale: str, region: str | None) -> Callable[[Block], tuple[Place, Address, str]]:
        """Return the maker of places and addresses of a region (by code), or of the whole country."""
        if (locale, region) not in self._homes:
            table = self.table(locale)
            self._homes[locale, region] = settle(table, places(table, region))
        return self._homes[locale, region]
