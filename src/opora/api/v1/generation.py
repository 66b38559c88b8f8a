"""HTTP face of texts: asked for and waited for, taken on, streamed, fetched, cancelled."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from opora.api import values
from opora.api.details import LINES, details
from opora.api.http import PREFIX
from opora.api.locations import made
from opora.api.loose import refuse_unsound
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.prefer import Preference, preference
from opora.api.problems import problem
from opora.api.streams import EVENT_STREAM, QUIET, RETRY_MS, event, streamed
from opora.core.generation.errors import EngineRefused, EngineUnavailable, TextCancelled
from opora.core.generation.model.engines import Finish, Usage
from opora.core.generation.model.texts import Mode, Place, Status, Text, TextPolicy
from opora.core.generation.ports.texts import TextViews
from opora.core.generation.rules import asking, reading
from opora.core.generation.rules.asking import Order, reach
from opora.core.generation.rules.reading import End, More, Reset, Step
from opora.core.generation.usecases.asking import AskForText, FollowText
from opora.core.generation.usecases.writing import CancelText
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import Actor

OK, ACCEPTED = 200, 202
TOKENS = {"minimum": 1, "maximum": 32_768}
STREAMED = details(media={EVENT_STREAM: LINES}, refusals=(402, 404))


class NewText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text as it is asked for: by the name of a prompt and its topic, or by a prompt's id and its variables."""

    function: values.Word | None = None
    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000, pattern=values.TEXT_PATTERN)] | None = None
    prompt_id: values.RecordId | None = None
    prompt_version: values.Positive | None = None
    variables: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    mode: Mode = Mode.AUTO
    max_tokens: Annotated[int, msgspec.Meta(extra_json_schema=TOKENS)] | None = None
    model: values.Label | None = None


class ShownUsage(msgspec.Struct, frozen=True):
    """Tokens read and written; `estimated` where the engine did not count them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool


class WrittenText(msgspec.Struct, frozen=True):
    """A text that was waited for."""

    task_id: UUID
    text: str
    usage: ShownUsage
    model: str | None
    cached: bool
    finish_reason: Finish | None


class TakenText(msgspec.Struct, frozen=True):
    """A text that was taken on: it is fetched, or followed, at these addresses."""

    task_id: UUID
    status_url: str
    stream_url: str
    status: Status


class TextFault(msgspec.Struct, frozen=True):
    """Why there is no text."""

    code: str
    detail: str


class ShownText(msgspec.Struct, frozen=True):
    """A generation; `attempts` counts calls of engines, `text` of a cancelled one is what had been written."""

    task_id: UUID
    status: Status
    function: str
    mode: Mode
    text: str | None
    usage: ShownUsage | None
    model: str | None
    engine: str | None
    cached: bool
    finish_reason: Finish | None
    attempts: int
    error: TextFault | None
    prompt_id: int | None
    prompt_version: int | None
    requested_at: datetime
    completed_at: datetime | None
    stream_url: str


class GenerationController(Controller):
    """Texts of the caller."""

    path = "/generate"
    tags = ["Generation"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        status_code=OK,
        opt={**needs("generate:write"), **STREAMED},
        responses={
            200: ResponseSpec(data_container=WrittenText, description="The text.", generate_examples=False),
            202: ResponseSpec(data_container=TakenText, description="Taken on.", generate_examples=False),
        },
    )
    async def ask(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewText],
        actor: FromDishka[Actor],
        ask_for: FromDishka[AskForText],
        follow: FromDishka[FollowText],
        policy: FromDishka[TextPolicy],
    ) -> Response[WrittenText | TakenText] | Stream:
        """Ask for a text: 200 with it, 202 with where to fetch it, or a stream of events.

        `Cache-Control: no-cache` asks for a new text where an equal one was written lately. `Prefer: respond-async`
        takes a text of mode `auto` on at once, `Prefer: wait=10` waits ten seconds, also beside the other
        (RFC 7240, section 4.3).
        """
        wanted = preference(request.headers.get("prefer"))
        mode = preferred(data.mode, wanted)
        text = await ask_for(actor, order_of(data, mode, is_fresh(request)))
        if text.mode is Mode.STREAM:
            return streamed(request, story(follow, text, actor, Place()))
        if text.mode is Mode.SYNC:
            text = await follow.settled(text.id, reach(actor), asking.wait_s(wanted.wait_s, policy))
        if text.status is Status.COMPLETED:
            return Response(written(text), status_code=OK)
        refuse_ended(text)
        return taken_on(text)

    @get(opt=needs("generate:read"))
    async def texts(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        views: FromDishka[TextViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownText]:
        """List texts, the newest first."""
        found = await views.page(reach(actor), page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @get("/{task_id:uuid}", opt=needs("generate:read"))
    async def text(
        self, task_id: FromPath[UUID], actor: FromDishka[Actor], follow: FromDishka[FollowText]
    ) -> Response[ShownText]:
        """Read one text, however far it is."""
        text = await follow.one(task_id, reach(actor))
        headers = {} if reading.is_over(text) else {"retry-after": "1"}
        return Response(shown(text), headers=headers)

    @get("/{task_id:uuid}/stream", opt={**needs("generate:read"), **STREAMED}, media_type=EVENT_STREAM)
    async def stream(
        self,
        request: Request[Any, Any, Any],
        task_id: FromPath[UUID],
        actor: FromDishka[Actor],
        follow: FromDishka[FollowText],
    ) -> Stream:
        """Follow a text from its beginning, or from `Last-Event-ID` on, until it ends."""
        text = await follow.one(task_id, reach(actor))
        place = reading.place_of(request.headers.get("last-event-id"))
        return streamed(request, story(follow, text, actor, place))

    @delete("/{task_id:uuid}", status_code=OK, opt=needs("generate:write"))
    async def cancel(
        self, task_id: FromPath[UUID], actor: FromDishka[Actor], cancel_text: FromDishka[CancelText]
    ) -> ShownText:
        """Cancel a text; the engine is hung up on, and what had been written is charged."""
        return shown(await cancel_text(actor, task_id))


def is_fresh(request: Request[Any, Any, Any]) -> bool:
    """Tell whether the caller refuses an answer that was given before."""
    sent = request.headers.get("cache-control", "").lower()
    return "no-cache" in sent or "no-store" in sent


def preferred(mode: Mode, wanted: Preference) -> Mode:
    """Return how a text is served: what is preferred decides where the body leaves it open.

    `wait` goes before `respond-async`: both together mean an answer that may be late, but not before that time.
    """
    if mode is not Mode.AUTO:
        return mode
    if wanted.wait_s is not None:
        return Mode.SYNC
    return Mode.ASYNC if wanted.is_async else mode


def order_of(data: NewText, mode: Mode, fresh: bool) -> Order:
    """Return what was asked for; raises ValidationFailed for values that nothing can bear."""
    refuse_unsound("variables", data.variables)
    return Order(
        function=data.function,
        prompt_id=data.prompt_id,
        prompt_version=data.prompt_version,
        topic=data.topic,
        variables=data.variables,
        mode=mode,
        max_tokens=data.max_tokens,
        model=data.model,
        fresh=fresh,
    )


def refuse_ended(text: Text) -> None:
    """Raise what a text ended with, if it ended badly."""
    error = fault(text)
    if error is not None:
        raise error


def fault(text: Text) -> DomainError | None:
    """Return what a text that ended badly is refused with."""
    if text.status is Status.CANCELLED:
        return TextCancelled(task_id=str(text.id))
    if text.status is not Status.FAILED:
        return None
    if text.error == EngineRefused.code:
        return EngineRefused(text.error_detail or "", task_id=str(text.id))
    return EngineUnavailable(text.error_detail or "", retry_after_s=30, task_id=str(text.id))


async def story(follow: FollowText, text: Text, actor: Actor, place: Place) -> AsyncIterator[str]:
    """Yield a text as events: `task`, words with their places, `reset`, and `done` or `error` as the last."""
    yield f"retry: {RETRY_MS}\n" + event(taken(text), "task")
    try:
        async with aclosing(follow.steps(text.id, reach(actor), place)) as steps:
            async for step in steps:
                yield QUIET if step is None else told(step)
    except Exception as error:  # the status has left: what goes wrong is said in band
        yield event(fault_of(error), "error")


def told(step: Step) -> str:
    """Return one step as an event."""
    if isinstance(step, More):
        return event({"text": step.text}, "delta", f"{step.place.attempt}.{step.place.offset}")
    if isinstance(step, Reset):
        return event({"attempt": step.place.attempt}, "reset", f"{step.place.attempt}.{step.place.offset}")
    return ended(step)


def ended(step: End) -> str:
    """Return the last event."""
    error = fault(step.text)
    if error is not None:
        return event(fault_of(error), "error")
    place = f"{step.text.attempts}.{len(step.text.content or '')}"
    return event(written(step.text), "done", place)


def fault_of(error: Exception) -> dict[str, object]:
    """Return a refusal as an event tells it: a problem without its address."""
    found = problem(error)
    document = {"code": found.code, "title": found.title, "detail": found.detail, "status": found.status}
    return {**found.members, **document}


def taken_on(text: Text) -> Response[WrittenText | TakenText]:
    """Return the answer to a text that is not there yet."""
    answer: Response[WrittenText | TakenText] = made(taken(text), f"/generate/{text.id}", status_code=ACCEPTED)
    answer.headers["retry-after"] = "1"
    return answer


def taken(text: Text) -> TakenText:
    """Return where a text is fetched."""
    url = f"{PREFIX}/generate/{text.id}"
    return TakenText(text.id, url, f"{url}/stream", text.status)


def used(usage: Usage | None) -> ShownUsage:
    """Return tokens as they stand on the wire."""
    told = usage or Usage()
    return ShownUsage(told.prompt_tokens, told.completion_tokens, told.total_tokens, told.is_estimated)


def written(text: Text) -> WrittenText:
    """Return a text that is there."""
    return WrittenText(text.id, text.content or "", used(text.usage), text.model, text.is_cached, text.finish)


def shown(text: Text) -> ShownText:
    """Return a generation as it stands on the wire."""
    return ShownText(
        task_id=text.id,
        status=text.status,
        function=text.function,
        mode=text.mode,
        text=text.content,
        usage=None if text.usage is None else used(text.usage),
        model=text.model,
        engine=text.engine,
        cached=text.is_cached,
        finish_reason=text.finish,
        attempts=text.attempts,
        error=None if text.error is None else TextFault(text.error, text.error_detail or ""),
        prompt_id=text.prompt_id,
        prompt_version=text.prompt_version,
        requested_at=text.requested_at,
        completed_at=text.ended_at,
        stream_url=f"{PREFIX}/generate/{text.id}/stream",
    )
