"""Every table of every context: import this to have the metadata whole."""

from opora.adapters.sql.schema import access, exports, kernel, limits, profiles
from opora.adapters.sql.schema.metadata import METADATA as METADATA

ALL = (kernel, access, profiles, exports, limits)
