"""`opora abs`: what goes between documents and the bank's own system."""

from argparse import ArgumentParser

from opora.cli.command import Call, Command
from opora.cli.exits import Exit
from opora.cli.running import Application, run
from opora.cli.values import whole
from opora.core.documents.model.reconciliation import Reconciliation, Ticket, TicketFilter
from opora.core.documents.ports.banking import CoreBanking
from opora.core.documents.ports.packets import BankingViews
from opora.core.documents.usecases.reconciliation import Reconcile
from opora.core.kernel.model import SYSTEM, Page, PageRequest


def check(call: Call) -> None:
    """Ask the bank's system whether it is there; nothing is changed by it."""

    async def work(app: Application) -> str:
        return await (await app.get(CoreBanking)).check()

    answers = run(work)
    call.output.document({"answers": answers})
    call.output.line(f"There answers {answers}.")


def reconcile(call: Call) -> Exit:
    """Compare both sides now; exit 1 where they differ."""

    async def work(app: Application) -> Reconciliation:
        return await (await app.get(Reconcile)).at_once(SYSTEM)

    done = run(work)
    call.output.document(done)
    call.output.line(
        f"{done.compared} documents compared, {done.under_way} under way, {done.differences} differ;"
        f" {done.opened} tickets opened, {done.closed} closed."
    )
    return Exit.FINDINGS if done.differences else Exit.OK


def tickets(call: Call) -> None:
    """List what a person has to look into, the newest first."""
    given = call.arguments

    async def work(app: Application) -> Page[Ticket]:
        wanted = TicketFilter(is_open=None if given.all else True)
        return await (await app.get(BankingViews)).tickets(wanted, PageRequest(given.limit))

    page = run(work)
    call.output.document({"count": page.count, "count_exact": page.count_exact, "results": list(page.items)})
    call.output.table(
        ["ID", "KIND", "SUBJECT", "OPENED", "CLOSED", "HERE", "THERE"],
        [
            [one.id, one.kind, one.subject, one.opened_at, one.closed_at, (one.here or "")[:60], (one.there or "")[:60]]
            for one in page.items
        ],
    )


def _ticket_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="closed ones too")
    parser.add_argument("--limit", type=whole(1, 200), default=50, metavar="N", help="how many, 50")


COMMANDS = {
    "check": Command("Ask the bank's system whether it is there", check),
    "reconcile": Command("Compare both sides now", reconcile),
    "tickets": Command("List what a person has to look into", tickets, _ticket_arguments, "opora abs tickets --all"),
}
