"""The bounds that no setting moves, read from where they hold."""

from opora.bootstrap.sources import SECRET_FILE_BYTES_MAX
from opora.core.kernel.model import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX

FIXED: tuple[tuple[str, str, int, str], ...] = (
    ("lists", "Records on a page", PAGE_LIMIT_MAX, ""),
    ("lists", "Records on a page when the call does not say", PAGE_LIMIT_DEFAULT, ""),
    ("service", "A file that holds a secret", SECRET_FILE_BYTES_MAX, "bytes"),
)
"""What it belongs to, what is bounded, the value and its unit."""
