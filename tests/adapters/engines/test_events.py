"""Server-sent events out of bytes, however those were cut."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.adapters.engines.events import LINE_MAX, EventReader, ServerEvent, Unreadable
from opora.adapters.engines.http import retry_after_s

STREAM = (
    "\ufeffdata: one\n\nevent: name\r\ndata:two\r\ndata: больше\r\n\r\n: comment\rdata\r\rid: 7\n\ndata: {\u2028}\n\n"
).encode()
EVENTS = [
    ServerEvent("message", "one"),
    ServerEvent("name", "two\nбольше"),
    ServerEvent("message", ""),
    ServerEvent("message", "{\u2028}"),
]
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@given(st.lists(st.integers(1, len(STREAM)), max_size=20))
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    reader = EventReader()
    found, start = [], 0
    for end in [*sorted(cuts), len(STREAM)]:
        found += reader.feed(STREAM[start:end])
        start = max(end, start)
    assert found == EVENTS


@pytest.mark.parametrize("some", [b"data: \xff\n\n", b"x" * (LINE_MAX + 1)])
def test_what_cannot_be_read_is_refused(some: bytes) -> None:
    with pytest.raises(Unreadable):
        list(EventReader().feed(some))


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("soon", None),
        ("-1", None),
        ("٣", None),
        ("Tue, 01 Jan 2030 12:01:00 GMT", 60.0),
        ("Tue, 01 Jan 2030 11:00:00 GMT", 0.0),
        ("9" * 40, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(sent: str | None, seconds: float | None) -> None:
    assert retry_after_s(sent, NOW) == seconds
