"""What keeps phone numbers pointing at records that exist, without a foreign key a row.

On PostgreSQL an insert is checked once a statement, over its distinct parents, which stay locked against deletion until
the commit: a million rows cost a second instead of fifteen. A change of a reference is checked by row, and only where
it changes. On SQLite, which checks by row at a fraction of that price, the triggers are plain.
"""

from alembic import op

PARENTS = {"project_id": "projects", "provider_id": "providers", "geo_id": "geo"}

ALL_EXIST = """
CREATE FUNCTION phone_numbers_parents_exist() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted bigint; found bigint;
BEGIN
{checks}
  RETURN NULL;
END $$
"""
ONE_CHECK = """
  SELECT count(*) INTO wanted FROM (SELECT DISTINCT {column} FROM added WHERE {column} IS NOT NULL) AS distinct_parents;
  IF wanted > 0 THEN
    SELECT count(*) INTO found FROM (SELECT id FROM {parent} WHERE id IN (SELECT {column} FROM added)
      ORDER BY id FOR KEY SHARE) AS locked;
    IF found < wanted THEN
      RAISE foreign_key_violation USING CONSTRAINT = 'fk_phone_numbers_{column}',
        MESSAGE = 'phone_numbers.{column} names no row of {parent}';
    END IF;
  END IF;
"""
NEW_PARENT_EXISTS = """
CREATE FUNCTION phone_numbers_{column}_exists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM {parent} WHERE id = NEW.{column} FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE foreign_key_violation USING CONSTRAINT = 'fk_phone_numbers_{column}',
      MESSAGE = 'phone_numbers.{column} names no row of {parent}';
  END IF;
  RETURN NULL;
END $$
"""
NO_CHILDREN = """
CREATE FUNCTION {parent}_without_phone_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM phone_numbers WHERE {column} = OLD.id) THEN
    RAISE foreign_key_violation USING CONSTRAINT = 'fk_phone_numbers_{column}',
      MESSAGE = 'phone numbers name this row of {parent}';
  END IF;
  RETURN OLD;
END $$
"""


def create_postgres_functions() -> None:
    """Make the functions that the triggers run."""
    checks = "".join(ONE_CHECK.format(column=column, parent=parent) for column, parent in PARENTS.items())
    op.execute(ALL_EXIST.format(checks=checks))
    for column, parent in PARENTS.items():
        op.execute(NO_CHILDREN.format(column=column, parent=parent))
        op.execute(NEW_PARENT_EXISTS.format(column=column, parent=parent))


def postgres_table_triggers(table: str = "phone_numbers") -> list[str]:
    """Return the statements that put the triggers on the table of numbers."""
    found = [
        f"CREATE TRIGGER parents_exist AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION phone_numbers_parents_exist()"
    ]
    for column in PARENTS:
        found.append(
            f"CREATE TRIGGER {column}_exists AFTER UPDATE OF {column} ON {table} FOR EACH ROW"
            f" WHEN (NEW.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column})"
            f" EXECUTE FUNCTION phone_numbers_{column}_exists()"
        )
    return found


def create_postgres_triggers() -> None:
    """Put the triggers on the table of numbers and on its parents."""
    create_postgres_functions()
    for statement in postgres_table_triggers():
        op.execute(statement)
    for parent in PARENTS.values():
        op.execute(
            f"CREATE TRIGGER without_phone_numbers BEFORE DELETE ON {parent} FOR EACH ROW"
            f" EXECUTE FUNCTION {parent}_without_phone_numbers()"
        )


def drop_postgres_functions() -> None:
    """Drop the functions, after the tables whose triggers ran them."""
    op.execute("DROP FUNCTION phone_numbers_parents_exist()")
    for column, parent in PARENTS.items():
        op.execute(f"DROP FUNCTION {parent}_without_phone_numbers()")
        op.execute(f"DROP FUNCTION phone_numbers_{column}_exists()")


def create_sqlite_triggers() -> None:
    """Make the triggers that check row by row."""
    for column, parent in PARENTS.items():
        name = f"fk_phone_numbers_{column}"
        missing = f"NEW.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {parent} WHERE id = NEW.{column})"
        refused = f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        op.execute(f"CREATE TRIGGER {name}_added BEFORE INSERT ON phone_numbers WHEN {missing} {refused}")
        op.execute(f"CREATE TRIGGER {name}_changed BEFORE UPDATE OF {column} ON phone_numbers WHEN {missing} {refused}")
        in_use = f"EXISTS (SELECT 1 FROM phone_numbers WHERE {column} = OLD.id)"
        op.execute(f"CREATE TRIGGER {name}_removed BEFORE DELETE ON {parent} WHEN {in_use} {refused}")
