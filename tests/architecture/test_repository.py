"""What is kept in the repository: locks without addresses, no trace of one machine, a labelled front door."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from architecture.trees import REPOSITORY

LOCKS = sorted((REPOSITORY / "requirements").glob("*.lock"))
LOCK_LINE = re.compile(
    r"^(?:[a-z0-9][a-z0-9.-]*(?:\[[a-z0-9,-]+\])?==[\w.!+]+(?: ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?)$"
)
TRACES = re.compile(
    r"/(?:root|home/\w+|work|(?-i:Users)/\w+)/|file:///(?:opt|srv|mnt)/|index-url\s*=|find-links\s*=|\bdevpi\b|\bartifactory\b",
    re.IGNORECASE,
)
ASKED_FOR = {"help", "install", "run", "test", "check", "bench", "migrate", "migration", "docs"}


def strange_lines(text: str) -> list[str]:
    """List the lines of a lock that are neither a version nor a hash."""
    return [line for line in text.splitlines() if not LOCK_LINE.match(line)]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    assert strange_lines(lock.read_text()) == []


@pytest.mark.parametrize(
    "line",
    ["--index-url https://example.org/simple", "a @ https://example.org/a.whl \\", "a>=1 \\", "# a comment", "a==1"],
)
def test_a_strange_line_of_a_lock_is_named(line: str) -> None:
    assert strange_lines(line) == [line]


def requirement_names(wanted: list[str]) -> set[str]:
    """Give the names of requirements as a lock writes them."""
    return {re.split(r"[\[<>=~; ]", one, maxsplit=1)[0].lower().replace("_", "-") for one in wanted}


def test_the_locks_hold_everything_the_package_asks_for() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    runtime = requirement_names(settings["project"]["dependencies"])
    dev = runtime | requirement_names(settings["dependency-groups"]["dev"])
    for name, wanted in (("runtime", runtime), ("dev", dev)):
        locked = set(
            re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==", (REPOSITORY / f"requirements/{name}.lock").read_text(), re.M)
        )
        assert wanted <= locked


def test_development_and_production_run_the_same_versions() -> None:
    def versions(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (REPOSITORY / f"requirements/{name}.lock").read_text(), re.M))

    dev = versions("dev")
    assert {name: dev[name] for name in versions("runtime")} == versions("runtime")


def tracked() -> list[Path]:
    """Every text file of the repository that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a checkout of git")
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name]


def traces(text: str) -> list[str]:
    """List what of a text tells of one machine or one index of packages."""
    return [match[0] for match in TRACES.finditer(text)]


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    found = {}
    for file in tracked():
        if file.name == Path(__file__).name or not file.is_file():
            continue
        if file.parent.name == "static":  # scripts of others, minified, that speak of addresses in general
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if here := traces(text):
            found[str(file.relative_to(REPOSITORY))] = here
    assert found == {}


@pytest.mark.parametrize(
    "text", ["cd /root/project", "/home/ada/x", "/Users/ada/x", "extra-index-url = x", "file:///opt/wheels"]
)
def test_a_trace_is_named(text: str) -> None:
    assert traces(text)


def test_make_help_labels_every_target_that_is_asked_for() -> None:
    answer = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    labelled = {line.split()[1]: line.split(maxsplit=2)[2] for line in answer.stdout.splitlines() if line.strip()}
    assert set(labelled) >= ASKED_FOR
    assert all(labelled.values())


PIPES = re.compile(r"\bconnect_(?:read|write)_pipe\b")


def test_no_pipe_is_read_on_the_event_loop() -> None:
    """uvloop closes the descriptor of such a pipe twice: by then it may be a client's, or libuv ends the process."""
    found = [path for path in sorted((REPOSITORY / "src").rglob("*.py")) if PIPES.search(path.read_text())]
    assert found == [], "talk over a socket: asyncio.open_unix_connection(sock=…)"


def test_a_pipe_on_the_event_loop_is_seen() -> None:
    assert PIPES.search("transport, _ = await loop.connect_read_pipe(protocol, pipe)")
