"""Refusals of files with tables."""

from opora.core.kernel.errors import Invalid, Unavailable


class NotATable(Invalid):
    """The file is no table that can be read: neither a text with columns nor a workbook."""

    code = "not_a_table"


class ColumnMissing(Invalid):
    """A column that is needed is not in the file."""

    code = "column_missing"


class LineTooLong(Invalid):
    """A line of the file is longer than any table's."""

    code = "line_too_long"


class QuoteUnclosed(Invalid):
    """A quotation mark in the file is never closed."""

    code = "quote_unclosed"


class TooManyRows(Invalid):
    """The table has more rows than may be read at once."""

    code = "too_many_rows"


class WorkbookUnreadable(Invalid):
    """The workbook is damaged, encrypted or unlike any that spreadsheets write."""

    code = "workbook_unreadable"


class TableTooCostly(Invalid):
    """Reading the file takes more memory or time than is granted to a file."""

    code = "table_too_costly"


class TableReaderFailed(Unavailable):
    """The process that reads tables ended before its work was done."""

    code = "table_reader_failed"
