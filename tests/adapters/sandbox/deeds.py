"""What children do in the tests: good, slow, greedy, broken."""

import os
import signal
import time
from pathlib import Path

KEPT: list[bytes] = []


def size(place: str, times: int = 1) -> int:
    """Return a multiple of the size of a file."""
    return Path(place).stat().st_size * times


def secrets(place: str) -> list[str]:
    """Return every variable of the environment."""
    return sorted(os.environ)


def write(place: str) -> None:
    """Write to the file."""
    Path(place).write_bytes(b"x" * 100)


def sleep(place: str) -> None:
    """Say by the name of an empty file who we are, and take a long while."""
    Path(place).with_name(f"pid-{os.getpid()}").touch()
    time.sleep(600)


def wait(*of: object) -> None:
    """Say nothing for a long while."""
    time.sleep(600)


def spin(*of: object) -> None:
    """Use the processor without end."""
    while True:
        pass


def grow(place: str) -> None:
    """Use memory without end."""
    while True:
        KEPT.append(bytes(1024 * 1024))


def fail(*of: object) -> None:
    """Fail."""
    raise ValueError("a secret of the file")


def die(place: str) -> None:
    """End without a word."""
    os._exit(3)


def crash(place: str) -> None:
    """Break as a reader written in C does."""
    os.kill(os.getpid(), signal.SIGSEGV)


def chatter(place: str) -> str:
    """Return far too much."""
    return "x" * 6_000_000
