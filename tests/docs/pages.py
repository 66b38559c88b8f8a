"""The documents of the repository, as the tests read them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and text."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One document."""

    file: Path

    @property
    def name(self) -> str:
        """Where it stands in the repository."""
        return self.file.relative_to(REPOSITORY).as_posix()

    @property
    def text(self) -> str:
        """All of it."""
        return self.file.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All of it but the fenced blocks."""
        return FENCE.sub("", self.text)

    def blocks(self) -> Iterator[Block]:
        """Give its fenced blocks in order."""
        return (Block(*match.groups()) for match in FENCE.finditer(self.text))

    def links(self) -> Iterator[str]:
        """Give the targets of its links in order."""
        return (match[1] for match in LINK.finditer(self.prose))

    def anchors(self) -> set[str]:
        """Name the places of the page that a link may lead to."""
        return {anchor(match[1]) for match in HEADING.finditer(self.prose)}


def anchor(heading: str) -> str:
    """Give a heading the name that viewers link it by."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def pages() -> list[Page]:
    """Every document there is, in order."""
    files = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "deploy").rglob("*.md")]
    return [Page(file) for file in sorted(files)]


def a_folder_at_a_time[T](named: Mapping[str, T]) -> Callable[[Callable[[T], None]], Callable[[str], None]]:
    """Make a look at one thing a test of each folder of them: a test a thing costs more than its look does.

    What fails names the thing that it failed on.
    """
    folders: dict[str, dict[str, T]] = {}
    for name, thing in named.items():
        folders.setdefault(name.rpartition("/")[0] or ".", {})[name] = thing

    def decorated(look: Callable[[T], None]) -> Callable[[str], None]:
        def looked(folder: str) -> None:
            for name, thing in folders[folder].items():
                try:
                    look(thing)
                except BaseException as failure:
                    failure.add_note(f"on {name}")
                    raise

        looked.__name__, looked.__module__, looked.__doc__ = look.__name__, look.__module__, look.__doc__
        test: Callable[[str], None] = pytest.mark.parametrize("folder", folders)(looked)
        return test

    return decorated
