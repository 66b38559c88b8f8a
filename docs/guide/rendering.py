"""A document as HTML: its headings with anchors, its links as links of the guide, and what the search finds in it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from guide import diagrams

PLAIN = frozenset({"", "mermaid", "text"})
"""Languages of blocks in which nothing is marked."""

type Resolver = Callable[[str], str | None]
"""Gives the address that a link of a document leads to in the guide, None for what the guide does not hold."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page: its depth, its anchor and its words."""

    level: int
    place: str
    text: str


@dataclass(slots=True)
class Part:
    """What the search finds: a place of a page, what it is called and what stands there."""

    place: str
    title: str
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What stands there, in one line."""
        return " ".join(" ".join(self.words).split())


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as the guide shows it."""

    title: str
    html: str
    headings: Sequence[Heading]
    parts: Sequence[Part]


def anchor(heading: str) -> str:
    """Give a heading the name that viewers of Markdown link it by."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def rendered(text: str, resolve: Resolver) -> Rendered:
    """Read a document."""
    tokens = MARKDOWN.parse(text)
    reading = Reading(resolve)
    for number, token in enumerate(tokens):
        reading.take(token, tokens[number + 1] if number + 1 < len(tokens) else token)
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    return Rendered(reading.parts[0].title, html, reading.headings, reading.parts)


class Reading:
    """Goes through the tokens of a document once: names its places, turns its links, gathers its words."""

    def __init__(self, resolve: Resolver) -> None:
        self.resolve = resolve
        self.headings: list[Heading] = []
        self.parts: list[Part] = [Part("", "")]
        self._places: set[str] = set()
        self._row: Token | None = None

    def take(self, token: Token, following: Token) -> None:
        """Take the next token, knowing the one after it."""
        match token.type:
            case "heading_open":
                self._heading(token, following)
            case "tr_open":
                self._row = token
            case "td_open":
                self._cell(following)
            case "fence" | "code_block":
                self.parts[-1].words.append(token.content)
            case "inline":
                self.parts[-1].words.append(plain(token))
                self._links(token.children or [])
        style = token.attrs.pop("style", None)  # the policy of the service forbids styles within elements
        if style is not None:
            token.attrJoin("class", str(style).removeprefix("text-align:"))

    def _heading(self, token: Token, inline: Token) -> None:
        level, title = int(token.tag[1:]), plain(inline)
        place = self._named(anchor(inline.content))
        token.attrSet("id", place)
        self.headings.append(Heading(level, place, title))
        if level == 1 and len(self.headings) == 1:
            self.parts[0].title = title
        else:
            self.parts.append(Part(place, title))

    def _cell(self, inline: Token) -> None:
        """Give a row that begins with the one word it tells of, as those of references do, a place of its own."""
        row, self._row = self._row, None
        word = told_of(inline)
        if row is not None and word:
            place = self._named(anchor(word))
            row.attrSet("id", place)
            self.parts.append(Part(place, word))

    def _named(self, wanted: str) -> str:
        """Name a place once; names are in lower case, and the frame's own begin with a capital."""
        wanted = wanted or "place"
        place, times = wanted, 0
        while place in self._places:
            times += 1
            place = f"{wanted}-{times}"
        self._places.add(place)
        return place

    def _links(self, children: Sequence[Token]) -> None:
        is_file = False
        for child in children:
            if child.type == "image":
                picture = self.resolve(str(child.attrs["src"])) or ""
                child.attrs["src"] = picture if picture.startswith("/") else ""
            if child.type == "link_open":
                wanted = str(child.attrs["href"])
                target = self.resolve(wanted)
                is_file = target is None
                child.attrs = {"href": target} if target else {"class": "file", "title": f"{wanted} of the repository"}
                if target and target.startswith(("http:", "https:")):
                    child.attrs["rel"] = "noreferrer"
            if child.type in {"link_open", "link_close"} and is_file:
                child.tag = "span"


def told_of(cell: Token) -> str:
    """Return the word that a row tells of: what its first cell holds as code alone, or begins with in bold."""
    children = [one for one in cell.children or () if one.type != "text" or one.content]
    if [one.type for one in children[:3:2]] == ["strong_open", "strong_close"]:
        return children[1].content
    words = [one for one in children if one.type not in {"link_open", "link_close"}]
    return words[0].content if [one.type for one in words] == ["code_inline"] else ""


def plain(inline: Token) -> str:
    """Return the words of a line without its marks."""
    return "".join(_words(inline.children or ()))


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        yield " " if token.type in {"softbreak", "hardbreak"} else token.content


class Html(RendererHTML):
    """Writes what plain HTML of Markdown lacks: marked code, anchors of headings, tables that scroll by themselves."""

    def fence(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        """Write a block of code; a diagram of tables becomes tables."""
        language, text = tokens[idx].info.strip(), tokens[idx].content
        if text.startswith(diagrams.KIND):
            return diagrams.drawn(text)
        return f'<div class="code"><pre tabindex="0"><code>{marked(text, language)}</code></pre></div>\n'

    def heading_close(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        """End a heading with a link to itself."""
        place, tag = tokens[idx - 2].attrs["id"], tokens[idx].tag
        link = "" if tag == "h1" else f' <a class="place" href="#{place}" aria-hidden="true" tabindex="-1">#</a>'
        return f"{link}</{tag}>\n"

    def table_open(self, *_: object) -> str:
        """Begin a table in a frame that scrolls, for the mouse, the finger and the keyboard."""
        return '<div class="table" tabindex="0">\n<table>\n'

    def table_close(self, *_: object) -> str:
        """End the table and its frame."""
        return "</table>\n</div>\n"


def marked(text: str, language: str) -> str:
    """Return code as HTML with the classes of its parts."""
    if language in PLAIN:
        return escape(text)
    return str(highlight(text, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True)))


MARKDOWN = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}, renderer_cls=Html).enable("table")
