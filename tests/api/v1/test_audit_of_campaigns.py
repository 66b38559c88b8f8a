"""Every action that document 2 wants in the audit log is there, with who, from where, and what was before and after."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.program import PASSWORD, Program
from api.v1.campaigns import API, Campaigns
from api.v1.transfers import ROWS, Campaign

pytestmark = pytest.mark.anyio
CHANGES = ("made", "changed", "removed")
LISTED = (
    *((noun, verb) for noun in ("project", "number", "provider") for verb in CHANGES),
    ("number status", "changed"),
    ("SFTP task", "import started"),
    ("SFTP task", "export started"),
    ("user", "signed in"),
    ("user", "signed out"),
)
"""The list of module 5 of document 2, in its order."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def campaigns(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Campaigns]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield await Campaigns.over(program)


class Deeds:
    """Each action of the list as somebody does it; returns the action's name in the log and the record's id."""

    def __init__(self, campaigns: Campaigns, files: Campaign) -> None:
        self.campaigns = campaigns
        self.http = campaigns.admin
        self.files = files

    async def do(self, noun: str, verb: str) -> tuple[str, str]:
        """Do one action."""
        name = f"{noun}_{verb}".replace(" ", "_").lower()
        done: tuple[str, str] = await getattr(self, name)()
        return done

    async def made(self, path: str, **body: Any) -> str:
        answer = await self.http.post(f"{API}{path}", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def project_made(self) -> tuple[str, str]:
        return "project.created", await self.made("/projects", name="a")

    async def project_changed(self) -> tuple[str, str]:
        id = await self.made("/projects", name="a")
        assert (await self.http.patch(f"{API}/projects/{id}", json={"name": "b"})).status_code == 200
        return "project.updated", id

    async def project_removed(self) -> tuple[str, str]:
        id = await self.made("/projects", name="a")
        assert (await self.http.delete(f"{API}/projects/{id}")).status_code == 204
        return "project.deleted", id

    async def provider_made(self) -> tuple[str, str]:
        return "provider.created", await self.made("/providers", name="a")

    async def provider_changed(self) -> tuple[str, str]:
        id = await self.made("/providers", name="a")
        assert (await self.http.patch(f"{API}/providers/{id}", json={"name": "b"})).status_code == 200
        return "provider.updated", id

    async def provider_removed(self) -> tuple[str, str]:
        id = await self.made("/providers", name="a")
        assert (await self.http.delete(f"{API}/providers/{id}")).status_code == 204
        return "provider.deleted", id

    async def number(self) -> str:
        return str((await self.campaigns.number(await self.campaigns.project()))["id"])

    async def number_made(self) -> tuple[str, str]:
        number = await self.campaigns.number(await self.campaigns.project())
        return "numbers.added", str(number["project_id"])

    async def number_changed(self) -> tuple[str, str]:
        id = await self.number()
        assert (await self.campaigns.change(int(id), result_data={"a": 1})).status_code == 200
        return "number.updated", id

    async def number_removed(self) -> tuple[str, str]:
        """Numbers go one way alone: an import is taken back."""
        job = await self.files.imported(ROWS, by="admin")
        assert (await self.files.post(f"/jobs/{job['id']}/undo", by="admin")).status_code == 202
        await self.files.work()
        return "transfer.undone", job["id"]

    async def number_status_changed(self) -> tuple[str, str]:
        id = await self.number()
        assert (await self.campaigns.change(int(id), status="in_progress")).status_code == 200
        return "number.status_changed", id

    async def sftp_task_import_started(self) -> tuple[str, str]:
        asked = await self.files.post("/import", by="admin", project_id=self.files.project, file_name="a.csv")
        return "transfer.import_requested", asked.json()["job_id"]

    async def sftp_task_export_started(self) -> tuple[str, str]:
        asked = await self.files.post("/export", by="admin", project_id=self.files.project, file_name="a.csv")
        return "transfer.export_requested", asked.json()["job_id"]

    async def signed_in(self) -> httpx.Response:
        await self.campaigns.manager()
        email = f"manager{self.campaigns.count_of_names()}@example.org"
        return await self.http.post(f"{API}/auth/login", json={"email": email, "password": PASSWORD})

    async def user_signed_in(self) -> tuple[str, str]:
        answer = await self.signed_in()
        assert answer.status_code == 200, answer.text
        return "session.opened", ""

    async def user_signed_out(self) -> tuple[str, str]:
        token = (await self.signed_in()).json()["access_token"]
        client = self.campaigns.program.client(token=token)
        assert (await client.post(f"{API}/auth/logout", json={})).status_code in {200, 204}
        return "session.ended", ""


@pytest.fixture(scope="module")
async def deeds(campaigns: Campaigns, tmp_path_factory: pytest.TempPathFactory) -> Deeds:
    files = Campaign(campaigns.program, Path(tmp_path_factory.mktemp("drop")))
    await files.open()
    return Deeds(campaigns, files)


@pytest.mark.parametrize(("noun", "verb"), LISTED, ids=[f"{noun} {verb}" for noun, verb in LISTED])
async def test_what_document_2_lists_is_in_the_audit_log(deeds: Deeds, noun: str, verb: str) -> None:
    before = {one["id"] for one in await entries(deeds)}
    action, entity_id = await deeds.do(noun, verb)
    entry, *_ = [
        one
        for one in await entries(deeds, action=action)
        if one["id"] not in before and entity_id in {"", one["entity_id"]}
    ]
    assert entry["created_at"]
    if action != "transfer.undone":  # a job's deed; the wish before it names who and where from
        assert entry["ip_address"], "nobody can tell where it came from"
        assert entry["user_id"] or entry["key_id"], "nobody can tell who did it"
    if verb == "changed":
        assert entry["old_values"] != entry["new_values"]
        assert entry["old_values"] and entry["new_values"]


async def entries(deeds: Deeds, **wanted: str) -> list[dict[str, Any]]:
    """Return the newest entries."""
    answer = await deeds.http.get(f"{API}/audit-log", params={"limit": 200, **wanted})
    return list(answer.json()["results"])
