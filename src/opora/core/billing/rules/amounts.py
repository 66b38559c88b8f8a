"""Amounts as providers write them, `100.00`, and as we count them, 10000; no float on the way."""

import re

from opora.core.billing.model.currencies import EXPONENTS
from opora.core.billing.model.ledger import AMOUNT_MINOR_MAX

DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,4}))?", re.ASCII)


def written(amount_minor: int, currency: str) -> str:
    """Write an amount that is not negative in units of the currency, with all its decimal places."""
    places = EXPONENTS[currency]
    if places == 0:
        return str(amount_minor)
    whole, part = divmod(amount_minor, 10**places)
    return f"{whole}.{part:0{places}d}"


def read(text: object, currency: str) -> int:
    """Return the minor units of an amount; raises ValueError for what is none, has too many places or is too large."""
    found = DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if found is None or currency not in EXPONENTS:
        raise ValueError("no amount of a currency")
    places, part = EXPONENTS[currency], found.group(2) or ""
    if len(part) > places and part[places:].strip("0"):
        raise ValueError(f"{currency} has {places} decimal places")
    amount_minor: int = int(found.group(1)) * 10**places + int(part[:places].ljust(places, "0") or "0")
    if amount_minor > AMOUNT_MINOR_MAX:
        raise ValueError("too large an amount")
    return amount_minor
