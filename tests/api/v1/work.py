"""Does the jobs of a program that is driven inside this process, as a worker does."""

from api.program import Program
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.contexts import HANDLERS
from opora.core.jobs.model import NewJob
from opora.core.jobs.ports import JobLeases

ROUNDS_MAX = 20
OURS = [kind for kind in HANDLERS if kind.startswith(("abs.", "documents."))]
"""What has to do with documents; letters about them are somebody else's."""


async def work(program: Program, *kinds: str) -> None:
    """Add a job of each kind, then do whatever waits until nothing does."""
    unit, leases = await program.container.get(SqlUnitOfWork), await program.container.get(JobLeases)
    async with unit() as tx:
        for kind in kinds:
            await tx.jobs.add(NewJob(kind=kind))
    for _ in range(ROUNDS_MAX):
        relayed = await unit.relay()
        claims = await leases.claim(OURS, 100, 30.0)
        for claim in claims:
            await (await program.container.get(HANDLERS[claim.kind]))(claim)
        if not claims and not relayed:
            return
