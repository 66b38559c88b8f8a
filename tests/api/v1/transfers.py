"""The program as people meet it who bring files: a project, its manager, a stranger, and a worker for the jobs."""

from pathlib import Path
from typing import Any

import httpx

from api.program import Program
from opora.adapters.sql.connection import Database
from opora.bootstrap.contexts import HANDLERS
from opora.core.access.model.scopes import Role
from opora.core.jobs.ports import JobLeases
from opora.core.kernel.ports import UnitOfWork
from opora.core.numbers.model.projects import Grant
from opora.core.numbers.ports.transfers import TransferTx
from opora.testing.numbers import NOON, a_project

ROWS = b"phone;name\n+79160000001;a\n8 916 0000002;b\n79160000001;again\n=cmd;c\n"


class Campaign:
    """The program with a project, its manager, and a stranger who manages another."""

    def __init__(self, program: Program, home: Path) -> None:
        self.program = program
        self.drop = home / "sftp"
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.project = 0

    async def open(self) -> None:
        """Make all that stories begin with."""
        unit = await self.program.container.get(UnitOfWork[TransferTx])
        token = await self.program.token(Role.MANAGER)
        self.clients["manager"] = self.program.client(token=token)
        self.clients["admin"] = self.program.client(token=await self.program.token(Role.ADMIN))
        self.clients["nobody"] = self.program.client()
        self.clients["client"] = self.program.client(token=await self.program.token(Role.CLIENT))
        self.clients["key"] = self.program.client(key=(await self.program.key("numbers:transfer")).key)
        database = await self.program.container.get(Database)
        user_id = await database.read.fetch_value("SELECT id FROM users WHERE email = 'manager@example.org'")
        async with unit() as tx:
            for _ in range(2):
                id = await tx.projects.next_id()
                await tx.projects.add(a_project(id))
                if not self.project:
                    self.project = id
                    await tx.projects.grant(Grant(project_id=id, user_id=user_id, granted_by="x", created_at=NOON))
        self.other = id

    async def work(self) -> None:
        """Carry out every job that waits."""
        leases = await self.program.container.get(JobLeases)
        while claims := await leases.claim([kind for kind in HANDLERS if kind.startswith("numbers.")], 1, 30.0):
            await (await self.program.container.get(HANDLERS[claims[0].kind]))(claims[0])

    async def send(
        self,
        content: bytes,
        by: str = "manager",
        headers: dict[str, str] | None = None,
        name: str = "a.csv",
        **fields: Any,
    ) -> httpx.Response:
        """Send a file to be imported."""
        data = {"project_id": str(self.project)} | {name: str(value) for name, value in fields.items()}
        return await self.clients[by].post(
            "/api/v1/phone-numbers/import", data=data, files={"file": (name, content)}, headers=headers
        )

    async def get(self, path: str, by: str = "manager") -> httpx.Response:
        return await self.clients[by].get(f"/api/v1/sftp{path}")

    async def post(self, path: str, by: str = "manager", **body: Any) -> httpx.Response:
        return await self.clients[by].post(f"/api/v1/sftp{path}", json=body or None)

    async def imported(self, content: bytes, by: str = "manager", **fields: Any) -> dict[str, Any]:
        """Send a file, carry its import out and return how that went; the refusal where it was not taken."""
        sent = await self.send(content, by=by, **fields)
        if sent.status_code != 202:
            return {"status": "refused", "error_code": sent.json()["code"]}
        await self.work()
        return dict((await self.get(f"/jobs/{sent.json()['job_id']}", by)).json())
