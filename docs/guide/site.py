"""The guide as one file: every document as a page in its frame, the index of the search, styles and scripts."""

import json
import os
import posixpath
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from guide.rendering import Part, Rendered, rendered
from guide.sources import HOME, ROOT, RUSSIAN, SECTIONS, Source, other_language, sources
from guide.words import WORDS

PREFIX = "/guide"
HERE = "http://127.0.0.1:8000"
"""How documents call the service that a reader has started; the guide means the one that serves it."""
BUILT = ROOT / "src" / "opora" / "api" / "static" / "guide.zip"
FOLDER = Path(__file__).parent
ASSETS = ("guide.css", "guide.js", "search.js")
FRAME = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same documents give the same bytes."""
ASIDE = frozenset({"decisions", "project", "security"})
"""Sections that speak of everything and are seldom meant by who searches."""
PICTURES = frozenset({".png", ".svg"})
PLACES_MIN = 2
"""A page with fewer headings shows no list of them."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the guide: what it was made from, and what became of it."""

    source: Source
    content: Rendered

    @property
    def href(self) -> str:
        """Its address."""
        return href(self.source.address)


def href(address: str) -> str:
    """Return the absolute address of a page."""
    return f"{PREFIX}/{address}" if address else PREFIX


def pages(found: Sequence[Source]) -> list[Page]:
    """Read the documents, with a page of every decision before the decisions."""
    by_path = {source.path: source.address for source in found}
    read = [Page(source, rendered(source.text, Links(source.path, by_path))) for source in found]
    decisions = [page for page in read if page.source.section == "decisions"]
    at = read.index(decisions[0])
    listing = "\n".join(f"* [{page.content.title}]({page.href})" for page in decisions)
    text = f"# Decisions\n\nWhy it is so and not otherwise, in the order in which it was decided.\n\n{listing}\n"
    first = Page(Source("docs/decisions", "decisions"), rendered(text, str))
    return [*read[:at], first, *read[at:]]


@dataclass(frozen=True, slots=True)
class Links:
    """Turns the links of a document at `path` into addresses of the guide."""

    path: str
    by_path: Mapping[str, str]

    def __call__(self, link: str) -> str | None:
        """Return the address, None for a file of the repository that is no page."""
        if link.startswith(HERE):
            return link.removeprefix(HERE).rstrip("/") or PREFIX
        parts = urlsplit(link)
        if parts.scheme:
            return link
        place = f"#{parts.fragment}" if parts.fragment else ""
        if not parts.path:
            return place
        target = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), parts.path))
        if posixpath.splitext(target)[1] in PICTURES and (ROOT / target).is_file():
            return href(target.removeprefix("docs/"))
        for one in (target, f"{target}/README.md"):
            if one in self.by_path:
                return href(self.by_path[one]) + place
        return None


def files() -> dict[str, bytes]:
    """Return every file of the guide by its name: pages as `address.html`, the rest below `assets/` and a digest."""
    found = pages(sources())
    assets = {name: (FOLDER / name).read_bytes() for name in ASSETS}
    assets["index.json"] = json.dumps(index(found), ensure_ascii=False, separators=(",", ":")).encode()
    digest = sha256(b"".join(assets.values())).hexdigest()[:12]
    there = frozenset(page.source.address for page in found)
    made = {f"assets/{digest}/{name}": content for name, content in assets.items()}
    pictures = (one for one in sorted((ROOT / "docs").rglob("*")) if one.suffix in PICTURES)
    made |= {one.relative_to(ROOT / "docs").as_posix(): one.read_bytes() for one in pictures}
    for number, page in enumerate(found):
        name = f"{page.source.address or 'index'}.html"
        made[name] = framed(page, number, found, f"{PREFIX}/assets/{digest}", there).encode()
    return made


def build(target: Path = BUILT) -> int:
    """Write the guide, whole or not at all; return how many files it holds."""
    made = files()
    aside = target.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in made.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    aside.replace(target)
    return len(made)


def index(found: Sequence[Page]) -> dict[str, object]:
    """Return what the search reads: pages with address, title, language and whether they tell of the making alone."""
    listed = [
        [page.href, page.content.title, page.source.language, int(page.source.section in ASIDE)] for page in found
    ]
    parts = [
        [number, part.place, part.title, _told(part)]
        for number, page in enumerate(found)
        for part in page.content.parts
        if part.title
    ]
    return {"pages": listed, "parts": parts}


def _told(part: Part) -> str:
    return part.text.removeprefix(part.title).strip()


def framed(page: Page, number: int, found: Sequence[Page], assets: str, there: frozenset[str]) -> str:
    """Return a whole page: its text in the frame of its language."""
    language = page.source.language
    other = other_language(page.source.address, there)
    said = {name: escape(text) for name, text in WORDS[language].items()}
    is_told = page.source.address in {HOME, "ru"} or (page.source.address in there and other not in {HOME, "ru"})
    alternate = f'<link rel="alternate" hreflang="{said["other_code"]}" href="{href(other)}">' if is_told else ""
    return FRAME.substitute(
        said,
        language=language,
        title=escape(page.content.title),
        assets=assets,
        alternate=alternate,
        home=href("ru" if language == RUSSIAN else HOME),
        other_href=href(other),
        navigation="".join(navigation(page, found)),
        body=page.content.html,
        turn="".join(turn(number, found)),
        places="".join(places(page)),
    )


def navigation(page: Page, found: Sequence[Page]) -> Iterator[str]:
    """Yield the list of pages, section by section; the page's own section stands open."""
    for name, section in SECTIONS.items():
        is_own = name == page.source.section
        title = section.russian if page.source.language == RUSSIAN else section.english
        members = [one for one in found if one.source.section == name]
        if section.is_endless or (section.is_long and not is_own):
            members = [one for one in members if one is page or one.source.address in section.first]
        yield f"<details{' open' if is_own else ''}><summary>{title}</summary>\n<ul>\n"
        for one in members:
            current = ' aria-current="page"' if one is page else ""
            foreign = f' lang="{one.source.language}"' if one.source.language != page.source.language else ""
            yield f'<li><a href="{one.href}"{current}{foreign}>{escape(one.content.title)}</a></li>\n'
        yield "</ul></details>\n"


def turn(number: int, found: Sequence[Page]) -> Iterator[str]:
    """Yield links to the page before and the page after in the same language."""
    language = found[number].source.language
    before = next((one for one in reversed(found[:number]) if one.source.language == language), None)
    after = next((one for one in found[number + 1 :] if one.source.language == language), None)
    for rel, name, one in (("prev", "previous", before), ("next", "next", after)):
        if one is not None:
            yield f'<a rel="{rel}" href="{one.href}"><span>{WORDS[language][name]}</span> '
            yield f"{escape(one.content.title)}</a>\n"


def places(page: Page) -> Iterator[str]:
    """Yield the list of a page's headings."""
    found = [one for one in page.content.headings if one.level in {2, 3}]
    if len(found) < PLACES_MIN:
        return
    title = WORDS[page.source.language]["here"]
    yield f'<nav class="places" aria-label="{title}">\n<p>{title}</p>\n<ul>\n'
    for one in found:
        yield f'<li class="level{one.level}"><a href="#{one.place}">{escape(one.text)}</a></li>\n'
    yield "</ul>\n</nav>\n"
