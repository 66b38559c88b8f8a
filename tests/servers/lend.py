"""`python -m servers.lend COMMAND…` runs a command on an empty PostgreSQL database, named by OPORA_DATABASE_URL.

Without a command it tells which servers a run of the tests would have.
"""

import os
import subprocess
import sys

from servers.fleet import POSTGRES, Absent, Fleet
from servers.maintenance import Maintenance, database_name


def main(command: list[str]) -> int:
    """Lend the database for as long as the command runs, and return how it ended."""
    try:
        fleet = Fleet.of_this_run()
    except Absent as absence:
        print(absence, file=sys.stderr)  # noqa: T201
        return os.EX_UNAVAILABLE
    try:
        if command:
            return lend(fleet, command)
        print("\n".join(f"{name}: {choice}" for name, choice in fleet.choices.items()))  # noqa: T201
        return os.EX_OK
    finally:
        fleet.end()


def lend(fleet: Fleet, command: list[str]) -> int:
    """Make the database, run the command, drop the database."""
    server = Maintenance(fleet.url(POSTGRES))
    name = database_name(fleet.pid, "lent")
    try:
        url = server.create(name)
        return subprocess.run(command, env={**os.environ, "OPORA_DATABASE_URL": url}, check=False).returncode
    finally:
        server.drop(name)
        server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
