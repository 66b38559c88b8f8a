"""A whole program for the tests of campaigns: clients of an admin and of managers, and what they begin with."""

import json
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from api.program import PASSWORD, Program
from opora.core.access.model.people import NewUser
from opora.core.access.model.scopes import Role
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.people import CreateUser
from opora.core.kernel.model import SYSTEM, Origin
from opora.core.kernel.rules import webhook_signature
from opora.core.numbers.model.calls import SoftphoneKey

ALWAYS = [{"weekday": day, "start_time": "00:00", "end_time": "24:00"} for day in range(7)]
API = "/api/v1"


class Campaigns:
    """Calls of a program, in few words."""

    def __init__(self, program: Program, key: str) -> None:
        self.program = program
        self.admin = program.client(key=key)
        self._names = count(1)
        self._phones = count(79160000001)

    @classmethod
    async def over(cls, program: Program) -> "Campaigns":
        """Begin with the key of an admin."""
        return cls(program, (await program.key()).key)

    def phone(self) -> str:
        """Return a number that no test had."""
        return f"+{next(self._phones)}"

    async def manager(self) -> tuple[int, httpx.AsyncClient]:
        """Make a manager and return their id and a client of theirs."""
        email = f"manager{next(self._names)}@example.org"
        create, log_in = await self.program.container.get(CreateUser), await self.program.container.get(LogIn)
        user = await create(SYSTEM, NewUser(email=email, password=PASSWORD, roles=frozenset({Role.MANAGER})))
        token = (await log_in(email, PASSWORD, Origin("127.0.0.1"))).access_token
        return user.id, self.program.client(token=token)

    def count_of_names(self) -> int:
        """Return the number in the last name that was given."""
        return int(repr(self._names)[6:-1]) - 1

    async def project(self, client: httpx.AsyncClient | None = None, **changes: Any) -> int:
        """Make a project and return its id."""
        body = {"name": f"Project {next(self._names)}", **changes}
        answer = await (client or self.admin).post(f"{API}/projects", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    async def open_project(self, **changes: Any) -> int:
        """Make a project that may call at any time, on its own clock."""
        project = await self.project(zone_mode="project", timezone="UTC", **changes)
        answer = await self.admin.put(f"{API}/projects/{project}/schedules", json={"items": ALWAYS})
        assert answer.status_code == 200, answer.text
        return project

    async def number(self, project_id: int | None, phone: str | None = None, **more: Any) -> dict[str, Any]:
        """Add a number and return it."""
        body = {"phone_number": phone or self.phone(), "project_id": project_id, **more}
        answer = await self.admin.post(f"{API}/phone-numbers", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def change(self, id: int, client: httpx.AsyncClient | None = None, **changes: Any) -> httpx.Response:
        """Change a number."""
        return await (client or self.admin).patch(f"{API}/phone-numbers/{id}", json=changes)

    async def read(self, id: int) -> dict[str, Any]:
        """Return a number as it stands."""
        return dict((await self.admin.get(f"{API}/phone-numbers/{id}")).json())

    async def actions(self, **wanted: Any) -> list[str]:
        """Return the actions in the audit log, the newest first."""
        answer = await self.admin.get(f"{API}/audit-log", params={"limit": 200, **wanted})
        return [one["action"] for one in answer.json()["results"]]

    async def tell(self, event: dict[str, Any], **headers: str) -> httpx.Response:
        """Send a signed event of a call."""
        body = json.dumps(event).encode()
        return await self.send(body, **headers)

    async def send(self, body: bytes, **headers: str) -> httpx.Response:
        """Send signed bytes; `headers` replace those of the signature, by their names with underscores."""
        key = (await self.program.container.get(SoftphoneKey)).key
        stamp = int(self.program.clock.now().timestamp())
        signed = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": webhook_signature(key, "msg_1", stamp, body),
            "content-type": "application/json",
        }
        signed |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.program.client() as client:
            return await client.post(f"{API}/softphone/webhook", content=body, headers=signed)

    def event(self, type: str, phone: str, call_id: str, **more: Any) -> dict[str, Any]:
        """Build an event of now."""
        at = self.program.clock.now().isoformat().replace("+00:00", "Z")
        return {
            "event_id": str(uuid4()),
            "type": type,
            "phone_number": phone,
            "occurred_at": at,
            "call_id": call_id,
            **more,
        }
