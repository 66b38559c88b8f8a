"""HTTP face of imports and exports of numbers: files sent to us, files on the partner's drop, files for download."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from opora.api import values
from opora.api.details import BINARY, details
from opora.api.downloads import StoredFile, disposition, file_answer
from opora.api.errors import ValidationFailed
from opora.api.forms import UPLOAD_CEILING_BYTES, FormBounds, received_form
from opora.api.http import PREFIX
from opora.api.idempotency import claim
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs, upload
from opora.api.uploads import StoredUploads
from opora.core.kernel.model import Actor
from opora.core.numbers.errors.transfers import NoSuchTransfer
from opora.core.numbers.model.numbers import NumberStatus
from opora.core.numbers.model.tables import RefusedRow, TableFormat
from opora.core.numbers.model.transfers import (
    Channel,
    Transfer,
    TransferFilter,
    TransferKind,
    TransferPolicy,
    TransferReport,
    TransferStatus,
)
from opora.core.numbers.ports.transfers import TransferViews
from opora.core.numbers.rules import phones
from opora.core.numbers.rules.reach import reach
from opora.core.numbers.rules.tables import safe_cell
from opora.core.numbers.rules.transfers import REFUSAL_TEXTS, checked_export, checked_import, plain_name
from opora.core.numbers.usecases.transfers import (
    CancelTransfer,
    KeepUpload,
    ReadTransferFiles,
    RequestExport,
    RequestImport,
    RequestUndo,
)

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {TableFormat.CSV: CSV, TableFormat.XLSX: XLSX}
FILE = details(media=dict.fromkeys(MEDIA_TYPES.values(), BINARY), is_file=True, refusals=(404, 409, 410, 412, 416))
LINES = {"type": "string", "description": "A heading, and a refused row a line."}
ROWS = details(media={CSV: LINES}, refusals=(404, 409, 410))
STATE = details(refusals=(404, 409))
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=values.LABEL_PATTERN)]
Heading = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=values.LABEL_PATTERN)]
ColumnNumber = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Mapping = dict[str, Heading | ColumnNumber]


class NewImport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file on the drop to be imported; `mapping` names the column of a field by its heading or its number from 1."""

    project_id: values.RecordId
    file_name: FileName
    provider_id: values.RecordId | None = None
    mapping: Mapping | None = None


class ImportForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of a form beside its file; `mapping` is a JSON object."""

    project_id: values.RecordId
    provider_id: values.RecordId | None = None
    mapping: values.Text | None = None


class ExportFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which of the project's numbers are wanted."""

    status: NumberStatus | None = None
    provider_id: values.RecordId | None = None
    geo_id: values.RecordId | None = None
    phone: values.Label | None = None
    created_after: values.Timestamp | None = None
    created_before: values.Timestamp | None = None


class NewExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to be made of a project's numbers, on the drop or for download."""

    project_id: values.RecordId
    file_name: FileName
    filter: ExportFilter | None = None
    format: values.Word = "csv"
    destination: values.Word = "sftp"


class QueuedTransfer(msgspec.Struct, frozen=True):
    """A transfer that was taken on."""

    job_id: UUID
    status: TransferStatus


class ShownTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer; `progress` is in per cent, `error_log` says why it failed, or what holds it up for now.

    Of a completed import, `records_count` is the sum of `created`, `duplicates`, `invalid` and `suppressed`.
    """

    id: UUID
    job_type: TransferKind
    channel: Channel
    project_id: int
    provider_id: int | None
    file_name: str
    format: TableFormat | None
    status: TransferStatus
    progress: int
    records_count: int
    created: int
    duplicates: int
    duplicates_in_file: int
    invalid: int
    suppressed: int
    error_log: str | None
    error_code: str | None
    requested_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    download_url: str | None
    errors_url: str | None
    undone_at: datetime | None
    removed: int


QueryKind = Annotated[
    TransferKind | None, QueryParameter(name="job_type", description="Only imports, or only exports.")
]
QueryStatus = Annotated[TransferStatus | None, QueryParameter(name="status", description="Only those that stand so.")]


class ImportUploadController(Controller):
    """Imports of files that are sent to us."""

    path = "/phone-numbers"
    tags = ["Imports and exports"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        "/import",
        status_code=202,
        opt={
            **needs("numbers:transfer"),
            **upload(UPLOAD_CEILING_BYTES),
            **details(
                form={
                    "type": "object",
                    "required": ["file", "project_id"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {**BINARY, "description": "CSV, XLSX or XLS; told by its content, not by its name."},
                        "project_id": {"type": "integer", "minimum": 1},
                        "provider_id": {"type": "integer", "minimum": 1},
                        "mapping": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "The column of a field: its heading, or its number from 1.",
                        },
                    },
                },
                refusals=(404, 415),
            ),
        },
    )
    async def import_upload(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        policy: FromDishka[TransferPolicy],
        keep_upload: FromDishka[KeepUpload],
        request_import: FromDishka[RequestImport],
    ) -> Response[QueuedTransfer]:
        """Import a file of numbers; a job brings them in."""
        uploads = StoredUploads(keep_upload)
        async with received_form(request, uploads, FormBounds(policy.size_max)) as form:
            name, received, wish = form.with_file(ImportForm)
            mapping = mapping_of(wish.mapping)
            asked = checked_import(wish.project_id, plain_name(name.replace("\\", "/")), wish.provider_id, mapping)
            await claim(form.digest())
            transfer = await request_import(actor, asked, uploads.blob(received))
            uploads.adopt(received)
        return taken_on(transfer)


class TransferController(Controller):
    """Imports from the partner's drop, exports to it, and how they go."""

    path = "/sftp"
    tags = ["Imports and exports"]  # noqa: RUF012  # Litestar reads a plain list

    @post("/import", status_code=202, opt={**needs("numbers:transfer"), **details(refusals=(404,))})
    async def import_from_drop(
        self, data: JSONBody[NewImport], actor: FromDishka[Actor], request_import: FromDishka[RequestImport]
    ) -> Response[QueuedTransfer]:
        """Import a file that lies on the partner's drop."""
        return taken_on(
            await request_import(actor, checked_import(data.project_id, data.file_name, data.provider_id, data.mapping))
        )

    @post("/export", status_code=202, opt={**needs("numbers:transfer"), **details(refusals=(404,))})
    async def export(
        self, data: JSONBody[NewExport], actor: FromDishka[Actor], request_export: FromDishka[RequestExport]
    ) -> Response[QueuedTransfer]:
        """Export a project's numbers, to the partner's drop or into a file for download."""
        wish = checked_export(
            data.project_id, data.file_name, data.format, data.destination, plain_filter(data.filter or ExportFilter())
        )
        return taken_on(await request_export(actor, wish))

    @get("/jobs", opt=needs("numbers:transfer"))
    async def transfers(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[TransferViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        project_id: values.QueryId = None,
        job_type: QueryKind = None,
        status: QueryStatus = None,
    ) -> Envelope[ShownTransfer]:
        """List imports and exports of one's projects, the newest first."""
        wanted = TransferFilter(project_id=project_id, kind=job_type, status=status)
        found = await views.page(reach(actor), wanted, page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/jobs/{transfer_id:uuid}", opt=needs("numbers:transfer"))
    async def transfer(
        self, transfer_id: FromPath[UUID], actor: FromDishka[Actor], views: FromDishka[TransferViews]
    ) -> ShownTransfer:
        """Read one import or export."""
        found = await views.one(transfer_id, reach(actor))
        if found is None:
            raise NoSuchTransfer(transfer_id=str(transfer_id))
        return shown(found)

    @get("/jobs/{transfer_id:uuid}/errors", opt={**needs("numbers:transfer"), **ROWS}, media_type=CSV)
    async def refused_rows(
        self, transfer_id: FromPath[UUID], actor: FromDishka[Actor], files: FromDishka[ReadTransferFiles]
    ) -> Stream:
        """Download the rows that did not become numbers: line, column, reason and what stood there."""
        rows = await files.refused(actor, transfer_id)
        headers = {"content-disposition": disposition(f"refused-{transfer_id}.csv")}
        return Stream(refused_lines(rows), media_type=f"{CSV}; charset=utf-8", headers=headers)

    @get("/jobs/{transfer_id:uuid}/download", opt={**needs("numbers:transfer"), **FILE, "waits": True})
    async def download(
        self,
        request: Request[Any, Any, Any],
        transfer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        files: FromDishka[ReadTransferFiles],
    ) -> Response[Any]:
        """Download the file of an export, whole or a range of it."""
        transfer = await files.file(actor, transfer_id)
        return await file_answer(request, stored_file(transfer), partial(files.read, transfer))

    @post("/jobs/{transfer_id:uuid}/cancel", status_code=200, opt={**needs("numbers:transfer"), **STATE})
    async def cancel(
        self,
        transfer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        cancel_transfer: FromDishka[CancelTransfer],
    ) -> QueuedTransfer:
        """Stop a transfer; the numbers that an import has brought in so far stay."""
        transfer = await cancel_transfer(actor, transfer_id)
        return QueuedTransfer(transfer.id, transfer.status)

    @post("/jobs/{transfer_id:uuid}/undo", status_code=202, opt={**needs("numbers:transfer"), **STATE})
    async def undo(
        self, transfer_id: FromPath[UUID], actor: FromDishka[Actor], request_undo: FromDishka[RequestUndo]
    ) -> QueuedTransfer:
        """Take back the numbers that an import made, as far as nobody has touched them."""
        transfer = await request_undo(actor, transfer_id)
        return QueuedTransfer(transfer.id, transfer.status)


def mapping_of(text: str | None) -> dict[str, str | int] | None:
    """Read the mapping of a form; raises ValidationFailed."""
    if text is None:
        return None
    try:
        found: dict[str, str | int] = msgspec.json.decode(text, type=Mapping)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ValidationFailed(errors={"mapping": [str(error)]}) from None
    return found


def plain_filter(asked: ExportFilter) -> dict[str, str | int]:
    """Return a filter as plain values that a row keeps; raises InvalidPhone for a prefix that is none."""
    ids = (("provider_id", asked.provider_id), ("geo_id", asked.geo_id))
    found: dict[str, str | int] = {name: value for name, value in ids if value is not None}
    if asked.status is not None:
        found["status"] = str(asked.status)
    if asked.phone is not None:
        found["phone"] = phones.prefix(asked.phone)
    for name, at in (("created_after", asked.created_after), ("created_before", asked.created_before)):
        if at is not None:
            found[name] = at.isoformat()
    return found


def taken_on(transfer: Transfer) -> Response[QueuedTransfer]:
    """Return the answer of a transfer that a job will carry out."""
    return made(QueuedTransfer(transfer.id, transfer.status), f"/sftp/jobs/{transfer.id}", status_code=202)


def shown(found: TransferReport) -> ShownTransfer:
    """Return a transfer as it stands on the wire."""
    transfer = found.transfer
    place = f"{PREFIX}/sftp/jobs/{transfer.id}"
    has_rows = transfer.kind is TransferKind.IMPORT and not transfer.is_file_removed
    return ShownTransfer(
        id=transfer.id,
        job_type=transfer.kind,
        channel=transfer.channel,
        project_id=transfer.project_id,
        provider_id=transfer.provider_id,
        file_name=transfer.file_name,
        format=transfer.format,
        status=transfer.status,
        progress=found.progress,
        records_count=transfer.records,
        created=transfer.created,
        duplicates=transfer.duplicates + transfer.duplicates_in_file,
        duplicates_in_file=transfer.duplicates_in_file,
        invalid=transfer.invalid,
        suppressed=transfer.suppressed,
        error_log=transfer.error or found.trouble,
        error_code=transfer.error_code,
        requested_at=transfer.requested_at,
        started_at=transfer.started_at,
        completed_at=transfer.completed_at,
        download_url=f"{place}/download" if found.is_downloadable else None,
        errors_url=f"{place}/errors" if has_rows else None,
        undone_at=transfer.undone_at,
        removed=transfer.removed,
    )


def stored_file(transfer: Transfer) -> StoredFile:
    """Return what the answer says of an export's file."""
    return StoredFile(
        name=plain_name(transfer.file_name),
        media_type=MEDIA_TYPES[transfer.format or TableFormat.CSV],
        size=transfer.size or 0,
        tag=transfer.sha256 or "",
        modified_at=transfer.completed_at or transfer.requested_at,
    )


async def refused_lines(rows: AsyncGenerator[Sequence[RefusedRow]]) -> AsyncGenerator[bytes]:
    """Yield refused rows as CSV, safe for spreadsheets."""
    yield b"line,column,reason,value,detail\r\n"
    async with aclosing(rows):
        async for some in rows:
            text = io.StringIO()
            csv.writer(text).writerows(
                (row.line, row.column, str(row.reason), safe_cell(row.value), REFUSAL_TEXTS[row.reason]) for row in some
            )
            yield text.getvalue().encode()
