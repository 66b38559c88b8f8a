"""`opora billing`: whether the ledger adds up, and whether the payment provider answers."""

from opora.cli.command import Call, Command
from opora.cli.exits import Exit
from opora.cli.running import Application, run
from opora.core.billing.model.ledger import Recount
from opora.core.billing.ports.ledger import LedgerViews
from opora.core.billing.ports.providers import PaymentProvider


def check(call: Call) -> Exit:
    """Add every entry up anew; exit 1 where anything differs from what is kept."""

    async def work(app: Application) -> Recount:
        return await (await app.get(LedgerViews)).recount()

    found = run(work)
    call.output.document(found)
    call.output.line(
        f"{found.accounts} accounts, {found.transfers} transfers, {found.entries} entries,"
        f" {found.holds_open} open holds; {len(found.discrepancies)} discrepancies."
    )
    if found.discrepancies:
        call.output.table(
            ["WHAT", "NAME", "KEPT", "COUNTED"],
            [[one.what, one.name, one.kept_minor, one.counted_minor] for one in found.discrepancies],
        )
    return Exit.OK if found.is_whole else Exit.FINDINGS


def provider(call: Call) -> None:
    """Ask the payment provider whether it is there; nothing is changed by it."""

    async def work(app: Application) -> str:
        return await (await app.get(PaymentProvider)).check()

    answers = run(work)
    call.output.document({"answers": answers})
    call.output.line(f"There answers {answers}.")


COMMANDS = {
    "check": Command("Recount the ledger from its entries and compare", check, example="opora billing check --json"),
    "provider": Command("Ask the payment provider whether it is there", provider),
}
