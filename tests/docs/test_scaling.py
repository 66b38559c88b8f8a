"""docs/scaling.md: examples follow from its constants, constants are those measured, keys are the schema's."""

import math
import re

import pytest
from sqlalchemy import Table, UniqueConstraint

from docs.pages import REPOSITORY
from opora.adapters.sql.partitions import KEYS
from opora.adapters.sql.schema.tables import METADATA

PAGE = (REPOSITORY / "docs" / "scaling.md").read_text("utf-8")
MEASURED = (REPOSITORY / "docs" / "benchmarks.md").read_text("utf-8").partition("## Scaling\n")[2].partition("\n## ")[0]
ROW = re.compile(r"^\| `(\w+)` \| ([\d.,]+) \|", re.MULTILINE)
NUMBER = re.compile(r"[\d,]*\d(?:\.\d+)?")
MIX = {"read": 0.40, "page": 0.20, "made": 0.15, "listed": 0.15, "claim": 0.05, "upload": 0.05}
BUSY = 0.6


def constants() -> dict[str, float]:
    """Read the table of constants."""
    return {name: float(value.replace(",", "")) for name, value in ROW.findall(PAGE)}


def worked() -> dict[str, str]:
    """Work the examples out as the page says they are."""
    one = constants()
    api_s, sql_s, redis_s = (
        300 * sum(share * one[f"{call}_{unit}"] for call, share in MIX.items()) / scale
        for unit, scale in (("api_ms", 1e3), ("sql_ms", 1e3), ("redis_us", 1e6))
    )
    left_a_day = 300 * 86_400 * sum(MIX[call] * one[f"{call}_left"] for call in ("made", "upload"))
    return {
        "numbers_10m_gb": f"{10e6 * one['number_bytes'] * 1.3 / 1e9:.1f}",
        "documents_1m_gb": f"{1e6 * one['upload_left'] / 1e9:.1f}",
        "api_cores": f"{api_s:.2f}",
        "api_processes": str(math.ceil(api_s / BUSY)),
        "sql_cores": f"{sql_s:.2f}",
        "redis_percent": f"{100 * redis_s:.1f}",
        "left_gb_a_day": f"{left_a_day / 1e9:.0f}",
        "core_hours_a_million": f"{(api_s + sql_s + redis_s) / 300 * 1e6 / 3600:.2f}",
    }


@pytest.mark.parametrize("name", list(worked()))
def test_a_worked_example_follows_from_the_constants(name: str) -> None:
    told = re.search(rf"^\| [^|]+ \| \*\*{NUMBER.pattern}[^|]*\| `{name}` \|", PAGE, re.MULTILINE)
    assert told is not None, name
    assert NUMBER.search(told.group(0).partition("**")[2]).group(0) == worked()[name], worked()[name]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", list(constants()))
def test_a_constant_stands_among_what_was_measured(name: str) -> None:
    measured = {float(one.replace(",", "")) for one in NUMBER.findall(MEASURED)}
    assert constants()[name] in measured


def keys(table: Table) -> dict[str, frozenset[str]]:
    """Return the unique keys of a table by their kind and columns."""
    found = [frozenset(column.name for column in table.primary_key)]
    found += [frozenset(one.columns.keys()) for one in table.constraints if isinstance(one, UniqueConstraint)]
    found += [frozenset(one.columns.keys()) for one in table.indexes if one.unique]
    return {", ".join(sorted(one)): one for one in found}


def test_the_page_says_of_every_table_with_a_project_whether_its_keys_hold_it() -> None:
    holding = {table.name: all("project_id" in key for key in keys(table).values()) for table in METADATA.sorted_tables
               if "project_id" in table.c}  # fmt: skip
    assert "project_id" in KEYS[True], "parted, the key of numbers holds the project"
    for name, holds in holding.items():
        told = re.search(rf"^\| `{name}` \| (yes|no|once parted) \|", PAGE, re.MULTILINE)
        assert told is not None, name
        expected = "once parted" if name == "phone_numbers" else "yes" if holds else "no"
        assert told.group(1) == expected, name
