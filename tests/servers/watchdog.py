"""Runs one server and ends it with the test run: `watchdog.py GUARDED_PID FOLDER USER COMMAND…`.

A run that is killed cannot tidy up after itself, so this process, a sibling of nobody, waits for whichever ends first:
the server, the guarded process, or a SIGTERM. Then it stops the server; its folder stays only where the server ended
by itself, so that it may be started again.
"""

import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

STOP_S = 5.0
POLL_S = 0.5


def alive(pid: int) -> bool:
    """Tell whether a process exists, ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def wait_for_either(guarded_pid: int, server: "subprocess.Popen[bytes]") -> None:
    """Return when the guarded process or the server has ended."""
    if hasattr(os, "pidfd_open"):
        try:
            poll = select.poll()
            for pid in (guarded_pid, server.pid):
                poll.register(os.pidfd_open(pid), select.POLLIN)
            poll.poll()
        except ProcessLookupError:
            return
        return
    while alive(guarded_pid) and server.poll() is None:
        select.select([], [], [], POLL_S)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server: SIGINT is PostgreSQL's fast shutdown and Redis's ordinary one."""
    if server.poll() is not None:
        return
    server.send_signal(signal.SIGCONT)  # a frozen one could not hear the next
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main(guarded_pid: str, folder: str, user: str, *command: str) -> None:
    """Run the command until its time has come."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the run; the run's end reaches us
    log = (Path(folder) / "log").open("wb")
    account = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    server = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **account
    )
    (Path(folder) / "server.pid").write_text(str(server.pid))
    try:
        wait_for_either(int(guarded_pid), server)
        again = alive(int(guarded_pid))
    except SystemExit:
        again = False
    stop(server)
    if not again:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
