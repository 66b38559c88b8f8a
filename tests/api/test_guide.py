"""The guide as the service gives it: from the package alone, packed, kept by browsers, and nothing beside it."""

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from api.stand import Stand, ThingController, alive
from opora.api.edge import wrap
from opora.api.guide import Guide, NotBuilt, takes_gzip
from opora.api.http import application
from opora.api.v1.guide import LASTING, GuideController

pytestmark = pytest.mark.anyio

FIRST, START, STYLE = b"<h1>Opora</h1>", b"<h1>Start</h1>" * 100, b"body { margin: 0; }" * 50
FILES = {
    "index.html": FIRST,
    "start.html": START,
    "ru/start.html": "<h1>Начало</h1>".encode(),
    "reference/settings.html": b"<h1>Settings</h1>",
    "assets/0a1b/guide.css": STYLE,
    "assets/0a1b/guide.js": b"export {};",
    "assets/0a1b/index.json": b"{}",
    "load.svg": b"<svg/>",
}
PLAIN = {"accept-encoding": "identity"}


def built(file: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write an archive as the guide's is written."""
    aside = file.with_suffix(".new")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return aside.replace(file)


def showing(file: Path) -> Stand:
    """The service with the guide that lies in a file."""

    class Showing(GuideController):
        """The guide of this test."""

        guide = Guide(file)

    stand = Stand()
    stand.litestar = application([ThingController], [alive, Showing])
    stand.app = wrap(stand.litestar, stand.parts)
    return stand


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """The service with a small guide."""
    return showing(built(tmp_path / "guide.zip"))


@pytest.mark.parametrize(
    ("address", "content", "media_type"),
    [
        ("/guide", FIRST, "text/html; charset=utf-8"),
        ("/guide/", FIRST, "text/html; charset=utf-8"),
        ("/guide/start", START, "text/html; charset=utf-8"),
        ("/guide/ru/start", FILES["ru/start.html"], "text/html; charset=utf-8"),
        ("/guide/reference/settings/", FILES["reference/settings.html"], "text/html; charset=utf-8"),
        ("/guide/assets/0a1b/guide.css", STYLE, "text/css; charset=utf-8"),
        ("/guide/assets/0a1b/guide.js", b"export {};", "text/javascript; charset=utf-8"),
        ("/guide/assets/0a1b/index.json", b"{}", "application/json"),
        ("/guide/load.svg", b"<svg/>", "image/svg+xml"),
    ],
)
async def test_what_the_archive_holds_is_given_as_it_is(
    stand: Stand, address: str, content: bytes, media_type: str
) -> None:
    async with stand.client() as client:
        plain = await client.get(address, headers=PLAIN)
        packed = await client.get(address, headers={"accept-encoding": "br, gzip"})
    assert (plain.status_code, plain.content, plain.headers["content-type"]) == (200, content, media_type)
    assert "content-encoding" not in plain.headers
    assert (packed.content, packed.headers["content-encoding"]) == (content, "gzip")
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"


async def test_packed_bytes_are_fewer_and_whole(stand: Stand) -> None:
    async with (
        stand.client() as client,
        client.stream("GET", "/guide/start", headers={"accept-encoding": "gzip"}) as told,
    ):
        raw = b"".join([chunk async for chunk in told.aiter_raw()])
    assert int(told.headers["content-length"]) == len(raw) < len(START) / 5
    assert gzip.decompress(raw) == START


async def test_pages_are_asked_after_and_assets_kept(stand: Stand) -> None:
    async with stand.client() as client:
        for address, kept in (("/guide/start", "no-cache"), ("/guide/assets/0a1b/guide.css", LASTING)):
            first = await client.get(address)
            assert first.headers["cache-control"] == kept
            again = await client.get(address, headers={"if-none-match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["cache-control"] == kept
            other = await client.get(address, headers={"if-none-match": '"another"'})
            assert other.status_code == 200
            head = await client.head(address)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["etag"] == first.headers["etag"]


async def test_a_page_carries_the_headers_of_the_edge_and_a_policy_without_exceptions(stand: Stand) -> None:
    async with stand.client() as client:
        page = await client.get("/guide")
        lost = await client.get("/guide/nothing")
        drawing = await client.get("/guide/load.svg")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert drawing.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
    for answer in (page, lost):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-request-id"]


async def test_nobody_is_asked_who_they_are_and_no_limit_is_spent(stand: Stand) -> None:
    async with stand.client() as client:
        for headers in ({}, {"x-api-key": "nonsense"}, {"authorization": "Bearer nonsense"}):
            page = await client.get("/guide/start", headers=headers)
            assert page.status_code == 200
            assert "ratelimit" not in page.headers


@pytest.mark.parametrize(
    "address",
    [
        "/guide/nothing",
        "/guide/index",
        "/guide/start.html",
        "/guide/../guide.py",
        "/guide/%2e%2e/guide.py",
        "/guide/..%2f..%2fetc%2fpasswd",
        "/guide//etc/passwd",
        "/guide/assets",
        "/guide/assets/0a1b",
        "/guide/assets/../index.html",
        "/guide/guide.zip",
        "/guide/start%00",
        "/guide/start\\..\\x",
        "/guide/" + "a/" * 500,
    ],
)
async def test_nothing_but_what_the_archive_holds_is_given(stand: Stand, address: str) -> None:
    async with stand.client() as client:
        answer = await client.get(address)
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_guide_is_only_read(stand: Stand) -> None:
    async with stand.client() as client:
        assert (await client.post("/guide/start", json={})).status_code == 405


async def test_a_package_without_a_guide_says_how_to_make_one(tmp_path: Path) -> None:
    stand = showing(tmp_path / "guide.zip")
    async with stand.client() as client:
        told = await client.get("/guide")
        built(tmp_path / "guide.zip")
        found = await client.get("/guide")
    assert told.status_code == 404
    assert told.headers["content-type"].startswith("text/html")
    assert told.headers["cache-control"] == "no-cache"
    assert "make docs" in told.text
    assert (found.status_code, found.content) == (200, FIRST)


async def test_a_guide_built_anew_is_seen_at_once(stand: Stand, tmp_path: Path) -> None:
    async with stand.client() as client:
        before = await client.get("/guide/start")
        built(tmp_path / "guide.zip", {"start.html": b"<h1>Anew</h1>"})
        after = await client.get("/guide/start", headers={"if-none-match": before.headers["etag"]})
        gone = await client.get("/guide/ru/start")
    assert (after.status_code, after.content) == (200, b"<h1>Anew</h1>")
    assert gone.status_code == 404


def test_a_guide_is_looked_for_only_when_it_is_asked_for(tmp_path: Path) -> None:
    guide = Guide(tmp_path / "nothing.zip")
    with pytest.raises(NotBuilt):
        guide.find("")


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("GZIP", True),
        ("*", False),
        ("deflate, gzip ; q=0.001", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("br, deflate", False),
        ("xgzip", False),
        ("gzipx", False),
    ],
)
def test_gzip_is_sent_to_whoever_takes_it(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes
