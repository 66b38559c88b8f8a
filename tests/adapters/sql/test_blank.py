"""A blank store is what the migrations make, laid at once and once only."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from opora.adapters.sql import blank, migrations, revisions
from servers.blank import blank_script


def test_the_script_is_what_the_migrations_make() -> None:
    assert blank.script().read_text(encoding="utf-8") == blank_script(), "run `make docs`"


def test_a_laid_file_is_at_the_newest_schema_and_goes_all_the_way_down_and_up(tmp_path: Path) -> None:
    file = tmp_path / "opora.db"
    assert blank.lay(file)
    url = f"sqlite:///{file}"
    state = migrations.state(url, with_drift=True)
    assert (state.current, state.up_to_date, state.drift) == (revisions.newest(), True, ())
    with closing(sqlite3.connect(file)) as driver:
        assert driver.execute("SELECT min(applied_at) > '2026' FROM schema_history").fetchone() == (1,)
        assert driver.execute("PRAGMA foreign_key_check").fetchall() == []
    migrations.downgrade(url, "base")
    migrations.upgrade(url)
    assert blank.dumped(file) == blank_script()


def test_of_many_at_once_one_lays_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        laid = list(pool.map(blank.lay, [tmp_path / "opora.db"] * 8))
    assert sorted(laid) == [False] * 7 + [True]


def test_a_file_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "somebodys.db"
    with closing(sqlite3.connect(file)) as driver:
        driver.execute("CREATE TABLE theirs (id INTEGER)")
    assert not blank.lay(file)
    with closing(sqlite3.connect(file)) as driver:
        assert driver.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
