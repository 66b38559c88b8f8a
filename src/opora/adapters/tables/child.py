"""What a child process does that reads a table: an order and a file go in, frames come out."""

from collections.abc import Iterable
from typing import BinaryIO

from opora.adapters.tables import digest
from opora.adapters.tables.frames import END, failure, frame, framed, order_of
from opora.core.kernel.errors import DomainError
from opora.core.numbers.errors.tables import TableTooCostly


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Read the order, then the file, and write what it holds, or what is wrong with it."""
    reading, only_head = order_of(source.readline())
    try:
        for part in digest.parts(source, reading):
            write(sink, framed(part))
            if only_head:
                break
    except DomainError as error:
        write(sink, failure(error))
    except MemoryError:
        write(sink, failure(TableTooCostly()))
    write(sink, frame(END))
    sink.flush()


def write(sink: BinaryIO, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a frame."""
    for piece in pieces:
        sink.write(piece)
