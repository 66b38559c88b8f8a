"""How the values of arguments are written: spans of time, whole numbers, where text comes from."""

import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from getpass import getpass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit
from uuid import UUID

from opora.cli.exits import CommandFailed, Exit

_SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
PASSWORD_LENGTH_MAX = 4096


def span(text: str) -> timedelta:
    """Read 90s, 15m, 12h, 30d or 2w."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a span such as 90s, 15m, 12h, 30d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers in a range."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def job_id(text: str) -> UUID:
    """Read the id of a job."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not the id of a job, a UUID") from None


def service_url(text: str) -> str:
    """Read the address of a service, with or without http:// before it."""
    parts = urlsplit(text if "//" in text else f"http://{text}")
    with suppress(ValueError):
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts.geturl().rstrip("/")
    raise ArgumentTypeError(f"{text!r} is not an address such as http://127.0.0.1:8000")


def readable(path: str) -> TextIO:
    """Open a file of text, or standard input for `-`; a byte order mark is passed over."""
    return sys.stdin if path == "-" else Path(path).open(encoding="utf-8-sig", newline="")


def password(prompt: str, source: TextIO | None = None, ask: Callable[[str], str] = getpass) -> str:
    """Ask for a password twice on a terminal; elsewhere read one line of standard input."""
    given = sys.stdin if source is None else source
    if not given.isatty():
        return given.readline(PASSWORD_LENGTH_MAX).rstrip("\r\n")
    first = ask(f"{prompt}: ")
    if first != ask("Once more: "):
        raise CommandFailed(Exit.DATA, "the two passwords differ", "Run the command again")
    return first
