"""An empty SQLite store at the newest schema, migrated once a process and copied from then on."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


@cache
def blank_store() -> bytes:
    """Return the content of the file."""
    from opora.adapters.sql import migrations  # seconds of imports that most runs do without

    with TemporaryDirectory() as folder:
        file = Path(folder) / "blank.db"
        migrations.upgrade(f"sqlite:///{file}")
        return file.read_bytes()


def lay_blank_store(file: Path) -> None:
    """Put a copy where there is no file yet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_bytes(blank_store())
