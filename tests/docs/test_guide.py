"""The guide holds every document, leads nowhere in vain, loads nothing from elsewhere, and finds what it holds."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from guide import rendering, site
from guide.sources import SECTIONS, Source, address, other_language, sources

from architecture import test_shape
from docs.markup import Markup, read
from docs.pages import REPOSITORY, a_folder_at_a_time, anchor, pages
from opora.api import http
from opora.api.errors import NoSuchRoute
from opora.api.guide import MEDIA_TYPES
from opora.api.routes import Routes
from opora.bootstrap.binding import outline
from opora.bootstrap.http import AT_ROOT, VERSIONED


class Built[T](Mapping[str, T]):
    """What takes seconds to make, made when it is first looked at: others collect these tests and do not run them."""

    def __init__(self, build: Callable[[], dict[str, T]]) -> None:
        self._made = cache(build)

    def __getitem__(self, name: str) -> T:
        return self._made()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())


FILES = Built(site.files)
PAGES = Built(lambda: {name: read(content) for name, content in FILES.items() if name.endswith(".html")})
ASSETS = Built(
    lambda: {name.rpartition("/")[2]: content for name, content in FILES.items() if name.startswith("assets/")}
)
BY_HREF = Built(lambda: {site.href("" if name == "index.html" else name.removesuffix(".html")): name for name in PAGES})
NAMES = sorted({f"{address(page.name) or 'index'}.html" for page in pages()} | {"decisions.html"})
EVERY_PAGE = a_folder_at_a_time({name: name for name in NAMES})
KNOWN = [
    ("OPORA_HTTP_PORT", "/guide/reference/settings", "opora_http_port"),
    ("rate limited", "/guide/problems/rate_limited", ""),
    ("rate limit", "/guide/problems/rate_limited", ""),
    ("slot_taken", "/guide/problems/slot_taken", ""),
    ("backing up", "/guide/operations", "backing-up"),
    ("fencing", "/guide/glossary", "fencing"),
    ("словарь", "/guide/ru/glossary", ""),
    ("предел частоты", "/guide/ru/start", "5-предел-частоты"),
]
"""What a reader may look for, and the place that is to come first."""
BUILD_WHEEL = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
SEARCH = """
import { readFileSync } from "node:fs";
const { find, excerpt, prepare } = await import("./search.mjs");
const { index, queries } = JSON.parse(readFileSync(0));
const parts = prepare(index);
console.log(JSON.stringify(queries.map((query) => {
  const found = find(parts, query, "en");
  return found.map((part) => [part.href, part.place, excerpt(part, query).map(([text]) => text).join("")]);
})));
"""


@cache
def routes() -> Routes:
    """Give the routes of the service."""
    return Routes(http.application([outline(one) for one in VERSIONED], [outline(one) for one in AT_ROOT]))


def leads_astray(markup: Markup, own: str) -> list[str]:
    """List the links of a page that lead to no page, no place of one and no route of the service."""
    astray = []
    for link in markup.hrefs():
        path, _, place = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = BY_HREF.get(path, own if not path else None)
        if target is None:
            if path.startswith(site.PREFIX) or not is_route(path):
                astray.append(link)
        elif place and place not in PAGES[target].places:
            astray.append(link)
    return astray


def is_route(path: str) -> bool:
    """Tell whether the service answers at an address."""
    try:
        return "GET" in routes().allowed(path)
    except NoSuchRoute:
        return False


def test_every_document_is_a_page() -> None:
    assert sorted(PAGES) == NAMES
    assert len({source.address for source in sources()}) == len(sources())


def test_every_page_has_a_section_and_what_a_section_lists_first_is_there_in_that_order() -> None:
    found = [source.address for source in sources()]
    later = {"scaling"}  # may come; a list names it so that it finds its place
    for name, section in SECTIONS.items():
        listed = [one for one in section.first if one not in later and one != "decisions"]
        assert [one for one in found if one in listed] == listed, name


@EVERY_PAGE
def test_every_link_and_anchor_of_a_page_leads_somewhere(name: str) -> None:
    assert leads_astray(PAGES[name], name) == []


def test_a_link_that_leads_nowhere_is_named() -> None:
    planted = read(
        '<a href="/guide/nothing">a</a><a href="#none">b</a><a href="/guide/start#none">c</a><a href="/x">d</a>'
    )
    assert leads_astray(planted, "index.html") == planted.hrefs()
    fine = read('<a href="/guide/start#2-a-key">a</a><a href="#five-minutes">b</a><a href="/docs">c</a>')
    assert leads_astray(fine, "index.html") == []


@EVERY_PAGE
def test_a_page_loads_nothing_from_elsewhere_and_nothing_that_the_policy_refuses(name: str) -> None:
    found = PAGES[name]
    assert found.loaded
    for one in found.loaded:
        assert one == "/favicon.ico" or one.removeprefix(f"{site.PREFIX}/") in FILES, one
    assert found.refused == []
    assert found.unbalanced == []


def test_styles_and_scripts_name_no_other_host() -> None:
    for name in site.ASSETS:
        assert not re.search(rb"https?://|@import|url\(|//\w+\.\w+/", ASSETS[name]), name
        assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|eval\(|document\.write", ASSETS[name]), name


@EVERY_PAGE
def test_a_page_is_found_in_its_frame(name: str) -> None:
    found = PAGES[name]
    assert found.headings.count("h1") == 1
    assert len(found.places) == len(set(found.places))
    assert {"Pages", "Text"} <= set(found.places)
    current = [one["href"] for one in found.links if one.get("aria-current") == "page"]
    assert [BY_HREF[one] for one in current] == [name]
    assert found.language == ("ru" if name == "ru.html" or name.startswith("ru/") else "en")


@pytest.mark.parametrize(("first", "language"), [("/guide", "en"), ("/guide/ru", "ru")])
def test_going_on_leads_through_every_page_of_a_language_once_and_back(first: str, language: str) -> None:
    way = [first]
    while (following := PAGES[BY_HREF[way[-1]]].turn("next")) is not None:
        assert PAGES[BY_HREF[following]].turn("prev") == way[-1]
        way.append(following)
    assert len(way) == len(set(way))
    assert {BY_HREF[one] for one in way} == {name for name, page in PAGES.items() if page.language == language}


@pytest.mark.parametrize("of_page", ["", "start", "glossary"])
def test_what_is_written_in_both_languages_is_linked_both_ways(of_page: str) -> None:
    there = frozenset(source.address for source in sources())
    other = other_language(of_page, there)
    assert other == f"ru/{of_page}".removesuffix("/")
    assert other_language(other, there) == of_page
    for one, another, language in ((of_page, other, "ru"), (other, of_page, "en")):
        text = FILES[f"{one or 'index'}.html"].decode()
        assert f'<link rel="alternate" hreflang="{language}" href="{site.href(another)}">' in text
        assert f'<a href="{site.href(another)}" hreflang="{language}" lang="{language}">' in text


def test_a_page_of_one_language_leads_to_the_first_page_of_the_other_and_does_not_claim_to_be_the_same() -> None:
    text = FILES["operations.html"].decode()
    assert 'href="/guide/ru" hreflang="ru"' in text
    assert "alternate" not in text


def test_both_glossaries_explain_the_same_words() -> None:
    def rows(name: str) -> int:
        return len(re.findall(r"^\| \*\*", (REPOSITORY / "docs" / name).read_text("utf-8"), re.MULTILINE))

    assert rows("glossary.md") == rows("ru/glossary.md") > 30


def test_both_starts_show_the_same_commands() -> None:
    def shown(name: str) -> list[str]:
        text = (REPOSITORY / "docs" / name).read_text("utf-8")
        return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    assert shown("start.md") == shown("ru/start.md")


def index() -> dict[str, Any]:
    """Give the index of the search."""
    return dict(json.loads(ASSETS["index.json"]))


def test_the_index_holds_every_page_and_only_places_that_are_there() -> None:
    found = index()
    assert {href for href, *_ in found["pages"]} == BY_HREF.keys()
    for number, place, title, _ in found["parts"]:
        assert title
        assert not place or place in PAGES[BY_HREF[found["pages"][number][0]]].places, place
    assert len(ASSETS["index.json"]) < 1_500_000


@pytest.mark.parametrize(("query", "href", "place"), KNOWN)
def test_the_index_knows_the_words_of_a_place(query: str, href: str, place: str) -> None:
    found = index()
    (words,) = [
        f"{title} {text}".lower()
        for number, of_part, title, text in found["parts"]
        if (found["pages"][number][0], of_part) == (href, place)
    ]
    assert all(word in words for word in query.lower().split())


def test_the_search_puts_first_what_was_meant_and_finds_nothing_for_nonsense(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the script of the search")
    (tmp_path / "search.mjs").write_bytes(ASSETS["search.js"])
    (tmp_path / "try.mjs").write_text(SEARCH)
    queries = [*(query for query, _, _ in KNOWN), "qwertyuiop", "  ", "limits profiles", "$(.*", "словаря"]
    done = subprocess.run(
        [node, "try.mjs"], cwd=tmp_path, input=json.dumps({"index": index(), "queries": queries}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for (query, href, place), found in zip(KNOWN, answers, strict=False):
        assert found[0][:2] == [href, place], (query, found[:3])
    nonsense, nothing, several, signs, inflected = answers[len(KNOWN) :]
    assert (nonsense, nothing, signs) == ([], [], [])
    assert 0 < len(several) <= 20
    assert inflected[0][0] == "/guide/ru/glossary"


def test_the_same_documents_give_the_same_bytes(tmp_path: Path) -> None:
    one, another = tmp_path / "one.zip", tmp_path / "another.zip"
    assert site.build(one) == site.build(another) == len(FILES)
    assert one.read_bytes() == another.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
    assert sorted(tmp_path.iterdir()) == [another, one]


def test_every_file_is_of_a_type_that_the_service_knows() -> None:
    assert {Path(name).suffix for name in FILES} <= MEDIA_TYPES.keys()


def test_a_wheel_holds_the_guide(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUILD_WHEEL, str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    site.build(tmp_path / "guide.zip")
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        assert wheel.read("opora/api/static/guide.zip") == (tmp_path / "guide.zip").read_bytes()


def shown(text: str, path: str = "docs/start.md") -> str:
    """Render a document that stands at a path."""
    by_path = {source.path: source.address for source in sources()}
    return rendering.rendered(text, site.Links(path, by_path)).html


@pytest.mark.parametrize(
    ("link", "href"),
    [
        ("api-keys.md#using-one", "/guide/api-keys#using-one"),
        ("../README.md", "/guide"),
        ("../deploy/README.md", "/guide/deploy"),
        ("../deploy/", "/guide/deploy"),
        ("problems/README.md", "/guide/problems"),
        ("#2-a-key", "#2-a-key"),
        ("http://127.0.0.1:8000/docs", "/docs"),
        ("http://127.0.0.1:8000", "/guide"),
        ("https://keepachangelog.com/en/1.1.0/", "https://keepachangelog.com/en/1.1.0/"),
    ],
)
def test_a_link_of_a_document_becomes_one_of_the_guide(link: str, href: str) -> None:
    assert f'href="{href}"' in shown(f"[word]({link})")


def test_a_file_that_is_no_page_is_named_and_not_linked() -> None:
    html = shown("see [the nginx](../deploy/nginx/opora.conf) there")
    assert read(html).links == []
    assert '<span class="file" title="../deploy/nginx/opora.conf of the repository">the nginx</span>' in html


def test_what_the_policy_would_refuse_does_not_come_through() -> None:
    html = shown('| a |\n| --: |\n| 1 |\n\n<script>alert(1)</script>\n\n<b style="x">b</b> [x](javascript:alert)')
    found = read(html)
    assert (found.refused, found.links) == ([], [])
    assert '<td class="right">1</td>' in html
    assert "&lt;script&gt;" in html


def test_a_diagram_of_tables_becomes_tables_whose_references_lead_to_each_other() -> None:
    html = shown(
        "```mermaid\nerDiagram\n    users {\n        id id PK\n        text name\n    }\n"
        "    keys {\n        id owner_id PK, FK\n    }\n    users ||--o{ keys : owner_id\n```\n"
    )
    assert read(html).places == ["table-users", "table-keys"]
    assert '<td><code>owner_id</code></td><td>id</td><td>PK FK → <a href="#table-users">users</a></td>' in html
    assert "<td><code>name</code></td><td>text</td><td></td>" in html


def test_a_diagram_of_another_kind_is_shown_as_it_is_written() -> None:
    assert "flowchart LR" in shown("```mermaid\nflowchart LR\n    a --&gt; b\n```\n")


def test_a_picture_comes_from_the_guide_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "load.svg").write_text("<svg/>")
    html = shown("![Times](load.svg) ![gone](gone.svg) ![far](https://example.org/far.svg)")
    assert read(html).loaded == ["/guide/load.svg", "", ""]


def test_headings_are_linked_by_the_names_that_documents_use() -> None:
    for heading in ("2. A key", "`opora keys`, and more", "Предел частоты", "Why – so?"):
        assert rendering.anchor(heading) == anchor(heading)
        assert f'id="{anchor(heading)}"' in shown(f"# T\n\n## {heading}\n")
    assert read(shown("# T\n\n## Same\n\n## Same\n")).places == ["t", "same", "same-1"]


def test_rows_that_tell_of_a_word_can_be_linked() -> None:
    html = shown("| name | what |\n| --- | --- |\n| `OPORA_X` | x |\n| **ДБО** (DBO) | y |\n| plain | z |\n")
    assert read(html).places == ["opora_x", "дбо"]


@pytest.mark.parametrize(
    ("path", "where", "section"),
    [
        ("README.md", "", "start"),
        ("README.ru.md", "ru", "russian"),
        ("docs/ru/start.md", "ru/start", "russian"),
        ("docs/a-new-page.md", "a-new-page", "guides"),
        ("docs/security/asvs.md", "security/asvs", "security"),
        ("SECURITY.md", "security", "security"),
        ("docs/howto/x.md", "howto/x", "development"),
        ("docs/a-new-folder/x.md", "a-new-folder/x", "guides"),
    ],
)
def test_a_document_has_its_place(path: str, where: str, section: str) -> None:
    assert address(path) == where
    assert Source(path, where).section == section


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour, as WCAG 2 counts it."""
    channels = [
        int(part * 2 if len(colour) == 4 else part, 16) / 255 for part in re.findall(channel(colour), colour[1:])
    ]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(one * weight for one, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def channel(colour: str) -> str:
    """Give how a channel of a colour is written: by one digit or by two."""
    return "." if len(colour) == 4 else ".."


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_can_be_read_on_their_ground(theme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", ASSETS["guide.css"].decode(), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", blocks[theme]))
    assert len(colours) == 11
    for name in colours.keys() - {"ground", "raised", "line"}:
        for ground in ("ground", "raised"):
            light, dark = sorted((luminance(colours[name]), luminance(colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_the_renderer_keeps_the_shape_of_the_program() -> None:
    for check in (
        test_shape.long_functions,
        test_shape.long_files,
        test_shape.empty_names,
        test_shape.missing_docstrings,
    ):
        assert test_shape.found(check, REPOSITORY / "docs" / "guide") == []
