"""What commands show: text for people, JSON for programs, both kept apart from what went wrong."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

from opora.cli.exits import CommandFailed


class Steps(Protocol):
    """Something that is told how far long work has come."""

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` is behind us."""


class Output:
    """Standard output and error of one command; with `as_json` the output is one JSON document."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err

    def line(self, text: str = "") -> None:
        """Write a line for people; nothing where JSON is wanted."""
        if not self.as_json:
            self._out.write(text + "\n")

    def raw(self, text: str) -> None:
        """Write text as it is, in either form."""
        self._out.write(text)
        self._out.flush()

    def document(self, value: object) -> None:
        """Write the JSON document; nothing where text is wanted."""
        if self.as_json:
            json.dump(value, self._out, ensure_ascii=False, indent=2, default=plain)
            self._out.write("\n")

    def note(self, text: str) -> None:
        """Write a line beside the output, on standard error."""
        self._err.write(text + "\n")
        self._err.flush()

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write rows under their heads, columns aligned; numbers to the right."""
        self.line("\n".join(table_lines(heads, rows)))

    def failed(self, end: CommandFailed) -> None:
        """Tell what went wrong and the next step, on standard error."""
        if self.as_json:
            told = {"error": {"exit_code": int(end.exit_code), "message": str(end), "next": end.following}}
            self.note(json.dumps(told, ensure_ascii=False))
            return
        self.note(f"opora: {end}")
        if end.following:
            self.note(f"  → {end.following}")

    @contextmanager
    def progress(self, about: str) -> Iterator[Steps]:
        """Show a bar on a terminal; elsewhere nothing, so that logs stay readable."""
        if self.as_json or not self._err.isatty():
            yield _nowhere
            return
        from rich.console import Console  # noqa: PLC0415 — 60 ms that only a bar is worth
        from rich.progress import Progress  # noqa: PLC0415 — the same

        with Progress(console=Console(file=self._err), transient=True) as bar:
            task = bar.add_task(about, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _nowhere(done: int, total: int) -> None:
    """Show nothing."""


def plain(value: object) -> object:
    """Return what JSON can hold in place of a time, an id, a set or a record."""
    if isinstance(value, set | frozenset | tuple):
        return sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    if hasattr(value, "isoformat"):
        return shown(value)
    slots = getattr(type(value), "__dataclass_fields__", None)
    if slots is not None:
        return {name: getattr(value, name) for name in slots}
    return dict(value) if isinstance(value, Mapping) else str(value)


def shown(value: object) -> str:
    """Return a value as a table shows it: times in UTC to the second, nothing as a dash."""
    if value in (None, "", ()):
        return "-"
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return text.removesuffix("+00:00").partition(".")[0] + ("Z" if hasattr(value, "tzinfo") else "")
    if isinstance(value, set | frozenset | tuple | list):
        return ", ".join(sorted(str(one) for one in value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of an aligned table."""
    body = [list(row) for row in rows]
    cells = [list(heads), *([shown(value) for value in row] for row in body)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    to_right = [
        bool(body) and all(isinstance(row[column], int | float) for row in body) for column in range(len(heads))
    ]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_right, strict=True)
        ).rstrip()
        for row in cells
    ]
