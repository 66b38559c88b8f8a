"""Pages of a list, and cursors nobody else can write."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.stand import Stand
from opora.api.errors import BadCursor
from opora.api.pages import CURSOR_MAX, PAGE_NUMBER_MAX, Cursors, envelope, page_request
from opora.core.kernel.model import Page

CURSORS = Cursors(b"a secret of thirty-two bytes, or so")


@pytest.mark.anyio
async def test_following_next_reads_the_whole_list_once(stand: Stand) -> None:
    seen: list[int] = []
    async with stand.client("good") as client:
        url: str | None = "/v1/things/?limit=50&q=a%26b"
        while url is not None:
            document = (await client.get(url)).json()
            seen += [thing["id"] for thing in document["results"]]
            url = document["next"]
        assert document["previous"] == "/api/v1/things?limit=50&q=a%26b&page=2"
        back = (await client.get(document["previous"])).json()
    assert seen == list(range(1, 121))
    assert back["results"][0]["id"] == 51
    assert (document["count"], document["count_exact"]) == (120, True)


def test_links_keep_every_filter_and_name_no_host() -> None:
    page = envelope(Page([1], 3, True), "https://evil.example/api/v1/x?tag=a&tag=b&empty=&page=2")
    assert page.next == "/api/v1/x?tag=a&tag=b&empty=&page=3"
    assert page.previous == "/api/v1/x?tag=a&tag=b&empty=&page=1"


def test_the_first_page_has_no_previous_and_the_last_no_next() -> None:
    only = envelope(Page([1], 1, False), "/x")
    assert (only.next, only.previous) == (None, None)
    bound = envelope(Page([1], 1, True), f"/x?page={PAGE_NUMBER_MAX}")
    assert bound.next is None


def test_a_page_is_asked_for_by_number() -> None:
    assert page_request(20, 3).offset == 40


@given(st.text(max_size=200), st.text(max_size=50))
def test_a_cursor_comes_back_as_the_position_it_was(position: str, of: str) -> None:
    sealed = CURSORS.seal(position, of)
    assert CURSORS.open(sealed, of) == position


@given(st.text(max_size=CURSOR_MAX))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        CURSORS.open(text, "/x")


@given(st.text(min_size=1, max_size=40), st.data())
def test_a_cursor_that_was_touched_anywhere_is_refused(position: str, data: st.DataObject) -> None:
    sealed = CURSORS.seal(position, "/x")
    raw = bytearray(urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadCursor):
        CURSORS.open(urlsafe_b64encode(raw).rstrip(b"=").decode(), "/x")


def test_a_cursor_of_another_list_secret_or_spelling_is_refused() -> None:
    sealed = CURSORS.seal("7", "/x")
    for cursors, text, of in (
        (CURSORS, sealed, "/y"),
        (Cursors(b"another secret"), sealed, "/x"),
        (CURSORS, sealed + "=", "/x"),
        (CURSORS, sealed + "\n", "/x"),
        (CURSORS, "", "/x"),
    ):
        with pytest.raises(BadCursor):
            cursors.open(text, of)


def test_a_list_by_cursor_goes_on_where_it_stopped() -> None:
    asked = CURSORS.request(50, None, "/x?limit=50")
    assert (asked.limit, asked.cursor) == (50, None)
    page = CURSORS.envelope(Page([1], 10, True, "after-7", False), "/x?limit=50&status=new")
    assert page.next is not None
    assert page.next.startswith("/x?limit=50&status=new&cursor=")
    following = CURSORS.request(50, page.next.rpartition("=")[2], page.next)
    assert following.cursor == "after-7"
    assert (page.count_exact, page.previous) == (False, None)
    last = CURSORS.envelope(Page([1], 10, False), "/x")
    assert last.next is None


def test_an_empty_cursor_begins_the_list() -> None:
    assert CURSORS.request(50, "", "/x") == CURSORS.request(50, None, "/x")
