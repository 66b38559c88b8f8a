"""A bank: the whole program, its clients and workers, and what they send in."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from api.program import PASSWORD, Program
from opora.core.access.model.people import NewUser
from opora.core.access.model.scopes import Role
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.people import CreateUser
from opora.core.kernel.model import SYSTEM, Origin
from opora.testing.papers import a_pdf

DBO, ABS = "/api/v1/dbo", "/api/v1/abs/documents"
LEASE = {"description": "Договор аренды", "category": "Договоры"}
TEXTS = count(1)


class Bank:
    """The program, and people of it."""

    def __init__(self, program: Program, home: Path) -> None:
        self.program = program
        self.home = home
        self.ids: dict[str, int] = {}

    @classmethod
    @asynccontextmanager
    async def over(cls, home: Path, **environment: str) -> AsyncIterator["Bank"]:
        """Open a bank in a home folder."""
        async with Program.over(home, **environment) as program:
            yield cls(program, home)

    async def person(self, name: str, *roles: Role) -> httpx.AsyncClient:
        """Return a client signed in as that person, a `client` of the bank unless roles are named."""
        email = f"{name}@example.org"
        if name not in self.ids:
            create = await self.program.container.get(CreateUser)
            wanted = NewUser(email=email, password=PASSWORD, roles=frozenset(roles or (Role.CLIENT,)))
            self.ids[name] = (await create(SYSTEM, wanted)).id
        log_in = await self.program.container.get(LogIn)
        pair = await log_in(email, PASSWORD, Origin("127.0.0.1"))
        return self.program.client(token=pair.access_token)

    async def anna(self) -> httpx.AsyncClient:
        """A client of the bank."""
        return await self.person("anna")

    async def boris(self) -> httpx.AsyncClient:
        """Another one."""
        return await self.person("boris")

    async def olga(self) -> httpx.AsyncClient:
        """A worker."""
        return await self.person("olga", Role.OPERATOR)

    async def root(self) -> httpx.AsyncClient:
        """An administrator."""
        return await self.person("root", Role.ADMIN)

    async def uploaded(self, client: httpx.AsyncClient, content: bytes | None = None, **fields: Any) -> dict[str, Any]:
        """Send a document in and return the answer."""
        answer = await send(client, content if content is not None else paper(), **fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def moved(self, id: int, *statuses: str) -> None:
        """Move a document along as the worker."""
        async with await self.olga() as olga:
            for status in statuses:
                answer = await olga.put(f"{ABS}/{id}/status", json={"status": status})
                assert answer.status_code == 200, answer.text

    def files(self) -> list[str]:
        """Return the name of every file that the bank keeps, of any kind."""
        folders = (self.home / "files" / "documents", self.home / "intake")
        return [file.name for folder in folders for file in folder.rglob("*") if file.is_file()]


def paper() -> bytes:
    """Return a PDF unlike any before."""
    return a_pdf(f"Paper {next(TEXTS)}")


async def send(
    client: httpx.AsyncClient, content: bytes, name: str = "lease.pdf", headers: Any = None, **fields: Any
) -> httpx.Response:
    """Send a document in."""
    said = {**LEASE, **fields}
    files = {"file": (name, content, "application/octet-stream")}
    data = {name: value for name, value in said.items() if value is not None}
    return await client.post(f"{DBO}/documents", data=data, files=files, headers=headers)


async def send_batch(
    client: httpx.AsyncClient, documents: object, *contents: bytes, headers: Any = None
) -> httpx.Response:
    """Send a batch in."""
    files = [("files", (f"paper{number}.pdf", content)) for number, content in enumerate(contents)]
    data = {"documents": documents if isinstance(documents, str) else json.dumps(documents)}
    return await client.post(f"{ABS}/batch", data=data, files=files, headers=headers)
