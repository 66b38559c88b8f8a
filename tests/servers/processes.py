"""Starting a server of our own: a free port, a guarded process, and waiting until it answers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
START_S = 20.0
WATCHDOG = Path(__file__).with_name("watchdog.py")


class NotStarted(Exception):
    """A server of our own did not come up; the message holds the end of its log."""


def free_port() -> int:
    """Name a port of the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(host: str, port: int, timeout_s: float = 0.3) -> bool:
    """Tell whether anything accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout_s):
            return True
    except OSError:
        return False


def alive(pid: int) -> bool:
    """Tell whether a process of this machine exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another account's
        return True
    return True


STARTED: list["Guarded"] = []
"""Keeps the handles of what outlives the test that started it, so that none is collected while it runs."""


class Guarded:
    """A server started by us, which dies with the process that is guarded."""

    def __init__(self, command: list[str], folder: Path, guarded_pid: int, user: str = "") -> None:
        """Start it as `user` (ourselves where empty); `folder` is its own and goes with it."""
        self.folder = folder
        self._words = [sys.executable, "-I", "-S", str(WATCHDOG), str(guarded_pid), str(folder), user, *command]
        self._answers: Callable[[], bool] = lambda: True
        self._start()
        STARTED.append(self)

    def _start(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        self.watchdog = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, start_new_session=True)

    @property
    def _pid_file(self) -> Path:
        return self.folder / "server.pid"

    def wait_until(self, answers: Callable[[], bool]) -> None:
        """Return when it answers; raise NotStarted when it ends first or takes too long."""
        self._answers = answers
        deadline = time.monotonic() + START_S
        while not (self._pid_file.exists() and answers()):
            if self.watchdog.poll() is not None or time.monotonic() > deadline:
                log = self.folder / "log"
                raise NotStarted(log.read_text(errors="replace")[-2000:] if log.exists() else "it ended at once")
            time.sleep(0.01)

    def send(self, number: int) -> None:
        """Send the server a signal: SIGSTOP freezes it, SIGCONT thaws it, SIGKILL kills it."""
        os.kill(int(self._pid_file.read_text()), number)

    def restart(self, number: int = signal.SIGINT) -> None:
        """End the server by a signal, start it again on the same data and port, and wait until it answers."""
        self.end(number)
        self.start_again()

    def end(self, number: int = signal.SIGINT) -> None:
        """End the server by a signal; its data and port stay."""
        self.send(number)
        self.watchdog.wait(10)

    def start_again(self) -> None:
        """Start the server that ended, and wait until it answers."""
        self._start()
        self.wait_until(self._answers)

    def stop(self) -> None:
        """End it in order, with all it kept."""
        self.watchdog.terminate()
        self.watchdog.wait(10)


def stop_pid(pid: int) -> None:
    """Tell a watchdog that another process started to end its server, and wait until it has."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            pass
        except ProcessLookupError:
            return
        time.sleep(0.01)
