"""How quickly `opora serve` answers and how little it keeps, beside a bare Litestar app; `opora --version`, beside the
bare interpreter."""

import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from bench.figures import Figure, duration

ROUNDS = 5
UP_WITHIN_S = 60.0
IDLE_AFTER_S = 2.0
START_GOAL_S = 2.0
MEMORY_GOAL_MB = 120.0
VERSION_GOAL_S = 0.1
BARE = """
import sys, uvicorn
from litestar import Litestar, get
@get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
uvicorn.run(Litestar([health]), port=int(sys.argv[-1]), loop="uvloop", http="httptools", log_level="error")
"""
SERVE = ("-m", "opora", "serve", "--port")
SOURCES = Path(__file__).parents[2] / "src"


def environment(home: str) -> dict[str, str]:
    """Return the variables of an installation of its own, with bytecode, as an installed package has it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPORA_", "PYTHONDONTWRITE"))}
    return kept | {"OPORA_HOME": home, "PYTHONPATH": str(SOURCES)}


@contextlib.contextmanager
def served(arguments: Sequence[str], home: str) -> Iterator[tuple[float, psutil.Process]]:
    """Start a server; yield the seconds to its first 200 and its process, which is told to end afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    command = [sys.executable, *arguments, str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment(home), stdout=quiet, stderr=quiet) as process:
        try:
            while not healthy(port):
                if process.poll() is not None or time.perf_counter() - begun > UP_WITHIN_S:
                    raise RuntimeError(f"{command} did not answer")
                time.sleep(0.01)
            yield time.perf_counter() - begun, psutil.Process(process.pid)
        finally:
            process.terminate()


def healthy(port: int) -> bool:
    """Tell whether GET /health gives 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def seconds_to_run(arguments: Sequence[str]) -> float:
    """Time one command to its end."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment(""), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def service_figures() -> list[Figure]:
    """Start both servers in turn; the first start of each installation is a row of its own."""
    first: list[float] = []
    again: list[float] = []
    bare: list[float] = []
    kept_mb: list[float] = []
    bare_mb: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as home:
            for ways, sizes, arguments in (
                (first, None, SERVE),
                (again, kept_mb, SERVE),
                (bare, bare_mb, ("-c", BARE)),
            ):
                with served(arguments, home) as (took_s, process):
                    ways.append(took_s)
                    if sizes is not None:
                        time.sleep(IDLE_AFTER_S)
                        sizes.append(process.memory_info().rss / 2**20)
    reference_s = statistics.median(bare)
    against = f"bare Litestar app: {duration(reference_s)}"
    rows = [
        Figure(name, duration(took_s), against, took_s / reference_s, f"≤ {START_GOAL_S:g} s", took_s <= START_GOAL_S)
        for name, took_s in (
            ("`opora serve`, first start, to the first 200", statistics.median(first)),
            ("`opora serve` to the first 200", statistics.median(again)),
        )
    ]
    mine_mb, reference_mb = statistics.median(kept_mb), statistics.median(bare_mb)
    memory = Figure(
        "`opora serve`, memory when idle, with its worker",
        f"{mine_mb:.0f} MiB",
        f"bare Litestar app: {reference_mb:.0f} MiB",
        mine_mb / reference_mb,
        f"≤ {MEMORY_GOAL_MB:g} MiB",
        mine_mb <= MEMORY_GOAL_MB,
    )
    return [*rows, memory]


def version_figure() -> Figure:
    """Print the version, and start the interpreter for nothing, in turn."""
    ways = {"version": ("-m", "opora", "--version"), "bare": ("-c", "pass")}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(4 * ROUNDS):
        for name, arguments in ways.items():
            times[name].append(seconds_to_run(arguments))
    mine_s, bare_s = (statistics.median(times[name]) for name in ways)
    against = f"`python -c pass`: {duration(bare_s)}"
    return Figure("`opora --version`", duration(mine_s), against, mine_s / bare_s, "≤ 100 ms", mine_s <= VERSION_GOAL_S)


def figures() -> list[Figure]:
    """Every row of this topic."""
    return [*service_figures(), version_figure()]
