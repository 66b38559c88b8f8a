"""What commands show, in either form."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import Output, shown, table_lines


@dataclass(frozen=True, slots=True)
class Thing:
    """A record of the tests."""

    id: UUID
    at: datetime
    words: frozenset[str]


def streams(*, as_json: bool) -> tuple[Output, io.StringIO, io.StringIO]:
    """Return an output with what it writes to."""
    out, err = io.StringIO(), io.StringIO()
    return Output(as_json=as_json, out=out, err=err), out, err


def test_text_and_json_never_mix() -> None:
    for as_json, expected in ((False, "words\n"), (True, '{\n  "a": 1\n}\n')):
        output, out, _ = streams(as_json=as_json)
        output.line("words")
        output.document({"a": 1})
        assert out.getvalue() == expected


def test_json_holds_records_times_ids_and_sets() -> None:
    output, out, _ = streams(as_json=True)
    thing = Thing(UUID(int=1), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), frozenset({"b", "a"}))
    output.document([thing])
    assert json.loads(out.getvalue()) == [
        {"id": "00000000-0000-0000-0000-000000000001", "at": "2026-01-02T03:04:05Z", "words": ["a", "b"]}
    ]


def test_values_are_shown_for_people() -> None:
    assert [shown(one) for one in (None, "", (), True, False, date(2026, 1, 2), frozenset({"b", "a"}), 0)] == [
        "-", "-", "-", "yes", "no", "2026-01-02", "a, b", "0",
    ]  # fmt: skip


def test_tables_are_aligned_and_numbers_stand_right() -> None:
    assert table_lines(["ID", "NAME"], [[1, "ann"], [10, "bo"]]) == ["ID  NAME", " 1  ann", "10  bo"]
    assert table_lines(["ID", "NAME"], []) == ["ID  NAME"]


def test_the_next_step_is_told() -> None:
    output, _, err = streams(as_json=False)
    output.failed(CommandFailed(Exit.DATA, "no", "try again"))
    assert err.getvalue() == "opora: no\n  → try again\n"


def test_progress_is_silent_where_nobody_watches() -> None:
    output, out, err = streams(as_json=False)
    with output.progress("work") as step:
        step(1, 2)
    assert out.getvalue() + err.getvalue() == ""


class Screen(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal() -> None:
    screen = Screen()
    with Output(err=screen).progress("drawing") as step:
        step(1, 2)
        step(2, 2)
    assert "drawing" in screen.getvalue()
