"""Every table of every context: import this to have the metadata whole."""

from opora.adapters.sql.schema import kernel

ALL = (kernel,)
