"""HTTP face of the audit log."""

from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, get
from litestar.params import QueryParameter

from opora.api.pages import Cursors, CursorText, Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.values import QueryText
from opora.core.audit.model import AuditEntry, AuditFilter, Verification
from opora.core.audit.ports import AuditLog
from opora.core.kernel.model import PageRequest

UserId = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1, description="Whose changes.")]
CreatedAfter = Annotated[datetime | None, QueryParameter(description="Made then or later.")]
CreatedBefore = Annotated[datetime | None, QueryParameter(description="Made earlier than that.")]


class AuditController(Controller):
    """What was changed, by whom, and whether the record of it is whole."""

    path = "/audit-log"
    tags = ["Audit"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("audit:read"))
    async def entries(
        self,
        request: Request[Any, Any, Any],
        log: FromDishka[AuditLog],
        cursors: FromDishka[Cursors],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        cursor: CursorText = None,
        user_id: UserId = None,
        action: QueryText = None,
        entity_type: QueryText = None,
        entity_id: QueryText = None,
        created_after: CreatedAfter = None,
        created_before: CreatedBefore = None,
    ) -> Envelope[AuditEntry]:
        """List entries, the newest first, by page; or by cursor, begun with an empty one, at any depth."""
        wanted = AuditFilter(
            user_id=user_id,
            action=action,
            entity_type=entity_type,
            entity_id=entity_id,
            created_after=created_after,
            created_before=created_before,
        )
        if cursor is None:
            return envelope(await log.page(wanted, page_request(limit, page)), request.url)
        place = cursors.request(limit, cursor, request.url) if cursor else PageRequest(limit, cursor="")
        return cursors.envelope(await log.page(wanted, place), request.url)

    @get("/verify", opt=needs("audit:read"))
    async def verify(self, log: FromDishka[AuditLog]) -> Verification:
        """Walk the whole chain and name the first entry that was altered, removed or inserted."""
        return await log.verify()
