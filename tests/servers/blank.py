"""An empty SQLite store at the newest schema, laid once a process and copied from then on, and its script."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


@cache
def blank_store() -> bytes:
    """Return the content of the file."""
    from opora.adapters.sql.blank import lay  # imports that most runs do without

    with TemporaryDirectory() as folder:
        file = Path(folder) / "blank.db"
        assert lay(file)
        return file.read_bytes()


def blank_script() -> str:
    """Return the script that makes such a file, as the migrations have it."""
    from opora.adapters.sql import migrations  # seconds of them
    from opora.adapters.sql.blank import dumped

    with TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.db"
        migrations.upgrade(f"sqlite:///{file}")
        return dumped(file)


def lay_blank_store(file: Path) -> None:
    """Put a copy where there is no file yet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_bytes(blank_store())
