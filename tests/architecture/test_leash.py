"""Which library may be imported where. A library that is not on the leash of its folder may not be imported there."""

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from architecture.trees import PROGRAM, REPOSITORY, modules, parsed, planted

LEASH: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "adapters/amqp": frozenset({"aio_pika"}),
    "adapters/archives": frozenset(),
    "adapters/banking": frozenset({"asyncssh", "httpx"}),
    "adapters/clamav": frozenset(),
    "core/numbers/rules": frozenset({"phonenumbers"}),
    "adapters/crypto": frozenset({"argon2", "bcrypt", "cryptography"}),
    "adapters/engines": frozenset({"httpx"}),
    "adapters/files": frozenset({"msgspec"}),
    "adapters/ical": frozenset({"icalendar"}),
    "adapters/mail": frozenset({"aiosmtplib"}),
    "adapters/memory": frozenset(),
    "adapters/outbound": frozenset({"cryptography", "httpcore"}),
    "adapters/payments": frozenset({"httpx"}),
    "adapters/pdf": frozenset({"msgspec", "pypdf", "typst"}),
    "adapters/queue": frozenset({"redis", "taskiq", "taskiq_aio_pika", "taskiq_redis"}),
    "adapters/redis": frozenset({"hiredis", "msgspec", "redis"}),
    "adapters/buckets": frozenset({"httpx", "obstore"}),
    "adapters/sandbox": frozenset({"pypdf"}),
    "adapters/sql": frozenset({"asyncpg", "msgspec"}),
    "adapters/sql/migrations.py": frozenset({"alembic", "sqlalchemy"}),
    "adapters/sql/schema": frozenset({"advanced_alchemy", "alembic", "sqlalchemy"}),
    "adapters/sftp": frozenset({"asyncssh"}),
    "adapters/system": frozenset(),
    "adapters/tables": frozenset({"python_calamine"}),
    "adapters/templates": frozenset({"jinja2"}),
    "api": frozenset({"dishka", "litestar", "msgspec", "multipart", "prometheus_client", "structlog"}),
    "bootstrap": frozenset({"dishka", "litestar", "msgspec", "prometheus_client", "taskiq", "uvicorn"}),
    "cli": frozenset({"msgspec", "rich", "structlog", "uvicorn", "uvloop"}),
    "events": frozenset({"aio_pika", "redis"}),
    "identity.py": frozenset({"jwt"}),
    "testing": frozenset({"anyio", "hypothesis", "msgspec", "pytest"}),
    "worker": frozenset({"dishka", "prometheus_client", "structlog", "taskiq"}),
    "__init__.py": frozenset(),
    "__main__.py": frozenset(),
}
MIGRATIONS = frozenset({"alembic", "sqlalchemy"})


def lead(name: str) -> str | None:
    """Find the narrowest entry of the leash that holds a module."""
    holding = [entry for entry in LEASH if name == entry or name.startswith(entry + "/")]
    return max(holding, key=len, default=None)


def libraries(file: Path) -> set[str]:
    """Name the libraries a module imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"opora"}


def off_the_leash(root: Path) -> list[str]:
    """List every import of a library where it may not be, and every module that no entry holds."""
    found = []
    for name, file in modules(root):
        entry = lead(name)
        used = libraries(file)
        if entry is None:
            if used or not name.endswith("__init__.py"):
                found.append(f"{name} is on no leash")
        else:
            found += [f"{name} imports {library}" for library in sorted(used - LEASH[entry])]
    return found


def test_every_module_imports_only_the_libraries_of_its_folder() -> None:
    assert off_the_leash(PROGRAM) == []


def test_migrations_need_nothing_but_the_schema_tools() -> None:
    for _, file in modules(REPOSITORY / "migrations" / "versions"):
        assert libraries(file) <= MIGRATIONS, file


def test_the_leash_names_only_what_the_package_depends_on() -> None:
    told = (REPOSITORY / "pyproject.toml").read_text().lower().replace("-", "_")
    distribution = {"argon2": "argon2_cffi", "anyio": "litestar"}
    distribution |= {"multipart": "litestar", "jwt": "pyjwt"}
    for library in set().union(*LEASH.values()):
        assert f'"{distribution.get(library, library)}' in told, library


@pytest.mark.parametrize(
    ("name", "line", "verdict"),
    [
        ("core/profiles/rules.py", "import msgspec", "core/profiles/rules.py imports msgspec"),
        ("core/profiles/rules.py", "def f():\n    import requests", "core/profiles/rules.py imports requests"),
        ("adapters/redis/gate.py", "from sqlalchemy import text", "adapters/redis/gate.py imports sqlalchemy"),
        ("adapters/sql/keys.py", "import sqlalchemy.orm", "adapters/sql/keys.py imports sqlalchemy"),
        ("api/v1/keys.py", "import asyncpg", "api/v1/keys.py imports asyncpg"),
        ("adapters/ftp/drop.py", "", "adapters/ftp/drop.py is on no leash"),
    ],
)
def test_a_library_out_of_its_place_is_named(name: str, line: str, verdict: str, tmp_path: Path) -> None:
    assert verdict in off_the_leash(planted(tmp_path, {name: line}))


def test_the_narrowest_entry_decides(tmp_path: Path) -> None:
    tree = planted(tmp_path, {"adapters/sql/schema/keys.py": "import sqlalchemy", "core/a/model.py": "import datetime"})
    assert off_the_leash(tree) == []
