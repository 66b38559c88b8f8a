"""The page of tables: a diagram of entities and relations (Mermaid) for each area, written from the schema."""

from collections.abc import Iterator

from sqlalchemy import Column, Table

from opora.adapters.sql.schema.tables import ALL, METADATA

SHORT = {"BigInteger": "id", "DateTimeUTC": "instant", "GUID": "uuid", "LargeBinary": "bytes", "JSON": "json"}


def page() -> Iterator[str]:
    """Yield the lines of docs/reference/tables.md."""
    yield from ("# Tables", "")
    yield "Written by `make docs` from the schema; a test compares the two. A line joins a column to the table whose"
    yield "rows it names; `PK` is a primary key, `FK` a reference that the database holds."
    drawn: set[str] = set()
    for area in ALL:
        tables = [one for one in vars(area).values() if isinstance(one, Table) and one.name not in drawn]
        if not tables:
            continue
        drawn |= {one.name for one in tables}
        yield from (
            "",
            f"## {area.__name__.rpartition('.')[2].replace('_', ' ').capitalize()}",
            "",
            "```mermaid",
            "erDiagram",
        )
        for table in tables:
            yield from entity(table)
        for table in tables:
            yield from relations(table)
        yield "```"


def undrawn() -> set[str]:
    """Name the tables that no area of the page would show."""
    shown = {one.name for area in ALL for one in vars(area).values() if isinstance(one, Table)}
    return METADATA.tables.keys() - shown


def entity(table: Table) -> Iterator[str]:
    """Yield a table with its columns."""
    yield f"    {table.name} {{"
    for column in table.columns:
        yield f"        {kind(column)} {column.name}{keys(column)}"
    yield "    }"


def kind(column: Column[object]) -> str:
    """Name the type of a column in a word."""
    name = type(column.type).__name__
    return SHORT.get(name, name.lower())


def keys(column: Column[object]) -> str:
    """Tell which keys a column is part of."""
    found = ["PK"] * column.primary_key + ["FK"] * bool(column.foreign_keys)
    return f" {', '.join(found)}" if found else ""


def relations(table: Table) -> Iterator[str]:
    """Yield what a table refers to."""
    for column in table.columns:
        for reference in column.foreign_keys:
            other = reference.target_fullname.partition(".")[0]
            link = "|o" if column.nullable else "||"
            yield f"    {other} {link}--o{{ {table.name} : {column.name}"
