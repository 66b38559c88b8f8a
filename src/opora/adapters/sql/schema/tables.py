"""Every table of every context: import this to have the metadata whole."""

from opora.adapters.sql.schema import (
    access,
    banking,
    bookings,
    bus,
    documents,
    exports,
    generation,
    kernel,
    ledger,
    limits,
    notifications,
    numbers,
    payments,
    people,
    plans,
    profiles,
    transfers,
)
from opora.adapters.sql.schema.metadata import METADATA as METADATA

ALL = (
    kernel,
    access,
    profiles,
    exports,
    limits,
    people,
    notifications,
    documents,
    banking,
    numbers,
    transfers,
    bookings,
    ledger,
    plans,
    generation,
    bus,
    payments,
)
