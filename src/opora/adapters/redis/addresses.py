"""Where Redis is: one server, a cluster by some of its servers, or a master that sentinels know by name."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

type Kind = Literal["server", "cluster", "sentinel"]

PORT, SENTINEL_PORT = 6379, 26379
FORM = "redis://, rediss:// or unix://"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and who we are to it."""

    host: str
    port: int
    database: int
    username: str
    password: str
    secure: bool
    path: str
    """Of the socket, when the server is reached by one; else empty."""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read `redis://user:password@host:port/database`, `rediss://…` (TLS) or `unix://…path?db=n`."""
        parts = urlsplit(url)
        if parts.scheme not in {"redis", "rediss", "unix"}:
            raise ValueError(f"a Redis address begins with {FORM}")
        local = parts.scheme == "unix"
        database = parts.query.removeprefix("db=") if local else parts.path.strip("/")
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or PORT,
            database=int(database or 0),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            secure=parts.scheme == "rediss",
            path=parts.path if local else "",
        )

    def greeting(self) -> list[tuple[str, ...]]:
        """Return what to say first."""
        who = [self.username, self.password] if self.username else [self.password]
        commands: list[tuple[str, ...]] = [("AUTH", *who)] if self.password else []
        return [*commands, ("SELECT", str(self.database))] if self.database else commands


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What an address of any kind says: `servers` to ask first, and the master's name where they are sentinels."""

    kind: Kind
    servers: tuple[Address, ...]
    master: str = ""

    @classmethod
    def parse(cls, url: str) -> "Whereabouts":
        """Read a server's address, `redis+cluster://host:port,…` or `redis+sentinel://host:port,…/master/database`.

        Name and password are the servers' own; sentinels are asked without. With `rediss+` the servers are reached by
        TLS, and sentinels too.
        """
        scheme, _, rest = url.partition("://")
        secure, _, kind = scheme.partition("+")
        if kind not in {"cluster", "sentinel"} or secure not in {"redis", "rediss"}:
            return cls("server", (Address.parse(url),))
        netloc, _, path = rest.partition("/")
        who, at, hosts = netloc.rpartition("@")
        named = [part for part in path.split("/") if part]
        servers = [Address.parse(f"{secure}://{who}{at}{host}") for host in hosts.split(",")]
        if kind == "cluster":
            if named and named != ["0"]:
                raise ValueError("a cluster has no other database than 0")
            return cls("cluster", tuple(servers))
        if not named or named[2:] or not all(one.isdecimal() for one in named[1:]):
            raise ValueError("sentinels know a master by name: redis+sentinel://host:port,…/master/database")
        database = int(named[1]) if len(named) > 1 else 0
        asked = [sentinel(server, host, database) for server, host in zip(servers, hosts.split(","), strict=True)]
        return cls("sentinel", tuple(asked), named[0])


def sentinel(server: Address, host: str, database: int) -> Address:
    """Return a sentinel's address, which carries what the master is greeted with; its port has another default."""
    port = server.port if urlsplit(f"redis://{host}").port else SENTINEL_PORT
    return Address(server.host, port, database, server.username, server.password, server.secure, "")
