"""Every code a problem may carry, and the page that each has: what it means and what to do, in English and Russian."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import opora
from opora.api.advice import advice
from opora.api.problems import STATUS, status, title
from opora.core.kernel.errors import DomainError

KINDS = tuple(STATUS)
"""What a caller can be told; an error of no kind stays inside, between a job and its engine."""


class TwoMeanings(Exception):
    """Two errors share a code."""


def codes() -> dict[str, type[DomainError]]:
    """Return every code with its error, sorted; raises TwoMeanings for a code that two errors use.

    Adapters name errors too, so everything is imported: for the docs and their test, not for a running service.
    """
    for module in walk_packages(opora.__path__, "opora."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return loaded()


def loaded() -> dict[str, type[DomainError]]:
    """Return the codes of what was imported already: all that a running service can answer with."""
    found: dict[str, type[DomainError]] = {}
    for kind in _descendants(DomainError):
        if "code" not in vars(kind) or not kind.__module__.startswith("opora.") or not issubclass(kind, KINDS):
            continue
        other = found.setdefault(kind.code, kind)
        if other is not kind:
            raise TwoMeanings(f"{kind.code}: {other.__qualname__} and {kind.__qualname__}")
    return dict(sorted(found.items()))


def page(kind: type[DomainError]) -> str:
    """Return the page of a code as Markdown."""
    english, russian = advice(kind.code, status(kind))
    return f"# `{kind.code}`\n\n**{status(kind)}** – {title(kind)}\n\n{english}\n\n{russian}\n"


def index() -> str:
    """Return the list of all codes as Markdown."""
    lines = [f"| [`{code}`]({code}.md) | {status(kind)} | {title(kind)} |" for code, kind in codes().items()]
    head = "# Problem codes\n\nThe `type` of a problem document is the address of its page here.\n\n"
    return head + "| code | status | meaning |\n| --- | --- | --- |\n" + "\n".join(lines) + "\n"


def write(folder: Path) -> list[Path]:
    """Write the index, and the pages that are missing; pages that are there may have been written by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index(), encoding="utf-8")
    made = []
    for code, kind in codes().items():
        path = folder / f"{code}.md"
        if not path.exists():
            path.write_text(page(kind), encoding="utf-8")
            made.append(path)
    return made


def _descendants(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


if __name__ == "__main__":
    write(Path("docs/problems"))
