"""pgbouncer in transaction mode before a PostgreSQL of the tests, where the machine has it."""

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from servers.postgres import UNPRIVILEGED
from servers.processes import HOST, Guarded, free_port, listens

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = {listen}
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
logfile =
"""


def installed() -> str:
    """Return where the program is, or an empty text."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def start(program: str, url: str, folder: Path, guarded_pid: int) -> tuple[str, Guarded]:
    """Start it with three connections to the server; return the server's address by way of it."""
    folder.mkdir(parents=True)
    server, port = urlsplit(url), free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(
            host=server.hostname, port=server.port or 5432, user=server.username, listen=HOST, listen_port=port
        )
    )  # fmt: skip
    is_root = os.geteuid() == 0
    if is_root:
        shutil.chown(folder, UNPRIVILEGED)
    process = Guarded([program, str(file)], folder, guarded_pid, UNPRIVILEGED if is_root else "")
    process.wait_until(lambda: listens(HOST, port))
    return urlunsplit(server._replace(netloc=f"{server.username}@{HOST}:{port}")), process
