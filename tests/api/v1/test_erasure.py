"""Leaving for good reaches every context, in the whole program."""

import httpx
import pytest

from api.program import Program
from api.v1.bank import Bank
from api.v1.banking_fixtures import anna, anyio_backend, bank, root
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.contexts import HANDLERS
from opora.core.access.usecases.erasure import ERASE_RECORDS
from opora.core.audit.ports import AuditLog
from opora.core.jobs.ports import JobLeases

pytestmark = pytest.mark.anyio
__all__ = ("anna", "anyio_backend", "bank", "root")

API = "/api/v1"


async def erased(program: Program) -> int:
    """Do the jobs that erase, as a worker does; return how many there were."""
    unit, leases = await program.container.get(SqlUnitOfWork), await program.container.get(JobLeases)
    await unit.relay()
    claims = await leases.claim([ERASE_RECORDS], 10, 30.0)
    for claim in claims:
        await (await program.container.get(HANDLERS[ERASE_RECORDS]))(claim)
    return len(claims)


async def test_a_banks_client_downloads_what_each_context_holds_and_leaves_papers_without_a_name(
    bank: Bank, anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    paper = await bank.uploaded(anna)
    kept = f"{API}/abs/users/{bank.ids['anna']}/profile"
    said = await anna.patch(f"{API}/dbo/users/{bank.ids['anna']}/profile", json={"last_name": "Юрьева"})
    assert said.status_code == 200
    held = (await anna.get(f"{API}/users/me/export")).json()
    assert {"access", "bookings", "documents", "notifications", "numbers", "profiles"} <= set(held)
    shown = {record["record"]: record for record in held["documents"]}
    assert shown["client_profile"]["last_name"] == "Юрьева"
    assert shown["document"]["id"] == paper["id"]
    assert (await anna.delete(f"{API}/users/me")).status_code == 204
    assert await erased(bank.program) == 1
    assert (await root.get(kept)).json()["last_name"] == ""
    assert (await root.get(f"{API}/abs/documents/{paper['id']}")).json()["user_id"] == bank.ids["anna"]
    assert (await (await bank.program.container.get(AuditLog)).verify()).whole
