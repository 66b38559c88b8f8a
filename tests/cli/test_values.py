"""How arguments are written."""

import io
from argparse import ArgumentTypeError
from datetime import timedelta
from pathlib import Path

import pytest

from opora.cli.exits import CommandFailed
from opora.cli.values import job_id, password, readable, span, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_reads_spans_of_time(text: str, expected: timedelta) -> None:
    assert span(text) == expected


@pytest.mark.parametrize("text", ["", "5", "h", "-5s", "1.5h", "5y", "9999999s", "٣d"])
def test_refuses_what_is_no_span(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a span"):
        span(text)


@pytest.mark.parametrize("text", ["0", "11", "-1", "1.0", "", "five", "٣"])
def test_refuses_numbers_out_of_range(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="from 1 to 10"):
        whole(1, 10)(text)


def test_takes_numbers_in_range() -> None:
    assert (whole(1, 10)("1"), whole(1, 10)("10")) == (1, 10)


def test_refuses_what_is_no_job() -> None:
    with pytest.raises(ArgumentTypeError, match="UUID"):
        job_id("7")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_bytes(b"\xef\xbb\xbflabel\n")
    with readable(str(tmp_path / "keys.csv")) as file:
        assert file.read() == "label\n"


def test_a_password_is_one_line_of_standard_input() -> None:
    assert password("Password", io.StringIO("correct horse\r\nmore\n")) == "correct horse"


class Terminal(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_asked_twice() -> None:
    same, different = iter(["correct horse"] * 2), iter(["correct horse", "correct house"])
    assert password("Password", Terminal(), lambda _: next(same)) == "correct horse"
    with pytest.raises(CommandFailed, match="differ"):
        password("Password", Terminal(), lambda _: next(different))
