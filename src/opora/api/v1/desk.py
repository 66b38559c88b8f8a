"""HTTP face of documents for the bank's workers: its own system (ABS)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, get, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from opora.api import values
from opora.api.details import details
from opora.api.errors import MalformedForm, TooManyParts, ValidationFailed
from opora.api.faults import every
from opora.api.forms import UPLOAD_CEILING_BYTES, Form, FormBounds, received_form
from opora.api.idempotency import claim
from opora.api.pages import Cursors, CursorText, Envelope, PageLimit, envelope, page_request
from opora.api.policy import needs, upload
from opora.api.v1 import document_examples as examples
from opora.api.v1.documents import DocumentForm, category_said
from opora.core.documents.errors import NoSuchDocument
from opora.core.documents.model.documents import (
    AbsSync,
    DocumentFilter,
    DocumentView,
    HistoryEntry,
    MediaType,
    ScanState,
)
from opora.core.documents.model.policies import Desk, UploadPolicy
from opora.core.documents.model.statuses import MOVES, DocumentStatus
from opora.core.documents.ports.documents import DocumentViews
from opora.core.documents.ports.files import Intake
from opora.core.documents.ports.reference import ReferenceViews
from opora.core.documents.rules.calendar import today
from opora.core.documents.rules.uploads import reach
from opora.core.documents.rules.workflow import is_overdue
from opora.core.documents.usecases.batches import BatchItem, UploadBatch
from opora.core.documents.usecases.uploads import Taken
from opora.core.documents.usecases.work import ChangeStatus, HoldDocument
from opora.core.kernel.errors import BlobTooLarge, DomainError
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock
from opora.core.kernel.rules import words

PROCESS = "documents:process"
BATCH_LIST_MAX_BYTES = 4 * 1024 * 1024


class FoundDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document in the bank's list."""

    id: int
    description: str
    category: str
    callcopy_id: int
    user_id: int
    worker_id: int | None
    status: DocumentStatus
    upload_date: date
    uploaded_at: datetime
    plan_maturity_date: date
    fact_maturity_date: date | None
    overdue: bool
    held: bool


class Line(msgspec.Struct, frozen=True):
    """One line of a document's history; `by` is a user's id, or the name of what is no user."""

    status: DocumentStatus
    at: datetime
    by: int | str
    comment: str | None


class WholeDocument(FoundDocument, frozen=True, kw_only=True):
    """Everything that is known of a document; `allowed` are the statuses that may follow."""

    file_name: str
    media_type: MediaType
    size: int
    sha256: str
    pages: int | None
    actual_date: date | None
    actual_end_date: date | None
    scan: ScanState
    overdue_at: datetime | None
    retained_until: date | None
    file_removed: bool
    text: str
    history: Sequence[Line]
    allowed: Sequence[DocumentStatus]
    abs_reference: str | None
    abs_sync: AbsSync
    version: int


class NewStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a document is to go; the worker is the caller, an admin may name another."""

    status: DocumentStatus
    worker_id: values.RecordId | None = None
    comment: Annotated[str, msgspec.Meta(max_length=1000, pattern=values.TEXT_PATTERN)] | None = None


class StatusChanged(msgspec.Struct, frozen=True):
    """Where a document went, and in whose work."""

    document_id: int
    new_status: DocumentStatus
    updated_by: int | None


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a document is kept as evidence, and why."""

    held: bool
    reason: values.Label


class HoldChanged(msgspec.Struct, frozen=True):
    """Whether a document is kept as evidence from now on."""

    document_id: int
    held: bool


class BatchDocument(DocumentForm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one file of a batch is, and whose."""

    user_id: values.RecordId


class BatchLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one document of a batch: `created`, `existing` where it was there before, or `failed`."""

    index: int
    status: str
    document_id: int | UnsetType = UNSET
    code: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET


class BatchTaken(msgspec.Struct, frozen=True):
    """What became of a batch, in the order it was sent in."""

    processed_count: int
    failed_count: int
    document_ids: Sequence[int]
    items: Sequence[BatchLine]


StatusFilter = Annotated[DocumentStatus | None, QueryParameter(name="status", description="Where it stands.")]
CategoryFilter = Annotated[
    str | None,
    QueryParameter(
        name="category", max_length=200, pattern=values.LABEL_PATTERN, description="A category's name, code or id."
    ),
]
After = Annotated[datetime | None, QueryParameter(description="Uploaded then or later.")]
Before = Annotated[datetime | None, QueryParameter(description="Uploaded earlier than that.")]
Overdue = Annotated[bool | None, QueryParameter(description="Whether the bank is late with it.")]
MaybePage = Annotated[int | None, QueryParameter(name="page", ge=1, le=100_000, description="The page, from 1.")]


class DeskController(Controller):
    """Everyone's documents, for those who work on them."""

    path = "/abs/documents"
    tags = ["Documents: the bank (ABS)"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt={**needs(PROCESS), **examples.SEARCH})
    async def search(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[DocumentViews],
        lists: FromDishka[ReferenceViews],
        cursors: FromDishka[Cursors],
        clock: FromDishka[Clock],
        desk: FromDishka[Desk],
        limit: PageLimit = 50,
        page: MaybePage = None,
        cursor: CursorText = None,
        status: StatusFilter = None,
        category: CategoryFilter = None,
        user_id: values.QueryId = None,
        worker_id: values.QueryId = None,
        uploaded_after: After = None,
        uploaded_before: Before = None,
        overdue: Overdue = None,
        q: values.QueryText = None,
    ) -> Envelope[FoundDocument]:
        """List documents, the newest first: `next` leads on by cursor, at any depth; or ask by page."""
        day = today(desk.calendar, clock.now())
        wanted = DocumentFilter(
            status=status,
            category_id=None if category is None else await category_id(lists, category),
            user_id=user_id,
            worker_id=worker_id,
            uploaded_after=uploaded_after,
            uploaded_before=uploaded_before,
            overdue=overdue,
            today=day,
            q=words(q),
        )
        place = page_request(limit, page or 1) if page or not cursor else cursors.request(limit, cursor, request.url)
        found = await views.page(reach(actor), wanted, place)
        items = found.shown_as(lambda one: listed(one, day))
        return cursors.envelope(items, request.url) if page is None else envelope(items, request.url)

    @get("/{document_id:int}", opt=needs("documents:read"))
    async def document(
        self,
        document_id: values.PathId,
        actor: FromDishka[Actor],
        views: FromDishka[DocumentViews],
        clock: FromDishka[Clock],
        desk: FromDishka[Desk],
    ) -> WholeDocument:
        """Read everything that is known of a document."""
        view = await views.one(document_id, reach(actor))
        if view is None:
            raise NoSuchDocument(document_id=document_id)
        history, text = await views.history(document_id), await views.text(document_id)
        return whole(view, history, text, today(desk.calendar, clock.now()))

    @put("/{document_id:int}/status", opt={**needs(PROCESS, step_up=True), **examples.MOVE})
    async def move(
        self,
        document_id: values.PathId,
        data: JSONBody[NewStatus],
        actor: FromDishka[Actor],
        change: FromDishka[ChangeStatus],
    ) -> StatusChanged:
        """Move a document along its workflow."""
        document, worker_id = await change(actor, document_id, data.status, data.worker_id, data.comment or None)
        return StatusChanged(document.id, document.status, worker_id)

    @put("/{document_id:int}/hold", opt={**needs(PROCESS, step_up=True), **details(refusals=(409, 410))})
    async def hold(
        self, document_id: values.PathId, data: JSONBody[Hold], actor: FromDishka[Actor], hold: FromDishka[HoldDocument]
    ) -> HoldChanged:
        """Keep a document as evidence past its retention, or let it go again."""
        document = await hold(actor, document_id, data.held, data.reason)
        return HoldChanged(document.id, document.is_held)

    @post(
        "/batch",
        status_code=200,
        opt={**needs(PROCESS, step_up=True), **upload(UPLOAD_CEILING_BYTES), **examples.BATCH},
    )
    async def batch(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        intake: FromDishka[Intake],
        policy: FromDishka[UploadPolicy],
        upload_batch: FromDishka[UploadBatch],
    ) -> BatchTaken:
        """Upload many documents at once, each of a client that it names; a bad one fails alone."""
        bounds = FormBounds(
            policy.size_max, policy.batch_max, policy.batch_size_max, BATCH_LIST_MAX_BYTES, each_for_itself=True
        )
        async with received_form(request, intake, bounds) as form:
            items = batch_items(form, policy.batch_max)
            await claim(form.digest())
            return became(await upload_batch(actor, items))


async def category_id(lists: ReferenceViews, said: str) -> int:
    """Return the id of a category; 0, which none has, where there is no such category."""
    found = await lists.category(category_said(said))
    return 0 if found is None else found.id


def listed(view: DocumentView, day: date) -> FoundDocument:
    """Return a document as the bank's list shows it on that day."""
    one = view.document
    return FoundDocument(
        id=one.id,
        description=one.description,
        category=view.category,
        callcopy_id=one.category_id,
        user_id=one.user_id,
        worker_id=one.worker_id,
        status=one.status,
        upload_date=one.uploaded_at.date(),
        uploaded_at=one.uploaded_at,
        plan_maturity_date=one.plan_maturity_date,
        fact_maturity_date=one.fact_maturity_date,
        overdue=is_overdue(one, day),
        held=one.is_held,
    )


def whole(view: DocumentView, history: Sequence[HistoryEntry], text: str, day: date) -> WholeDocument:
    """Return everything that is known of a document."""
    one = view.document
    return WholeDocument(
        **msgspec.structs.asdict(listed(view, day)),
        file_name=one.file_name,
        media_type=one.media_type,
        size=one.size,
        sha256=one.sha256,
        pages=one.pages,
        actual_date=one.actual_date,
        actual_end_date=one.actual_end_date,
        scan=one.scan,
        overdue_at=one.overdue_at,
        retained_until=one.retained_until,
        file_removed=one.is_file_removed,
        text=text,
        history=[Line(line.status, line.at, line.user_id or line.by, line.comment) for line in history],
        allowed=MOVES.allowed(one.status),
        abs_reference=one.abs_reference,
        abs_sync=one.abs_sync,
        version=one.version,
    )


def batch_items(form: Form, most: int) -> list[BatchItem | DomainError]:
    """Return the documents of a batch with their files, or why one is none; raises where the batch itself is none."""
    try:
        said = msgspec.json.decode(form.fields.get("documents", ""))
    except (msgspec.DecodeError, RecursionError):
        raise ValidationFailed(errors={"documents": ["is a JSON list"]}) from None
    if not isinstance(said, list) or set(form.fields) != {"documents"}:
        raise ValidationFailed(errors={"documents": ["is a JSON list, and the only field beside the files"]})
    if any(one.field != "files" for one in form.files):
        raise MalformedForm("Every file of a batch is in the field files.")
    if len(said) != len(form.files) or not said:
        raise ValidationFailed(errors={"files": [f"are as many as documents: {len(said)}, not {len(form.files)}"]})
    if len(said) > most:
        raise TooManyParts(f"At most {most} documents.")
    items: list[BatchItem | DomainError] = []
    for one, file in zip(said, form.files, strict=True):
        try:
            document = msgspec.convert(one, BatchDocument)
        except msgspec.ValidationError:
            items.append(ValidationFailed(errors=every(BatchDocument, one)))
            continue
        if file.received is None:
            items.append(BlobTooLarge())
        else:
            items.append(BatchItem(document.user_id, document.wish(file.name), file.received))
    return items


def became(results: Sequence[Taken | DomainError]) -> BatchTaken:
    """Return what became of a batch as it stands on the wire."""
    ids = [one.view.document.id for one in results if isinstance(one, Taken)]
    return BatchTaken(len(ids), len(results) - len(ids), ids, [line(index, one) for index, one in enumerate(results)])


def line(index: int, result: Taken | DomainError) -> BatchLine:
    """Return what became of one document."""
    if isinstance(result, Taken):
        return BatchLine(index, "created" if result.is_new else "existing", result.view.document.id)
    errors = getattr(result, "errors", {})
    named = "; ".join(f"{field} {message}" for field, messages in errors.items() for message in messages)
    return BatchLine(index, "failed", code=result.code, detail=named or str(result))
