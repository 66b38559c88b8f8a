"""HTTP face of the telephone: signed events in, a pop-up out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, get, post
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import PathParameter
from msgspec import Meta, Struct

from opora.api.bodies import JSON
from opora.api.calls import CALL
from opora.api.decoding import Shape
from opora.api.details import details
from opora.api.loose import refuse_unsound
from opora.api.policy import EXEMPT, needs, takes
from opora.api.v1.bulk_numbers import Spelling
from opora.api.v1.numbers import ShownNumber, wire
from opora.api.values import LABEL_PATTERN, RecordId, Timestamp
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock
from opora.core.kernel.rules import is_signed_plainly, is_signed_webhook
from opora.core.numbers.errors.calls import InvalidCallEvent, UnsignedWebhook
from opora.core.numbers.model.calls import ID_MAX, Call, CallEvent, CallEventType, CallResult, SoftphoneKey
from opora.core.numbers.model.numbers import Cause, NumberStatus
from opora.core.numbers.rules.phones import PhonePolicy, normalised_field, written
from opora.core.numbers.usecases.calls import Caller, LookUpCaller, ReceiveCallEvent

EVENT_BYTES_MAX = 64 * 1024
Identifier = Annotated[str, Meta(min_length=1, max_length=ID_MAX, pattern=LABEL_PATTERN)]
CauseWord = Annotated[str, Meta(max_length=64, pattern=LABEL_PATTERN)]
SpelledInPath = Annotated[str, PathParameter(max_length=64, description="The number in any spelling.")]


class EventBody(Struct, frozen=True):
    """What happened to a call; fields that are not known here are passed over, for telephones differ.

    `data` is kept with the result. A `cause` that is not known here counts as none.
    """

    event_id: Identifier
    type: CallEventType
    phone_number: Spelling
    occurred_at: Timestamp
    call_id: Identifier
    project_id: RecordId | None = None
    result: CallResult | None = None
    cause: CauseWord | None = None
    data: dict[str, Any] | None = None


class Taken(Struct, frozen=True):
    """That an event is kept; `duplicate` tells that it was already."""

    event_id: str
    duplicate: bool


class ShownCall(Struct, frozen=True):
    """A call, as far as the telephone has told of it."""

    call_id: str
    project_id: int | None
    started_at: datetime | None
    ended_at: datetime | None
    result: CallResult | None
    cause: Cause | None


class MatchedProject(Struct, frozen=True):
    """The campaign that a number is in."""

    id: int
    name: str


class Match(Struct, frozen=True):
    """A number in one campaign."""

    number: ShownNumber
    project: MatchedProject | None


class PopUp(Struct, frozen=True):
    """Who calls: the campaign that called the number last, every other it is in, and its last calls."""

    phone_number: str
    number: ShownNumber
    project: MatchedProject | None
    status: NumberStatus
    attempts: int
    last_calls: Sequence[ShownCall]
    matches: Sequence[Match]


EVENT = Shape(EventBody, None)


@dataclass
class WebhookOperation(Operation):
    """Describes an event, which its handler reads itself because its bytes are what was signed."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        properties: dict[str, Any] = {
            "event_id": text,
            "type": Schema(type=OpenAPIType.STRING, enum=[str(one) for one in CallEventType]),
            "phone_number": text,
            "occurred_at": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME),
            "call_id": text,
            "project_id": Schema(type=OpenAPIType.INTEGER),
            "result": Schema(type=OpenAPIType.STRING, enum=[str(one) for one in CallResult]),
            "cause": text,
            "data": Schema(type=OpenAPIType.OBJECT),
        }
        required = ["event_id", "type", "phone_number", "occurred_at", "call_id"]
        body = Schema(type=OpenAPIType.OBJECT, properties=properties, required=required)
        self.request_body = RequestBody({"application/json": OpenAPIMediaType(body)}, required=True)


class SoftphoneController(Controller):
    """What telephones tell, and what they are told."""

    path = "/softphone"
    tags = ["Softphone"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        "/webhook",
        status_code=200,
        opt={
            **EXEMPT,
            **takes(JSON),
            "body_max_bytes": EVENT_BYTES_MAX,
            **details(refusals=(400, 401, 413, 415, 422, 503)),
        },
        operation_class=WebhookOperation,
    )
    async def receive(
        self,
        request: Request[Any, Any, Any],
        receive: FromDishka[ReceiveCallEvent],
        key: FromDishka[SoftphoneKey],
        clock: FromDishka[Clock],
        policy: FromDishka[PhonePolicy],
    ) -> Taken:
        """Take an event of a call, signed; it is kept before this answers, and a repeat changes nothing."""
        body = await request.body()
        refuse_unsigned(key.key, request.headers, body, clock.now())
        event = event_of(EVENT.decode(body), policy.region)
        is_new = await receive(telephone(), event)
        return Taken(event.event_id, not is_new)

    @get("/number/{phone:str}", opt=needs("softphone:read"))
    async def pop_up(self, phone: SpelledInPath, actor: FromDishka[Actor], look_up: FromDishka[LookUpCaller]) -> PopUp:
        """Tell who calls: the number in the campaigns of the caller, and its last calls."""
        return popped(await look_up(actor, phone))


def refuse_unsigned(key: bytes, headers: Any, body: bytes, now: datetime) -> None:
    """Raise UnsignedWebhook unless the bytes are signed, by Standard Webhooks or plainly, and are of now."""
    now_s = now.timestamp()
    standard = tuple(headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if is_signed_webhook(key, (standard[0], standard[1], standard[2]), body, now_s):
        return
    plain = (headers.get("x-softphone-timestamp", ""), headers.get("x-softphone-signature", ""))
    if not is_signed_plainly(key, *plain, body, now_s):
        raise UnsignedWebhook


def event_of(body: EventBody, region: str) -> CallEvent:
    """Return an event as the core takes it; raises InvalidCallEvent for a result without its word, InvalidPhone.

    Raises ValidationFailed for texts in its data that nothing can bear.
    """
    refuse_unsound("data", body.data)
    if body.type is CallEventType.RESULT and body.result is None:
        raise InvalidCallEvent(errors={"result": [f"is one of {', '.join(CallResult)}"]})
    is_result = body.type is CallEventType.RESULT
    return CallEvent(
        event_id=body.event_id,
        call_id=body.call_id,
        type=body.type,
        phone=normalised_field("phone_number", body.phone_number, region),
        occurred_at=body.occurred_at,
        project_id=body.project_id,
        result=body.result if is_result else None,
        cause=Cause(body.cause) if is_result and body.cause in tuple(Cause) else None,
        data=body.data if is_result else None,
    )


def telephone() -> Actor:
    """Return who an event comes from: nobody known but by the signature."""
    call = CALL.get()
    return Actor(roles=frozenset({"softphone"}), origin=Origin() if call is None else call.origin())


def popped(found: Caller) -> PopUp:
    """Return who calls as it stands on the wire."""
    matches = [
        Match(ShownNumber(*wire(number)), MatchedProject(project.id, project.name) if project.id else None)
        for number, project in found.matches
    ]
    first = matches[0]
    return PopUp(
        written(found.phone),
        first.number,
        first.project,
        first.number.status,
        first.number.attempts,
        [shown_call(one) for one in found.last_calls],
        matches,
    )


def shown_call(call: Call) -> ShownCall:
    """Return a call as it stands on the wire."""
    return ShownCall(call.call_id, call.project_id or None, call.started_at, call.ended_at, call.result, call.cause)
