"""The documents of the repository as pages of the guide: the address, the section and the language of each."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
HOME = ""
ENGLISH, RUSSIAN = "en", "ru"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the guide; `first` are the addresses that its list begins with, the others follow by the alphabet.

    A list that is `long` is shown on pages of the section alone, one that is `endless` nowhere but on its own page.
    """

    english: str
    russian: str
    first: tuple[str, ...] = ()
    is_long: bool = False
    is_endless: bool = False


SECTIONS = {
    "start": Section("Start", "Начало", (HOME, "start", "glossary")),
    "russian": Section("По-русски", "По-русски", ("ru", "ru/start", "ru/glossary")),
    "guides": Section(
        "Guides",
        "Руководства",
        (
            "api-keys",
            "signing-in",
            "gateway",
            "data",
            "generation",
            "plans",
            "payments",
            "appointments",
            "numbers",
            "bank-documents",
            "core-banking",
            "events",
            "notifications",
        ),
    ),
    "operations": Section("Operations", "Эксплуатация", ("operations", "deploy", "scaling", "load", "benchmarks")),
    "security": Section("Security", "Безопасность", ("security",)),
    "reference": Section("Reference", "Справочник", ("reference/settings", "reference/commands")),
    "development": Section("Development", "Разработка", ("architecture", "contributing")),
    "project": Section("Project", "Проект", ("changelog", "conformance")),
    "decisions": Section("Decisions", "Решения", ("decisions",), is_long=True),
    "problems": Section("Problems", "Коды ошибок", ("problems",), is_endless=True),
}
"""Every section, in the order of the guide."""

_FOLDERS = {"ru": "russian", "howto": "development"}
_PLACED = {address: name for name, section in SECTIONS.items() for address in section.first}


@dataclass(frozen=True, slots=True)
class Source:
    """A document: its path in the repository, and where it stands in the guide."""

    path: str
    address: str

    @property
    def text(self) -> str:
        """All of it."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def language(self) -> str:
        """The language that it is written in."""
        return RUSSIAN if _PLACED.get(self.address) == "russian" or self.address.startswith("ru/") else ENGLISH

    @property
    def section(self) -> str:
        """The section that it belongs to: by its own name, else by its folder."""
        folder = self.address.partition("/")[0] if "/" in self.address else ""
        by_folder = _FOLDERS.get(folder, folder) if folder else "guides"
        return _PLACED.get(self.address, by_folder if by_folder in SECTIONS else "guides")


def address(path: str) -> str:
    """Return the address below /guide of the document at a path of the repository."""
    parts = list(PurePosixPath(path.removesuffix(".md")).parts)
    if parts[0] == "docs":
        parts = parts[1:]
    elif len(parts) == 1:
        parts = [parts[0].lower()]
    if parts[-1].lower() == "readme":
        parts = parts[:-1]
    return "ru" if parts == ["readme.ru"] else "/".join(parts)


def sources() -> list[Source]:
    """List the documents in the order of the guide: by section, in each as its list says, then by the alphabet."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    paths = [file.relative_to(ROOT).as_posix() for file in files]
    return sorted((Source(path, address(path)) for path in paths), key=_rank)


def _rank(source: Source) -> tuple[int, int, str]:
    first = SECTIONS[source.section].first
    listed = first.index(source.address) if source.address in first else len(first)
    return list(SECTIONS).index(source.section), listed, source.address


def other_language(source: str, there: frozenset[str]) -> str:
    """Return the address of a page in the other language, or that language's first page where there is none."""
    if source == "ru" or source.startswith("ru/"):
        return source.removeprefix("ru").removeprefix("/")
    return f"ru/{source}" if f"ru/{source}" in there else "ru"
