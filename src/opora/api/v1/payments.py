"""HTTP face of balances and payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from opora.api.bodies import JSON
from opora.api.calls import CALL
from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Cursors, CursorText, Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import EXEMPT, needs, takes
from opora.api.values import INT64_MAX, LABEL_PATTERN, Currency, PathId, QueryId
from opora.core.billing.errors.payments import NoSuchPayment
from opora.core.billing.model.ledger import Line
from opora.core.billing.model.payments import (
    DESCRIPTION_MAX,
    NOTICE_BYTES_MAX,
    REASON_MAX,
    Payment,
    PaymentFilter,
    PaymentPolicy,
    PaymentStatus,
    Refund,
    RefundStatus,
    WebhookCall,
)
from opora.core.billing.ports.ledger import LedgerViews
from opora.core.billing.ports.payments import PaymentViews
from opora.core.billing.rules import payments as rules
from opora.core.billing.rules.ledger import refuse_currency
from opora.core.billing.usecases.paying import MakePayment, RefundPayment
from opora.core.billing.usecases.settling import ReceiveNotice
from opora.core.kernel.model import Actor, Money
from opora.core.kernel.ports import Clock

AmountAbove = Annotated[int, Meta(ge=1, le=INT64_MAX)]
Description = Annotated[str, Meta(max_length=DESCRIPTION_MAX, pattern=LABEL_PATTERN)]
Note = Annotated[str, Meta(max_length=REASON_MAX, pattern=LABEL_PATTERN)]
ReturnUrl = Annotated[str, Meta(max_length=2000, pattern=r"^(https?://[^\s\"<>\\^`{|}]+)?$(?!\n)")]
QueryCurrency = Annotated[str | None, QueryParameter(pattern="^[A-Z]{3}$", description="An ISO 4217 code.")]
MONEY_OUT = {**needs("billing:write", step_up=True), **details(refusals=(402, 403, 404, 409))}


class NewPayment(Struct, frozen=True, forbid_unknown_fields=True):
    """What to pay in, in minor units; `return_url` is where the provider leads the person afterwards."""

    amount_minor: AmountAbove
    currency: Currency
    description: Description = ""
    return_url: ReturnUrl = ""


class NewRefund(Struct, frozen=True, forbid_unknown_fields=True):
    """How much is to go back, all that is left where no amount is named, and why."""

    amount_minor: AmountAbove | None = None
    reason: Note = ""


class ShownBalance(Struct, frozen=True):
    """What somebody has; `held_minor` of it is set aside."""

    balance_minor: int
    held_minor: int
    available_minor: int
    currency: str


class ShownRefund(Struct, frozen=True):
    """A part of a payment that goes back."""

    id: int
    payment_id: int
    amount_minor: int
    currency: str
    status: RefundStatus
    note: str
    reason: str | None
    created_at: datetime
    changed_at: datetime


class ShownPayment(Struct, frozen=True):
    """A payment; `unknown` is one of which the provider has not told yet whether it has it."""

    id: int
    user_id: int
    status: PaymentStatus
    amount_minor: int
    currency: str
    description: str
    provider: str
    confirmation_url: str | None
    reason: str | None
    refunding_minor: int
    refunded_minor: int
    refundable_minor: int
    created_at: datetime
    settled_at: datetime | None


class PaymentWithRefunds(ShownPayment, frozen=True):
    """A payment with all that went or goes back of it."""

    refunds: Sequence[ShownRefund] = ()


class TakenNotice(Struct, frozen=True):
    """That a notice is kept; `duplicate` tells that it was already."""

    event_id: str
    duplicate: bool


@dataclass
class NoticeOperation(Operation):
    """Describes a notice, which its handler reads itself because its bytes are what was signed."""

    def __post_init__(self) -> None:
        about = Schema(type=OpenAPIType.OBJECT, properties={"payment_id": Schema(type=OpenAPIType.INTEGER)})
        properties: dict[str, Any] = {"type": Schema(type=OpenAPIType.STRING), "data": about}
        body = Schema(type=OpenAPIType.OBJECT, properties=properties, required=["type", "data"])
        self.request_body = RequestBody({"application/json": OpenAPIMediaType(body)}, required=True)


class BalanceController(Controller):
    """One's balance and what moved it."""

    path = "/balance"
    tags = ["Payments"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt={**needs("billing:read"), **details(refusals=(403, 422))})
    async def balance(
        self,
        actor: FromDishka[Actor],
        views: FromDishka[LedgerViews],
        policy: FromDishka[PaymentPolicy],
        currency: QueryCurrency = None,
    ) -> ShownBalance:
        """Read one's balance, in the common currency unless another is named."""
        wanted = currency or policy.currency
        refuse_currency(wanted)
        found = await views.balance(rules.payer(actor), wanted)
        return ShownBalance(found.balance_minor, found.held_minor, found.available_minor, found.currency)

    @get("/history", opt={**needs("billing:read"), **details(refusals=(403, 422))})
    async def history(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[LedgerViews],
        cursors: FromDishka[Cursors],
        limit: PageLimit = 50,
        cursor: CursorText = None,
        currency: QueryCurrency = None,
    ) -> Envelope[Line]:
        """List what moved one's balance, the newest first."""
        wanted = cursors.request(limit, cursor, request.url)
        return cursors.envelope(await views.history(rules.payer(actor), currency, wanted), request.url)


class PaymentController(Controller):
    """Payments: one's own, or with billing:manage everyone's."""

    path = "/payments"
    tags = ["Payments"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("billing:read"))
    async def page(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[PaymentViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        status: Annotated[PaymentStatus | None, QueryParameter()] = None,
        user_id: QueryId = None,
    ) -> Envelope[ShownPayment]:
        """List payments, the newest first."""
        wanted = PaymentFilter(status, user_id)
        found = await views.page(rules.reach(actor), wanted, page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @post(opt={**needs("billing:write"), **details(refusals=(403, 409, 422))})
    async def pay(
        self, data: JSONBody[NewPayment], actor: FromDishka[Actor], pay: FromDishka[MakePayment]
    ) -> Response[ShownPayment]:
        """Begin a payment; the person confirms it at `confirmation_url`, and then it is in the balance."""
        amount = Money(data.amount_minor, data.currency)
        begun = await pay(actor, amount, data.description, data.return_url)
        return made(shown(begun), f"/payments/{begun.id}")

    @get("/{payment_id:int}", opt=needs("billing:read"))
    async def one(
        self, payment_id: PathId, actor: FromDishka[Actor], views: FromDishka[PaymentViews]
    ) -> PaymentWithRefunds:
        """Read a payment with its refunds."""
        found = await views.one(payment_id, rules.reach(actor))
        if found is None:
            raise NoSuchPayment(payment_id=payment_id)
        refunds = [shown_refund(one) for one in await views.refunds(payment_id)]
        return PaymentWithRefunds(**fields_of(found), refunds=refunds)

    @post("/{payment_id:int}/refund", opt=MONEY_OUT)
    async def refund(
        self,
        payment_id: PathId,
        actor: FromDishka[Actor],
        refund: FromDishka[RefundPayment],
        data: JSONBody[NewRefund | None] = None,
    ) -> Response[ShownRefund]:
        """Give a payment back, in part or whole, to where it came from; it leaves the balance."""
        wanted = data or NewRefund()
        begun = await refund(actor, payment_id, wanted.amount_minor, wanted.reason)
        return made(shown_refund(begun), f"/payments/{payment_id}")

    @post(
        "/webhook",
        status_code=200,
        opt={
            **EXEMPT,
            **takes(JSON),
            "body_max_bytes": NOTICE_BYTES_MAX,
            **details(refusals=(400, 401, 413, 415, 422, 503)),
        },
        operation_class=NoticeOperation,
    )
    async def webhook(
        self, request: Request[Any, Any, Any], receive: FromDishka[ReceiveNotice], clock: FromDishka[Clock]
    ) -> TakenNotice:
        """Take a notice of the payment provider, in its own form; it is kept before this answers."""
        call = CALL.get()
        heard, is_new = await receive(
            WebhookCall(
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.body(),
                address="" if call is None else call.origin().address,
                at=clock.now(),
            )
        )
        return TakenNotice(heard.event_id, not is_new)


def fields_of(one: Payment) -> dict[str, Any]:
    """Return the fields of a payment as they stand on the wire."""
    return {name: getattr(one, name) for name in ShownPayment.__struct_fields__}


def shown(one: Payment) -> ShownPayment:
    """Return a payment as it stands on the wire."""
    return ShownPayment(**fields_of(one))


def shown_refund(one: Refund) -> ShownRefund:
    """Return a refund as it stands on the wire."""
    return ShownRefund(**{name: getattr(one, name) for name in ShownRefund.__struct_fields__})
