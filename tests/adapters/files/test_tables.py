from importlib.resources import files

import pytest

from opora.adapters.files.tables import DIGESTS, FileProfileTables, TamperedTables, read_table


def packaged(locale):
    return (files("opora.adapters.files") / "profile_tables" / f"{locale}.json").read_bytes()


def test_a_table_with_one_byte_changed_is_refused():
    with pytest.raises(TamperedTables, match="ru_RU"):
        read_table("ru_RU", packaged("ru_RU").replace("Иванов".encode(), "Иваноф".encode(), 1), DIGESTS["ru_RU"])


def test_the_packaged_tables_are_what_was_promised():
    tables = FileProfileTables().load()
    assert set(tables.locales) == set(DIGESTS) == {"ru_RU", "en_US", "en_GB", "de_DE", "kk_KZ"}
    assert all(tables.locales[locale].locale == locale for locale in DIGESTS)
    assert FileProfileTables().load() is tables


def test_a_region_is_known_by_one_name_only():
    for table in FileProfileTables().load().locales.values():
        names = [name.casefold() for region in table.regions for name in {region.code, region.name, *region.aliases}]
        assert len(names) == len(set(names))
