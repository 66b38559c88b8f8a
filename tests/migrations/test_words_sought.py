"""Rows of a release before are found by every spelling once the schema is this release's."""

from pathlib import Path
from unicodedata import normalize

import pytest
from sqlalchemy import Connection, text

from opora.adapters.sql import migrations
from opora.adapters.sql.migrations import on_connection

ROWS = 2500
OLD = normalize("NFD", "Зелёный йод").casefold()
ADD = """
INSERT INTO providers (id, name, contact_info, status, search, version, created_at, updated_at)
VALUES (:id, :name, '', 'active', :search, 1, '2030-01-01T00:00:00Z', '2030-01-01T00:00:00Z')
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each store in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


def test_every_row_of_the_release_before_is_found_by_the_words_of_this_one(url: str) -> None:
    migrations.upgrade(url, "0022")

    def write(connection: Connection) -> None:
        rows = [{"id": id, "name": normalize("NFD", "Зелёный йод"), "search": OLD} for id in range(1, ROWS + 1)]
        connection.execute(text(ADD), rows)
        connection.commit()

    on_connection(url, write)
    migrations.upgrade(url)
    found = on_connection(
        url, lambda connection: connection.execute(text("SELECT search, count(*) FROM providers GROUP BY search")).all()
    )
    assert [tuple(one) for one in found] == [("зеленый йод", ROWS)]
