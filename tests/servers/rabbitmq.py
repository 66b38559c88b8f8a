"""A RabbitMQ broker for the tests: given or found; none can be started from a wheel."""

import socket
from urllib.parse import urlsplit

from servers.processes import HOST

PORT = 5672
GREETING = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"


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
