"""HTTP face of documents for the clients whose they are: the bank's remote service (DBO)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter

from opora.api import values
from opora.api.details import BINARY, details
from opora.api.downloads import StoredFile, file_answer
from opora.api.forms import UPLOAD_CEILING_BYTES, FormBounds, received_form
from opora.api.http import PREFIX
from opora.api.idempotency import claim
from opora.api.locations import made
from opora.api.pages import PageLimit, PageNumber, envelope, page_request
from opora.api.policy import PUBLIC, needs, upload
from opora.api.v1 import document_examples as examples
from opora.core.documents.errors import NoSuchClient, NoSuchDocument
from opora.core.documents.model.documents import (
    SUFFIXES,
    Document,
    DocumentFilter,
    DocumentView,
    MediaType,
    Reach,
)
from opora.core.documents.model.files import DocumentWish
from opora.core.documents.model.links import DownloadLink
from opora.core.documents.model.policies import UploadPolicy
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.documents import DocumentViews
from opora.core.documents.ports.files import Intake
from opora.core.documents.ports.reference import ClientViews
from opora.core.documents.rules.links import seconds
from opora.core.documents.rules.uploads import person, reach
from opora.core.documents.usecases.uploads import UploadDocument
from opora.core.documents.usecases.work import DeleteDocument, DescribeDocument, DownloadDocument, OfferLink
from opora.core.kernel.model import Actor

FILE = details(media=dict.fromkeys(map(str, MediaType), BINARY), is_file=True, refusals=(404, 409, 410, 412, 416))
Description = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, pattern=values.TEXT_PATTERN)]


class DocumentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of an upload beside its file: `category` is a name, a code or an id, `callcopy_id` an id."""

    description: Description
    category: values.Label | None = None
    callcopy_id: values.RecordId | None = None
    actual_date: date | None = None
    actual_end_date: date | None = None

    def wish(self, file_name: str) -> DocumentWish:
        """Return what the document is to be."""
        return DocumentWish(
            description=self.description,
            category=self.callcopy_id or category_said(self.category),
            file_name=file_name,
            actual_date=self.actual_date,
            actual_end_date=self.actual_end_date,
        )


class NewDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document is from now on."""

    description: Description


class ShownDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document as its owner sees it."""

    id: int
    description: str
    category: str
    callcopy_id: int
    status: DocumentStatus
    upload_date: date
    uploaded_at: datetime
    file_name: str
    media_type: MediaType
    size: int
    sha256: str
    pages: int | None
    actual_date: date | None
    actual_end_date: date | None
    plan_maturity_date: date
    fact_maturity_date: date | None


class ListedDocument(msgspec.Struct, frozen=True):
    """A document in a client's list."""

    id: int
    description: str
    category: str
    upload_date: date
    status: DocumentStatus


class ClientsDocuments(msgspec.Struct, frozen=True):
    """A page of a client's documents."""

    documents: Sequence[ListedDocument]
    count: int
    count_exact: bool
    next: str | None
    previous: str | None


class DescriptionChanged(msgspec.Struct, frozen=True):
    """What was changed of a document."""

    document_id: int
    updated_field: str
    new_value: str


class Deleted(msgspec.Struct, frozen=True):
    """That a document was deleted."""

    message: str


class LinkWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a link is to hold; as long as the bank set where it is not said."""

    expires_in_seconds: values.Positive | None = None


class ShownLink(msgspec.Struct, frozen=True):
    """A link that needs no credentials, and when its time is over."""

    url: str
    expires_at: datetime


LinkExpires = Annotated[int, QueryParameter(ge=0, le=values.INT64_MAX, description="When its time is over.")]
LinkSignature = Annotated[str, QueryParameter(min_length=64, max_length=64, description="As it was given out.")]


class DocumentController(Controller):
    """Documents of the caller; workers of the bank see everyone's."""

    path = "/dbo"
    tags = ["Documents: clients (DBO)"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        "/documents",
        opt={**needs("documents:write"), **upload(UPLOAD_CEILING_BYTES), **examples.UPLOAD},
        status_code=201,
    )
    async def send_in(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        intake: FromDishka[Intake],
        policy: FromDishka[UploadPolicy],
        upload_document: FromDishka[UploadDocument],
    ) -> Response[ShownDocument]:
        """Upload a document. The same bytes again in the same category answer 200 with the one that is there."""
        user_id = person(actor)
        async with received_form(request, intake, FormBounds(policy.size_max)) as form:
            name, received, fields = form.with_file(DocumentForm)
            wish = fields.wish(name)
            await claim(form.digest())
            taken = await upload_document(actor, user_id, wish, received)
        place = f"/dbo/documents/{taken.view.document.id}"
        return made(shown(taken.view), place, status_code=201 if taken.is_new else 200)

    @get("/users/{user_id:int}/documents", opt={**needs("documents:read"), **examples.CLIENTS_DOCUMENTS})
    async def clients_documents(
        self,
        request: Request[Any, Any, Any],
        user_id: values.PathId,
        actor: FromDishka[Actor],
        views: FromDishka[DocumentViews],
        clients: FromDishka[ClientViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> ClientsDocuments:
        """List a client's documents, the newest first."""
        if await clients.one(user_id, reach(actor)) is None:
            raise NoSuchClient(user_id=user_id)
        found = await views.page(Reach(user_id), DocumentFilter(), page_request(limit, page))
        shell = envelope(found.shown_as(listed), request.url)
        return ClientsDocuments(shell.results, shell.count, shell.count_exact, shell.next, shell.previous)

    @get("/documents/{document_id:int}", opt=needs("documents:read"))
    async def document(
        self, document_id: values.PathId, actor: FromDishka[Actor], views: FromDishka[DocumentViews]
    ) -> ShownDocument:
        """Read one document."""
        view = await views.one(document_id, reach(actor))
        if view is None:
            raise NoSuchDocument(document_id=document_id)
        return shown(view)

    @patch("/documents/{document_id:int}", opt={**needs("documents:write"), **examples.DESCRIBE})
    async def describe(
        self,
        document_id: values.PathId,
        data: JSONBody[NewDescription],
        actor: FromDishka[Actor],
        describe: FromDishka[DescribeDocument],
    ) -> DescriptionChanged:
        """Say anew what a document is."""
        document = await describe(actor, document_id, data.description)
        return DescriptionChanged(document.id, "description", document.description)

    @delete("/documents/{document_id:int}", status_code=200, opt={**needs("documents:write"), **examples.DELETE})
    async def remove(
        self, document_id: values.PathId, actor: FromDishka[Actor], delete: FromDishka[DeleteDocument]
    ) -> Deleted:
        """Delete a document that the bank has not begun to work on, has rejected, or wants more of."""
        await delete(actor, document_id)
        return Deleted(f"Document {document_id} deleted successfully")

    @get("/documents/{document_id:int}/download", opt={**needs("documents:read"), **FILE, "waits": True})
    async def download(
        self,
        request: Request[Any, Any, Any],
        document_id: values.PathId,
        actor: FromDishka[Actor],
        download: FromDishka[DownloadDocument],
    ) -> Response[Any]:
        """Download a document's file, whole or a range of it."""
        document = await download.find(actor, document_id)
        return await file_answer(request, stored_file(document), partial(download.read, document))

    @post("/documents/{document_id:int}/download-link", opt={**needs("documents:read"), **details(refusals=(409, 410))})
    async def offer_link(
        self,
        document_id: values.PathId,
        actor: FromDishka[Actor],
        offer: FromDishka[OfferLink],
        data: JSONBody[LinkWish | None] = None,
    ) -> Response[ShownLink]:
        """Make a link that lets whoever holds it download the file for a while."""
        asked = None if data is None else data.expires_in_seconds
        link = await offer(actor, document_id, None if asked is None else timedelta(seconds=asked))
        return Response(ShownLink(address(link), link.expires_at), status_code=201, headers={"location": address(link)})

    @get("/documents/{document_id:int}/file", opt={**PUBLIC, **FILE})
    async def follow_link(
        self,
        request: Request[Any, Any, Any],
        document_id: values.PathId,
        download: FromDishka[DownloadDocument],
        expires: LinkExpires,
        signature: LinkSignature,
    ) -> Response[Any]:
        """Download a document's file by a link."""
        document = await download.follow(document_id, expires, signature)
        return await file_answer(request, stored_file(document), partial(download.read, document))


def category_said(said: str | None) -> str | int:
    """Return the category as the core is told it: a number is an id."""
    if said is None:
        return ""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else said  # noqa: PLR2004


def shown(view: DocumentView) -> ShownDocument:
    """Return a document as it stands on the wire."""
    one = view.document
    return ShownDocument(
        id=one.id,
        description=one.description,
        category=view.category,
        callcopy_id=one.category_id,
        status=one.status,
        upload_date=one.uploaded_at.date(),
        uploaded_at=one.uploaded_at,
        file_name=one.file_name,
        media_type=one.media_type,
        size=one.size,
        sha256=one.sha256,
        pages=one.pages,
        actual_date=one.actual_date,
        actual_end_date=one.actual_end_date,
        plan_maturity_date=one.plan_maturity_date,
        fact_maturity_date=one.fact_maturity_date,
    )


def listed(view: DocumentView) -> ListedDocument:
    """Return a document as a client's list shows it."""
    one = view.document
    return ListedDocument(one.id, one.description, view.category, one.uploaded_at.date(), one.status)


def stored_file(document: Document) -> StoredFile:
    """Return what the answer says of a document's file; its name ends as its content says."""
    suffix = SUFFIXES[document.media_type]
    name = document.file_name
    if not name.casefold().endswith((f".{suffix}", ".jpeg" if suffix == "jpg" else f".{suffix}")):
        name = f"{name}.{suffix}"
    return StoredFile(name, document.media_type, document.size, document.sha256, document.uploaded_at)


def address(link: DownloadLink) -> str:
    """Return where a link leads."""
    query = urlencode({"expires": seconds(link.expires_at), "signature": link.signature})
    return f"{PREFIX}/dbo/documents/{link.document_id}/file?{query}"
