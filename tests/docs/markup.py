"""What the tests read of a page of the guide: its places, what it leads to and loads, what a policy would refuse."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
}


@dataclass
class Markup:
    """A page as a browser would take it."""

    language: str = ""
    places: list[str] = field(default_factory=list)
    links: list[dict[str, str]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def hrefs(self) -> list[str]:
        """Give the addresses of its links in order."""
        return [one["href"] for one in self.links]

    def turn(self, rel: str) -> str | None:
        """Give the address of the page before or after."""
        return next((one["href"] for one in self.links if one.get("rel") == rel), None)


class Reader(HTMLParser):
    """Fills a Markup."""

    def __init__(self) -> None:
        super().__init__()
        self.found = Markup()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the beginning of an element."""
        told = {name: value or "" for name, value in attrs}
        found = self.found
        if tag not in VOID:
            self._open.append(tag)
        if tag == "html":
            found.language = told.get("lang", "")
        if "id" in told:
            found.places.append(told["id"])
        if tag == "a" and "href" in told:
            found.links.append(told)
        if tag in LOADED and told.get("rel") != "alternate" and LOADED[tag] in told:
            found.loaded.append(told[LOADED[tag]])
        if tag in {"h1", "h2", "h3", "h4"}:
            found.headings.append(tag)
        inline = [name for name in told if name == "style" or name.startswith("on")]
        if inline or tag in {"style", "base", "object", "embed"} or (tag == "script" and "src" not in told):
            found.refused.append(f"<{tag} {' '.join(inline)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that ends itself: HTML knows that of empty ones alone."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Take the end of an element."""
        if not self._open or self._open.pop() != tag:
            self.found.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        """Take words."""
        self.found.words.append(data)

    def close(self) -> None:
        """Take the end of the page."""
        super().close()
        self.found.unbalanced += self._open


def read(page: bytes | str) -> Markup:
    """Read a page."""
    reader = Reader()
    reader.feed(page if isinstance(page, str) else page.decode())
    reader.close()
    return reader.found
