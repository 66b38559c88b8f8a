"""The bounds that no setting moves, read from where they hold."""

from opora.bootstrap.lean import ORM_FOR_LITESTAR, without
from opora.bootstrap.sources import SECRET_FILE_BYTES_MAX
from opora.core.access.model.tokens import TOKEN_LENGTH_MAX
from opora.core.access.rules import keys, people
from opora.core.kernel.model import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX
from opora.core.profiles.model.exports import PROFILES_MAX
from opora.core.profiles.rules import asking

with without(ORM_FOR_LITESTAR):
    from opora.api import bodies, headers, json_guard, pages, paths, query

FIXED: tuple[tuple[str, str, int | float, str], ...] = (
    ("requests", "Body that is not an upload", bodies.BODY_MAX_BYTES, "bytes"),
    ("requests", "Wait for the next part of a body", bodies.BODY_TIMEOUT_S, "s"),
    ("requests", "Path", paths.PATH_MAX, "characters"),
    ("requests", "Query", query.SIZE_MAX_BYTES, "bytes"),
    ("requests", "Parameters in a query", query.COUNT_MAX, ""),
    ("requests", "Headers, all together", headers.SIZE_MAX_BYTES, "bytes"),
    ("requests", "Headers", headers.COUNT_MAX, ""),
    ("requests", "Depth of JSON", json_guard.DEPTH_MAX, "levels"),
    ("lists", "Records on a page", PAGE_LIMIT_MAX, ""),
    ("lists", "Records on a page when the call does not say", PAGE_LIMIT_DEFAULT, ""),
    ("lists", "Number of a page", pages.PAGE_NUMBER_MAX, ""),
    ("lists", "Cursor", pages.CURSOR_MAX, "characters"),
    ("access", "Access token", TOKEN_LENGTH_MAX, "characters"),
    ("access", "Password", people.PASSWORD_BYTES_MAX, "bytes"),
    ("access", "E-mail address", people.EMAIL_LENGTH_MAX, "characters"),
    ("access", "Name of a person", people.NAME_LENGTH_MAX, "characters"),
    ("access", "Label of a key", keys.LABEL_LENGTH_MAX, "characters"),
    ("access", "Networks a key is allowed from", keys.ADDRESS_RANGES_MAX, ""),
    ("access", "Requests a minute a key can be given", keys.RATE_LIMIT_MAX, "a minute"),
    ("profiles", "People made by one call", asking.COUNT_MAX, ""),
    ("profiles", "Profiles in one export", PROFILES_MAX, ""),
    ("service", "File that holds a secret", SECRET_FILE_BYTES_MAX, "bytes"),
)
"""What it belongs to, what is bounded, the value and its unit."""
