"""Bounded values: what no store, log or zone can bear does not get past the decoder.

In bodies these are plain annotations. Litestar ignores msgspec.Meta on parameters, so query and path parameters have
their own (QueryId, QueryText, PathId); a query parameter is a filter that may be absent: `q: QueryText = None`.
"""

from datetime import date, datetime
from typing import Annotated

from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1
LABEL_MAX = 200
TEXT_MAX = 10_000

# C0 and C1 controls but tab and line ends, and the marks that turn text around (Trojan Source, CVE-2021-42574).
_BARRED = "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff"
TEXT_PATTERN = f"^[^{_BARRED}]*$(?!\\n)"
LABEL_PATTERN = f"^[^\\t\\n\\r\\u2028\\u2029{_BARRED}]*$(?!\\n)"

Text = Annotated[str, Meta(max_length=TEXT_MAX, pattern=TEXT_PATTERN)]
"""Several lines of text."""
Label = Annotated[str, Meta(min_length=1, max_length=LABEL_MAX, pattern=LABEL_PATTERN)]
"""One line of text that is not empty."""
WORD_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$(?!\n)"
Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=WORD_PATTERN)]
"""A name made by programs: scopes, codes, locales."""
Email = Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s\u0000-\u0020]+@[^@\s\u0000-\u0020]+$(?!\n)")]
"""An address as far as its form goes; whether letters arrive there is for the letter to show."""
Secret = Annotated[str, Meta(min_length=1, max_length=1024)]
"""A password or token: taken as it comes, but not without end."""
Count = Annotated[int, Meta(ge=0, le=INT32_MAX)]
Positive = Annotated[int, Meta(ge=1, le=INT32_MAX)]
RecordId = Annotated[int, Meta(ge=1, le=INT64_MAX)]
AmountMinor = Annotated[int, Meta(ge=-(10**15), le=10**15)]
"""Money in minor units: sums of thousands of such amounts stay within 64 bits."""
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$(?!\\n)")]
VersionWord = Annotated[str, Meta(pattern=r"^v[1-9][0-9]{0,3}$(?!\n)")]
"""A version of the API as it stands in paths."""
Timestamp = Annotated[datetime, Meta(tz=True)]
"""An instant with its zone; the decoder bounds the year."""
Day = date
"""A calendar day; the decoder bounds the year."""

QueryId = Annotated[int | None, QueryParameter(ge=1, le=INT64_MAX)]
QueryCount = Annotated[int | None, QueryParameter(ge=0, le=INT32_MAX)]
QueryText = Annotated[str | None, QueryParameter(max_length=LABEL_MAX, pattern=LABEL_PATTERN)]
PathId = Annotated[int, PathParameter(ge=1, le=INT64_MAX)]
