"""Opora as processes: started from an environment of their own, told to end, and killed where they do not."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from servers.blank import lay_blank_store
from servers.canaries import leaks

QUICK = {"OPORA_SIGNING_KEY_BITS": "2048"}
"""A key of 4096 bits takes seconds to be found."""
UP_WITHIN_S = 60.0
DOWN_WITHIN_S = 20.0
SECRET = "e2e-Tq8vXr2LmN5pKs7Wd9Zb4Hc6Jf3Gy1Ua"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Installation:
    """One configured Opora, of any number of processes."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def migrated(self) -> Self:
        """Give it an empty store at the newest schema, for a test that is of something else than the first start."""
        lay_blank_store(self.home / "opora.db")
        return self

    def variables(self) -> dict[str, str]:
        """Return the environment of its processes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPORA_", "PYTHONDONTWRITE"))}
        return {**kept, "OPORA_HOME": str(self.home), "OPORA_ABS_POLL_S": "1", **QUICK, **self.environment}

    def command(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "opora", *arguments],
            env=self.variables(),
            input=given,
            text=True,
            capture_output=True,
            timeout=120,
            check=True,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that stays."""
        number = len(list(self.home.parent.glob("*.log")))
        with (self.home.parent / f"{arguments[0]}-{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "opora", *arguments],
                env=self.variables(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def serve(self, *arguments: str, port: int = 0) -> str:
        """Start an API process, on a free port unless one is named, and return its address once it answers."""
        port = port or free_port()
        process = self.start("serve", "--port", str(port), *arguments)
        address = f"http://127.0.0.1:{port}"
        deadline_s = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < deadline_s:
            if process.poll() is not None:
                raise AssertionError(f"opora serve ended with {process.returncode}: {self.logs()}")
            try:
                if httpx.get(f"{address}/health/ready", timeout=2).status_code == 200:
                    return address
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"opora serve did not answer: {self.logs()}")

    def logs(self) -> str:
        """Return what every process has written."""
        return "\n".join(log.read_text("utf-8", "replace") for log in sorted(self.home.parent.glob("*.log")))

    def end(self) -> Sequence[int]:
        """End every process and return their exit codes."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        codes = []
        for process in self.processes:
            try:
                codes.append(process.wait(DOWN_WITHIN_S))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        self.processes.clear()
        found = leaks(self.logs())
        assert not found, f"a secret stands in the log: {found[0][:300]}"
        return codes
