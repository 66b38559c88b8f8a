"""Secrets that must stand in no log: looked for in the log lines of every test and of every process the tests start.

A key, a token or a signing secret is known by its look; passwords and secrets of the tests by their words.
"""

import re
from collections.abc import Generator

import pytest

SHAPES = re.compile(
    r"\bop[krctu]_[A-Za-z0-9_-]{20,}|\bpst_[A-Za-z0-9]{20,}|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]{6,}|\bwh(?:sec|sk)_[A-Za-z0-9+/=]{20,}"
)
WORDS = (
    "correct horse battery",
    "another long phrase",
    "a-long-enough-passphrase-7Q",
    "e2e-Tq8vXr2LmN5pKs7Wd9Zb4Hc6Jf3Gy1Ua",
    "4509 123456",
)
"""Passwords and the root secret of the tests, and a passport's number that they send."""
LINE = re.compile(r'^\{.*"(?:event|level)":|\[(?:debug|info|warning|error|critical) *\]|^Traceback |^\s+File "')
"""What a log line looks like: as JSON, as on a terminal, or a traceback. What a command prints is no log."""


def leaks(text: str) -> list[str]:
    """Return the log lines of a text that hold a secret."""
    return [line for line in text.splitlines() if LINE.search(line) and (SHAPES.search(line) or has_word(line))]


def has_word(line: str) -> bool:
    """Tell whether a line holds one of the known secrets."""
    return any(word in line for word in WORDS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose captured log holds a secret."""
    report = yield
    found = [line for name, text in report.sections if name.startswith("Captured std") for line in leaks(text)]
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a secret stands in the log: {found[0][:300]}"
    return report
