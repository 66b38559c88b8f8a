"""`opora audit`: was the audit log touched?"""

from opora.cli.command import Call, Command
from opora.cli.exits import Exit
from opora.cli.running import Application, run
from opora.core.audit.model import Verification
from opora.core.audit.ports import AuditLog


def verify(call: Call) -> Exit:
    """Walk the whole chain; name the first entry that was altered, removed or inserted."""

    async def work(app: Application) -> Verification:
        return await (await app.get(AuditLog)).verify()

    found = run(work)
    call.output.document(found)
    if found.whole:
        call.output.line(f"Whole: {found.checked} sealed entries, {found.unsealed} not sealed yet.")
        return Exit.OK
    call.output.line(f"Entry {found.broken_at}: {found.reason}" if found.broken_at else f"Broken: {found.reason}")
    return Exit.FINDINGS


COMMANDS = {"verify": Command("Walk the chain and name the first entry that was touched", verify)}
