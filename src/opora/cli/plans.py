"""`opora plans`: the plans on offer, out to a file and in again."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.running import run
from opora.core.billing.errors.plans import PlansInvalid
from opora.core.billing.model.plans import Limit, Plan
from opora.core.billing.ports.plans import PlanViews
from opora.core.billing.rules.publishing import Publication
from opora.core.billing.usecases.publishing import PublishPlans
from opora.core.kernel.model import SYSTEM


class WrittenPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan as it stands in a file."""

    code: str
    rank: int
    names: dict[str, str]
    price_minor: int
    currency: str
    features: list[str]
    limits: list[Limit]
    options: dict[str, str | int] = {}


class PlanFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every plan that is to be on offer."""

    plans: list[WrittenPlan]


def send(call: Call) -> None:
    """Print the plans on offer as a file that can be imported."""

    async def look(app: Any) -> PlanFile:
        return PlanFile([written(plan) for plan in await (await app.get(PlanViews)).offered()])

    found = run(look, load())
    document = msgspec.to_builtins(found)
    call.output.document(document)
    if not call.arguments.json:
        call.output.line(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def bring(call: Call) -> None:
    """Put exactly the plans of a file on offer."""
    wanted = read(call.arguments.file)

    async def work(app: Any) -> Publication:
        publish: PublishPlans = await app.get(PublishPlans)
        return await publish(SYSTEM, wanted)

    try:
        changed = run(work, load())
    except PlansInvalid as fault:
        told = "; ".join(f"{name}: {', '.join(messages)}" for name, messages in fault.errors.items())
        raise CommandFailed(Exit.DATA, f"{fault} {told}", "Mend the file and import it again") from None
    added = {plan.code: plan.version for plan in changed.added}
    call.output.document({"added": added, "offered": list(changed.offered), "withdrawn": list(changed.withdrawn)})
    for code, version in added.items():
        call.output.line(f"{code}: version {version} is on offer.")
    for code in changed.offered:
        call.output.line(f"{code}: on offer again.")
    for code in changed.withdrawn:
        call.output.line(f"{code}: no more on offer; who is on it stays.")
    if not (added or changed.offered or changed.withdrawn):
        call.output.line("Nothing has changed.")


def read(file: Path) -> list[Plan]:
    """Return the plans of a file, still without versions."""
    if not file.is_file():
        raise CommandFailed(Exit.NO_INPUT, f"there is no file {file}", "Check the path")
    try:
        told = msgspec.json.decode(file.read_bytes(), type=PlanFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise CommandFailed(Exit.DATA, f"{file.name}: {fault}", "opora plans export > plans.json") from None
    return [plan(one) for one in told.plans]


def written(plan: Plan) -> WrittenPlan:
    """Return a plan as it is written into a file."""
    return WrittenPlan(
        code=plan.code,
        rank=plan.rank,
        names=dict(plan.names),
        price_minor=plan.price_minor,
        currency=plan.currency,
        features=list(plan.features),
        limits=list(plan.limits),
        options=dict(plan.options),
    )


def plan(told: WrittenPlan) -> Plan:
    """Return the plan that is written in a file; its version and time are given when it is published."""
    return Plan(
        code=told.code,
        version=0,
        rank=told.rank,
        names=told.names,
        price_minor=told.price_minor,
        currency=told.currency,
        features=tuple(told.features),
        limits=tuple(told.limits),
        options=told.options,
        created_at=datetime.now(UTC),
    )


def _file_argument(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a file as `opora plans export` prints it")


COMMANDS = {
    "export": Command("Print the plans on offer as JSON", send, example="opora plans export > plans.json"),
    "import": Command(
        "Put exactly the plans of a file on offer, all or none", bring, _file_argument, "opora plans import plans.json"
    ),
}
