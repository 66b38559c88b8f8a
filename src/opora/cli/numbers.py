"""`opora numbers`: phone numbers in and out of files."""

import asyncio
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from opora.api.v1.transfers import MEDIA_TYPES, refused_lines, shown
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.bootstrap.worker import working_on
from opora.cli import partitions, registry
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import Steps
from opora.cli.running import Application, run
from opora.cli.values import whole
from opora.core.kernel.model import SYSTEM
from opora.core.numbers.model.numbers import NumberStatus
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.model.tables import Field
from opora.core.numbers.model.transfers import (
    ENDED,
    EXPORT,
    IMPORT,
    Transfer,
    TransferPolicy,
    TransferReport,
    TransferStatus,
)
from opora.core.numbers.ports.transfers import TransferViews
from opora.core.numbers.rules import phones
from opora.core.numbers.rules.transfers import PER_CENT, checked_export, checked_import
from opora.core.numbers.usecases.transfers import (
    KeepUpload,
    ReadTransferFiles,
    RequestExport,
    RequestImport,
)

LOOK_S = 0.2
BLOCK_BYTES = 1024 * 1024
ID_MAX = 2**63 - 1


def bring(call: Call) -> Exit | None:
    """Import a file and tell what became of its rows; a running worker may do the work."""
    given, settings = call.arguments, load()
    if not given.file.is_file():
        raise CommandFailed(Exit.NO_INPUT, f"there is no file {given.file}", "Check the path")
    wish = checked_import(given.project, given.file.name, given.provider, dict(given.map or ()))

    async def work(app: Any) -> TransferReport:
        keep, ask = await app.get(KeepUpload), await app.get(RequestImport)
        upload = await keep(blocks(given.file), (await app.get(TransferPolicy)).size_max)
        try:
            transfer = await ask(SYSTEM, wish, upload)
        except Exception:
            await keep.forget(upload)
            raise
        with call.output.progress(f"importing {given.file.name}") as steps:
            report = await ended(app, settings, transfer, steps)
        if given.errors is not None:
            await save(given.errors, await refused(app, transfer.id))
        return report

    return told(call, run(work, settings))


def send(call: Call) -> Exit | None:
    """Export a project's numbers into a file of this machine."""
    given, settings = call.arguments, load()
    if given.file.exists() and not given.force:
        raise CommandFailed(Exit.CANNOT_CREATE, f"{given.file} is there already", "Choose another name, or say --force")
    named = {name: getattr(given, name) for name in ("status", "phone") if getattr(given, name) is not None}
    wish = checked_export(given.project, given.file.name, given.format, "download", named)

    async def work(app: Any) -> TransferReport:
        transfer = await (await app.get(RequestExport))(SYSTEM, wish)
        with call.output.progress(f"exporting to {given.file.name}") as steps:
            report = await ended(app, settings, transfer, steps)
        if report.transfer.status is TransferStatus.COMPLETED:
            files = await app.get(ReadTransferFiles)
            await save(given.file, await files.read(await files.file(SYSTEM, transfer.id)))
        return report

    return told(call, run(work, settings))


async def ended(app: Any, settings: Settings, transfer: Transfer, steps: Steps) -> TransferReport:
    """Return how a transfer ended; its job runs here unless a worker was faster."""
    views: TransferViews = await app.get(TransferViews)
    async with working_on(app, settings, (IMPORT, EXPORT)):
        while True:
            report = await views.one(transfer.id, EVERY_PROJECT)
            if report is None:
                raise CommandFailed(Exit.SOFTWARE, "the transfer is gone")
            steps(report.progress, PER_CENT)
            if report.transfer.status in ENDED:
                return report
            await asyncio.sleep(LOOK_S)


def told(call: Call, report: TransferReport) -> Exit | None:
    """Print how a transfer ended."""
    transfer = report.transfer
    call.output.document({name: getattr(shown(report), name) for name in shown(report).__struct_fields__})
    if transfer.status is not TransferStatus.COMPLETED:
        raise CommandFailed(Exit.DATA, transfer.error or f"the transfer is {transfer.status}", "")
    if transfer.kind == "export":
        call.output.line(f"{transfer.records} numbers written.")
        return None
    call.output.table(
        ["ROWS", "CREATED", "DUPLICATES", "SUPPRESSED", "INVALID"],
        [[transfer.records, transfer.created, transfer.duplicates + transfer.duplicates_in_file, transfer.suppressed,
          transfer.invalid]],
    )  # fmt: skip
    return None


async def refused(app: Application, id: UUID) -> AsyncGenerator[bytes]:
    """Return the refused rows of an import as CSV."""
    return refused_lines(await (await app.get(ReadTransferFiles)).refused(SYSTEM, id))


async def save(place: Path, content: Any) -> None:
    """Write what comes into a file."""
    with place.open("wb") as file:
        async for some in content:
            file.write(some)


async def blocks(place: Path) -> AsyncGenerator[bytes]:
    """Yield a file block by block."""
    with place.open("rb") as file:
        while some := file.read(BLOCK_BYTES):
            yield some


def mapped(text: str) -> tuple[str, str | int]:
    """Read FIELD=COLUMN, the column by its heading or its number."""
    name, equals, column = text.partition("=")
    if not equals or name not in tuple(Field) or not column:
        raise ArgumentTypeError(f"{text!r} is not FIELD=COLUMN with one of {', '.join(Field)}")
    return name, int(column) if column.isascii() and column.isdecimal() else column


def _project(parser: ArgumentParser) -> None:
    parser.add_argument("--project", type=whole(1, ID_MAX), required=True, metavar="ID", help="the project")


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV, XLSX or XLS file; told by its content")
    _project(parser)
    parser.add_argument("--provider", type=whole(1, ID_MAX), metavar="ID", help="the provider of rows that name none")
    how: Callable[[str], tuple[str, str | int]] = mapped
    parser.add_argument(
        "--map", type=how, action="append", metavar="FIELD=COLUMN",
        help=f"the column of {', '.join(Field)}: its heading, or its number from 1",
    )  # fmt: skip
    parser.add_argument("--errors", type=Path, metavar="FILE", help="where to write the refused rows, as CSV")


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to be made")
    _project(parser)
    formats = [str(one) for one in MEDIA_TYPES]
    parser.add_argument("--format", choices=formats, default="csv", help="csv (the default) or xlsx")
    statuses = [str(one) for one in NumberStatus]
    parser.add_argument("--status", choices=statuses, help="only numbers of this status: " + ", ".join(statuses))
    parser.add_argument(
        "--phone", type=phones.prefix, metavar="DIGITS", help="only numbers that begin so, such as 7916"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


COMMANDS = {
    "import": Command(
        "Import a file of phone numbers into a project",
        bring,
        _import_arguments,
        "opora numbers import base.csv --project 3 --map phone_number=Телефон --errors refused.csv",
    ),
    "export": Command(
        "Export a project's phone numbers", send, _export_arguments, "opora numbers export out.csv --project 3"
    ),
    "registry": registry.COMMAND,
    "partition": partitions.COMMAND,
}
