"""HTTP face of exports: files of profiles, made in the background and downloaded."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, JSONBody

from opora.api import values
from opora.api.details import BINARY, details
from opora.api.downloads import StoredFile, file_answer
from opora.api.http import PREFIX
from opora.api.locations import made
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.core.kernel.model import Actor
from opora.core.profiles.errors import NoSuchExport
from opora.core.profiles.model.exports import Export, ExportFormat, ExportReport, ExportStatus
from opora.core.profiles.ports.exports import ExportViews
from opora.core.profiles.rules.exports import checked_wish
from opora.core.profiles.rules.keeping import reach
from opora.core.profiles.usecases.exports import DownloadExport, RequestExport

MEDIA_TYPES = {ExportFormat.JSON: "application/json", ExportFormat.PDF: "application/pdf"}

FILE = details(media=dict.fromkeys(MEDIA_TYPES.values(), BINARY), is_file=True, refusals=(409, 410, 412, 416))


class NewExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The wish for a file: of one profile, or of up to 1,000 in the order given."""

    format: values.Word
    profile_id: values.RecordId | None = None
    profile_ids: list[values.RecordId] | None = None


class QueuedExport(msgspec.Struct, frozen=True):
    """An export that was taken on."""

    export_id: UUID
    status: ExportStatus


class ShownExport(msgspec.Struct, frozen=True):
    """An export; `profile_id` is null for a file of several, `progress` is in per cent."""

    id: UUID
    profile_id: int | None
    format: ExportFormat
    status: ExportStatus
    progress: int
    requested_at: datetime
    completed_at: datetime | None
    download_url: str | None
    error: str | None


class ExportController(Controller):
    """Exports of the caller."""

    path = "/exports"
    tags = ["Exports"]  # noqa: RUF012  # Litestar reads a plain list

    @post(status_code=202, opt={**needs("exports:write"), **details(refusals=(404,))})
    async def ask(
        self, data: JSONBody[NewExport], actor: FromDishka[Actor], request_export: FromDishka[RequestExport]
    ) -> Response[QueuedExport]:
        """Ask for a file of one or several profiles; a job makes it."""
        export = await request_export(actor, checked_wish(data.profile_id, data.profile_ids, data.format))
        return made(QueuedExport(export.id, export.status), f"/exports/{export.id}", status_code=202)

    @get(opt=needs("exports:read"))
    async def exports(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[ExportViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownExport]:
        """List exports, the newest first."""
        found = await views.page(reach(actor), page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{export_id:uuid}", opt=needs("exports:read"))
    async def export(
        self, export_id: FromPath[UUID], actor: FromDishka[Actor], views: FromDishka[ExportViews]
    ) -> ShownExport:
        """Read one export."""
        report = await views.one(export_id, reach(actor))
        if report is None:
            raise NoSuchExport(export_id=str(export_id))
        return shown(report)

    @get("/{export_id:uuid}/download", opt={**needs("exports:read"), **FILE, "waits": True})
    async def download(
        self,
        request: Request[Any, Any, Any],
        export_id: FromPath[UUID],
        actor: FromDishka[Actor],
        download_export: FromDishka[DownloadExport],
    ) -> Response[Any]:
        """Download the file of a completed export, whole or a range of it."""
        export = await download_export.find(actor, export_id)
        return await file_answer(request, stored_file(export), partial(download_export.read, export))


def shown(report: ExportReport) -> ShownExport:
    """Return an export as it stands on the wire."""
    export = report.export
    return ShownExport(
        id=export.id,
        profile_id=export.profile_ids[0] if len(export.profile_ids) == 1 else None,
        format=export.format,
        status=export.status,
        progress=report.progress,
        requested_at=export.requested_at,
        completed_at=export.completed_at,
        download_url=f"{PREFIX}/exports/{export.id}/download" if report.is_downloadable else None,
        error=export.error,
    )


def stored_file(export: Export) -> StoredFile:
    """Return what the answer says of a completed export's file."""
    one = f"profile-{export.profile_ids[0]}"
    many = f"profiles-{export.requested_at:%Y-%m-%d}-{len(export.profile_ids)}"
    return StoredFile(
        name=f"{one if len(export.profile_ids) == 1 else many}.{export.format}",
        media_type=MEDIA_TYPES[export.format],
        size=export.size or 0,
        tag=export.sha256 or "",
        modified_at=export.completed_at or export.requested_at,
    )
