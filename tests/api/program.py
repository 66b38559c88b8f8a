"""The whole program, every controller in place, over a store of its own and driven inside this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from dishka import AsyncContainer, Provider, Scope

from opora.adapters.sql.connection import Database
from opora.adapters.sql.schema.tables import METADATA
from opora.adapters.system.clock import SystemClock
from opora.api.gate import Gate
from opora.bootstrap.container import application
from opora.bootstrap.edge import Edge
from opora.bootstrap.http import gate_of
from opora.bootstrap.sources import load
from opora.core.access.model.keys import IssuedKey, KeyChanges, KeyState, NewKey
from opora.core.access.model.people import NewUser
from opora.core.access.model.scopes import Role
from opora.core.access.usecases.keys import IssueKey, RevokeKey, UpdateKey
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.people import CreateUser
from opora.core.access.usecases.signing import EnsureSigningKey
from opora.core.kernel.model import SYSTEM, Origin
from opora.core.kernel.ports import Clock
from servers.blank import lay_blank_store

PASSWORD = "correct horse battery"
MANY = "1000000"
ALL = frozenset({"admin"})
ELSEWHERE = "198.51.100.7"
"""An address that is in no range a key of the tests allows."""


class ShiftedClock(SystemClock):
    """The machine's clock, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Program:
    """A running program: clients of it, its keys and people, and what it has stored."""

    def __init__(self, container: AsyncContainer, gate: Gate, clock: ShiftedClock) -> None:
        self.container = container
        self.gate = gate
        self.clock = clock
        self._addresses = count(1)
        self._people: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def over(cls, home: Path, **environment: str) -> AsyncIterator["Program"]:
        """Open the program in a home folder; limits are too wide to be met."""
        wide = dict.fromkeys(("OPORA_RATE_LIMIT_PER_MIN", "OPORA_ADDRESS_LIMIT_PER_MIN"), MANY)
        login = dict.fromkeys(("OPORA_LOGIN_LIMIT_PER_MIN", "OPORA_LOGIN_LIMIT_PER_ADDRESS"), "10000")
        told = {"OPORA_HOME": str(home), "OPORA_SIGNING_ALGORITHM": "EdDSA", **wide, **login, **environment}
        clock = ShiftedClock()
        stopped = Provider(scope=Scope.APP)
        stopped.provide(lambda: clock, provides=Clock)
        settings = load(told, home)
        if settings.embedded:
            await asyncio.to_thread(lay_blank_store, Path(settings.sqlite_path))
        async with application(settings, Edge(settings), stopped) as container:
            gate = await gate_of(container)
            await (await container.get(EnsureSigningKey))()
            yield cls(container, gate, clock)

    def client(self, key: str | None = None, token: str | None = None, address: str | None = None) -> httpx.AsyncClient:
        """Return a client with these credentials, at an address that nobody else has unless one is named."""
        number = next(self._addresses)
        peer = address or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        transport = httpx.ASGITransport(self.gate, raise_app_exceptions=False, client=(peer, 4711))  # type: ignore[arg-type]
        headers = {"x-api-key": key} if key else {}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=transport, base_url="http://opora.test", headers=headers)

    async def key(self, *scopes: str, **wanted: Any) -> IssuedKey:
        """Make a key."""
        issue = await self.container.get(IssueKey)
        return await issue(SYSTEM, NewKey(label="test", scopes=frozenset(scopes) or ALL, **wanted))

    async def revoked(self, key: IssuedKey) -> IssuedKey:
        """Take a key back."""
        await (await self.container.get(RevokeKey))(SYSTEM, key.id)
        return key

    async def disabled(self, key: IssuedKey) -> IssuedKey:
        """Switch a key off."""
        await (await self.container.get(UpdateKey))(SYSTEM, key.id, KeyChanges(state=KeyState.DISABLED))
        return key

    async def expired(self, *scopes: str) -> IssuedKey:
        """Make a key whose time has passed."""
        key = await self.key(*scopes, expires_at=self.clock.now() + timedelta(minutes=1))
        self.clock.ahead += timedelta(minutes=2)
        return key

    async def token(self, role: Role) -> str:
        """Return a fresh access token of a person with one role."""
        email = self._people.get(role)
        if email is None:
            email = self._people[role] = f"{role}@example.org"
            create = await self.container.get(CreateUser)
            await create(SYSTEM, NewUser(email=email, password=PASSWORD, roles=frozenset({role})))
        log_in = await self.container.get(LogIn)
        return (await log_in(email, PASSWORD, Origin("127.0.0.1"))).access_token

    async def user_id(self, role: Role) -> int:
        """Return the id of the person with one role, made by `token` if nobody was yet."""
        await self.token(role)
        database = await self.container.get(Database)
        return int(
            await database.read.fetch_value("SELECT id FROM users WHERE email = :email", email=self._people[role])
        )

    async def rows(self) -> dict[str, int]:
        """Count what each table holds."""
        database = await self.container.get(Database)
        counted = (f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in METADATA.tables)
        return {row["name"]: row["n"] for row in await database.read.fetch(" UNION ALL ".join(counted))}
