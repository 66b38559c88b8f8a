"""What a client would rather have (RFC 7240): `respond-async`, `wait=N`."""

from dataclasses import dataclass

WAIT_DIGITS_MAX = 6


@dataclass(frozen=True, slots=True)
class Preference:
    """Whether the answer may come later, and how long the client waits for it, in seconds."""

    is_async: bool = False
    wait_s: float | None = None


def preference(sent: str | None) -> Preference:
    """Read the header; what is not known or cannot be read is passed over, as the standard says."""
    is_async, wait_s = False, None
    for part in (sent or "").split(","):
        name, _, value = part.partition(";")[0].strip().partition("=")
        told = value.strip().strip('"')
        if name.strip().lower() == "respond-async":
            is_async = True
        elif name.strip().lower() == "wait" and told.isascii() and told.isdecimal() and len(told) <= WAIT_DIGITS_MAX:
            wait_s = float(told)
    return Preference(is_async, wait_s)
