"""A RabbitMQ broker for the tests: given or found; one of our own where its program is installed, no wheel has it."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from servers.processes import HOST, Guarded, free_port

PORT = 5672
GREETING = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"
PROGRAMS = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/sbin/rabbitmq-server",
    "/usr/local/sbin/rabbitmq-server",
)
"""The program itself, not the wrapper that Debian puts on the path: that one runs it as another account."""


def answers(url: str) -> bool:
    """Tell whether a broker there speaks AMQP 0-9-1."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or HOST, parts.port or PORT), 2.0) as broker:
            broker.sendall(GREETING)
            return broker.recv(1) == METHOD_FRAME
    except OSError:
        return False


def running() -> str | None:
    """Return the address of a broker on this machine."""
    url = f"amqp://guest:guest@{HOST}:{PORT}/"
    return url if answers(url) else None


def installed() -> Path | None:
    """Find the server program where Debian and others put it."""
    return next((program for program in map(Path, PROGRAMS) if program.exists()), None)


def start(program: Path, folder: Path, guarded_pid: int) -> tuple[str, Guarded]:
    """Serve as a node of its own, which keeps what is durable in the folder; returns the URL and the process."""
    folder.mkdir(parents=True)
    port = free_port()
    settings = {
        "HOME": folder,  # Erlang's cookie lies there
        "RABBITMQ_NODENAME": f"opora{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": port,
        "RABBITMQ_DIST_PORT": free_port(),
        "RABBITMQ_MNESIA_BASE": folder / "data",
        "RABBITMQ_LOG_BASE": folder / "logs",
        "RABBITMQ_CONFIG_FILE": folder / "none.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "no-plugins",
        "RUNNING_UNDER_SYSTEMD": 1,  # the process that was started becomes the broker, so that a signal reaches it
    }
    words = ["env", *(f"{name}={value}" for name, value in settings.items()), str(program)]
    server = Guarded(words, folder, guarded_pid)
    url = f"amqp://guest:guest@{HOST}:{port}/"
    server.wait_until(lambda: answers(url))
    return url, server
