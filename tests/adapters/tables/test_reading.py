"""Tables read in a process of their own: what harms it harms nobody else."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest

from adapters.tables.made_workbooks import sparse, workbook
from opora.adapters.sandbox.children import Limits, Sandbox
from opora.adapters.sandbox.hearing import ChildFailed, ChildSpent, Hearing, Patience
from opora.adapters.tables.reading import READER, ProcessTableReader
from opora.core.numbers.errors.tables import ColumnMissing, LineTooLong, TableReaderFailed, TableTooCostly
from opora.core.numbers.model.tables import Reading, ReadThrough, RefusedRow, SortedRange, TableHead
from opora.testing.blobs import in_parts

pytestmark = pytest.mark.anyio

READING = Reading(rows_max=1000, range_rows=100, providers=[7], geo=[3])
MIB = 1024 * 1024


DEEDS = "adapters.sandbox.deeds"
Made = Callable[..., ProcessTableReader]


@pytest.fixture
async def reader(anyio_backend: str) -> AsyncIterator[Made]:
    """Make readers whose processes have these bounds, or do something else."""
    async with AsyncExitStack() as stack:

        def made(deed: str = "", wall_s: float = 120.0, **limits: Any) -> ProcessTableReader:
            sandbox = Sandbox((READER, DEEDS), patience=Patience(wall_s=wall_s))
            stack.push_async_callback(sandbox.close)

            def start(target: str, content: AsyncIterable[bytes]) -> AbstractAsyncContextManager[Hearing]:
                return sandbox.running(deed or target, content, Limits(**{"written_bytes": 64 * MIB, **limits}))

            return ProcessTableReader(start, ChildSpent, ChildFailed)

        yield made


async def test_everything_that_was_found_comes_back_as_it_was(reader: Made) -> None:
    content = b"phone,provider_id,geo_id\n79160000002,7,3\n79160000001,,\nnone,7,\n79160000002,7,3\n"
    found = [part async for part in reader().read(in_parts(content), READING)]
    assert isinstance(found[0], TableHead)
    assert found[0].columns == {"phone_number": 0, "provider_id": 1, "geo_id": 2}
    assert [RefusedRow(4, "phone_number", "not_a_phone", "none")] in found  # type: ignore[arg-type, comparison-overlap]
    assert ReadThrough(4, 1) in found
    (one,) = [part for part in found if isinstance(part, SortedRange)]
    assert (list(one.numbers), list(one.lines)) == ([79160000001, 79160000002], [3, 2])
    assert (list(one.providers), list(one.geo), one.repeated) == ([0, 7], [0, 3], [(5, 79160000002)])
    assert sum(count for count, _ in one.zones) == 2


async def test_what_is_wrong_with_a_table_is_told_by_its_name(reader: Made) -> None:
    with pytest.raises(ColumnMissing) as refused:
        await reader().head(in_parts(b"a;b\n1;2\n"), READING)
    assert refused.value.facts["columns"] == ["a", "b"]
    assert "mapping.phone_number" in refused.value.errors


async def test_of_a_line_of_a_gigabyte_a_process_takes_a_few_megabytes_and_refuses_it(reader: Made) -> None:
    given = 0

    async def gigabyte() -> AsyncIterator[bytes]:
        nonlocal given
        yield b"phone\n79160000001\n"
        for _ in range(1024):
            given += MIB
            yield b"7" * MIB

    with pytest.raises(LineTooLong) as refused:
        _ = [part async for part in reader().read(gigabyte(), READING)]
    assert refused.value.facts["line"] == 3
    assert given < 16 * MIB


async def test_a_sparse_workbook_costs_its_bound_and_no_more(reader: Made) -> None:
    with pytest.raises(TableTooCostly):
        await reader(memory_bytes=512 * MIB).head(in_parts(sparse()), READING)


async def test_a_process_that_works_too_long_is_ended(reader: Made) -> None:
    with pytest.raises(TableTooCostly):
        await reader(f"{DEEDS}:spin", cpu_s=1).head(in_parts(b"x"), READING)


async def test_a_process_that_says_nothing_is_ended_and_the_table_may_come_again(reader: Made) -> None:
    with pytest.raises(TableReaderFailed):
        await reader(f"{DEEDS}:wait", wall_s=0.5).head(in_parts(b"x"), READING)


@pytest.mark.parametrize("deed", ["adapters.no.such:module", f"{DEEDS}:fail"])
async def test_a_process_that_breaks_down_is_told_from_a_bad_table(reader: Made, deed: str) -> None:
    with pytest.raises(TableReaderFailed):
        await reader(deed).head(in_parts(b"x"), READING)


async def test_what_a_process_keeps_aside_is_bounded(reader: Made) -> None:
    with pytest.raises(TableReaderFailed, match="machine OSError"):
        await reader(written_bytes=4).head(in_parts(workbook([["phone"], [79160000001]])), READING)


async def test_a_store_that_fails_while_it_is_read_is_what_went_wrong(reader: Made) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"phone\n"
        raise LookupError

    with pytest.raises(LookupError):
        [part async for part in reader().read(failing(), READING)]


async def test_a_reader_that_has_seen_enough_leaves_no_process(reader: Made) -> None:
    rows = [["phone"], *([79160000000 + nth] for nth in range(500))]
    parts = reader().read(in_parts(workbook(rows)), READING)
    assert isinstance(await anext(parts), TableHead)
    await parts.aclose()
