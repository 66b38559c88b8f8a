"""What transfers need of files with tables."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable

from opora.core.numbers.model.tables import Part, Reading, TableHead


class TableReader(ABC):
    """Reads tables that strangers sent; a file built to do harm costs its bound of memory and time, and no more."""

    @abstractmethod
    async def head(self, content: AsyncIterable[bytes], reading: Reading) -> TableHead:
        """Return what the beginning tells. Raises NotATable, ColumnMissing, LineTooLong, QuoteUnclosed,
        WorkbookUnreadable, TooManyRows or TableTooCostly for a file that cannot be read, TableReaderFailed where the
        reader itself broke down.
        """

    @abstractmethod
    def read(self, content: AsyncIterable[bytes], reading: Reading) -> AsyncGenerator[Part]:
        """Yield the head, then progress and refused rows as they are met, then once the whole is read its counts, then
        its numbers in ascending ranges that do not overlap.

        The same content and reading give the same parts, but for how progress is cut. Of several rows with one number
        the first in the file counts. Memory does not grow with the file, but for workbooks. Raises as `head` does, at
        the latest before the first range. To be closed when it is no longer read.
        """


class WorkbookWriter(ABC):
    """Writes workbooks."""

    @abstractmethod
    def workbook(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
        """Yield an XLSX file of a table that comes as CSV in UTF-8, in pieces of whole lines, its heading first.

        Every cell is text, so that none is a formula and none loses a digit. A table with more rows than a sheet has
        room for goes on on further sheets, each under the heading. Memory does not grow with the table. To be closed
        when it is no longer read.
        """
