"""`opora audit`: was the audit log touched?"""

from opora.adapters.sql import audit as log
from opora.adapters.sql.audit import AuditKey, Verification
from opora.adapters.sql.connection import Database
from opora.cli.command import Call, Command
from opora.cli.exits import Exit
from opora.cli.running import Application, run


def verify(call: Call) -> Exit:
    """Walk the whole chain; name the first entry that was altered, removed or inserted."""

    async def work(app: Application) -> Verification:
        return await log.verify(await app.get(Database), await app.get(AuditKey))

    found = run(work)
    call.output.document(found)
    if found.whole:
        call.output.line(f"Whole: {found.checked} sealed entries, {found.unsealed} not sealed yet.")
        return Exit.OK
    call.output.line(f"Entry {found.broken_at}: {found.reason}" if found.broken_at else f"Broken: {found.reason}")
    return Exit.FINDINGS


COMMANDS = {"verify": Command("Walk the chain and name the first entry that was touched", verify)}
