"""HTTP face for clients written for OpenAI's API: chat completions, whole or streamed, and the list of models."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from opora.api import openai, values
from opora.api.details import LINES, details
from opora.api.loose import refuse_unsound
from opora.api.policy import needs
from opora.api.problems import problem
from opora.api.streams import EVENT_STREAM, QUIET, event, streamed
from opora.api.v1.generation import fault
from opora.core.generation.errors import EngineUnavailable, InvalidRequest, NoSuchModel
from opora.core.generation.model.engines import Finish, Message, Speaker, Usage, Wish
from opora.core.generation.model.texts import ENDED, Mode, Place, Status, Text, TextPolicy
from opora.core.generation.ports.engines import TextEngines
from opora.core.generation.rules.asking import reach
from opora.core.generation.rules.reading import End, More, Reset
from opora.core.generation.usecases.asking import AskForText, FollowText
from opora.core.generation.usecases.writing import CancelText
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import Actor

DONE = "data: [DONE]\n\n"
MAX_TOKENS = 1024
ONE_CHOICE = 1
OPT = {"refused_as": openai.refused}


class TextPart(msgspec.Struct, frozen=True):
    """A part of a message; text alone is taken."""

    type: Literal["text"]
    text: values.Text


class ChatMessage(msgspec.Struct, frozen=True):
    """One message; `developer` is read as `system`."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]


class StreamOptions(msgspec.Struct, frozen=True):
    """What a stream tells besides words."""

    include_usage: bool = False


class TextFormat(msgspec.Struct, frozen=True):
    """The form of the answer; plain text alone is given."""

    type: Literal["text"] = "text"


class NewCompletion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chat completion as OpenAI's API asks for it. What would change the answer and is not there is refused."""

    messages: list[ChatMessage]
    model: values.Label | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: Annotated[int, msgspec.Meta(ge=-(2**63 - 1), le=2**63 - 1)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] = 1
    user: values.Label | None = None
    response_format: TextFormat | None = None
    presence_penalty: Literal[0] | None = None
    frequency_penalty: Literal[0] | None = None
    logprobs: Literal[False] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    safety_identifier: values.Label | None = None


class AnswerMessage(msgspec.Struct, frozen=True):
    """What was said."""

    content: str
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class Choice(msgspec.Struct, frozen=True):
    """The one answer."""

    message: AnswerMessage
    finish_reason: Finish
    index: int = 0
    logprobs: None = None


class CompletionUsage(msgspec.Struct, frozen=True):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(msgspec.Struct, frozen=True):
    """A whole completion."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    object: Literal["chat.completion"] = "chat.completion"


class Model(msgspec.Struct, frozen=True):
    """A model that can be asked for, and the engine that has it."""

    id: str
    owned_by: str
    created: int = 0
    object: Literal["model"] = "model"


class Models(msgspec.Struct, frozen=True):
    """Every model."""

    data: Sequence[Model]
    object: Literal["list"] = "list"


class ChatController(Controller):
    """Conversations, for clients written for OpenAI's API."""

    path = "/chat/completions"
    tags = ["OpenAI-compatible"]  # noqa: RUF012  # Litestar reads a plain list

    @post(
        status_code=200,
        opt={**needs("generate:write"), **OPT, **details(media={EVENT_STREAM: LINES}, refusals=(402, 404))},
    )
    async def complete(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewCompletion],
        actor: FromDishka[Actor],
        ask_for: FromDishka[AskForText],
        follow: FromDishka[FollowText],
        cancel: FromDishka[CancelText],
        policy: FromDishka[TextPolicy],
    ) -> Completion | Stream:
        """Complete a conversation; `stream` gives it in chunks that end in `[DONE]`."""
        mode = Mode.STREAM if data.stream else Mode.SYNC
        text = await ask_for.chat(actor, wish_of(data), mode)
        if data.stream:
            usage = data.stream_options is not None and data.stream_options.include_usage
            return streamed(request, chunks(follow, cancel, text, actor, usage))
        text = await settled(follow, cancel, text, actor, policy)
        return Completion(
            id=name_of(text),
            created=created(text),
            model=model_of(text),
            choices=[Choice(AnswerMessage(text.content or ""), text.finish or Finish.STOP)],
            usage=used(text.usage),
        )


class ModelController(Controller):
    """Models, for clients written for OpenAI's API."""

    path = "/models"
    tags = ["OpenAI-compatible"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt={**needs("generate:read"), **OPT})
    async def models(self, engines: FromDishka[TextEngines]) -> Models:
        """List the models of every engine that answers, the default first."""
        return Models([Model(name, engine) for name, engine in await engines.models()])

    @get("/{model:path}", opt={**needs("generate:read"), **OPT})
    async def model(self, model: FromPath[str], engines: FromDishka[TextEngines]) -> Model:
        """Read one model."""
        wanted = model.removeprefix("/")
        for name, engine in await engines.models():
            if name == wanted:
                return Model(name, engine)
        raise NoSuchModel(model=wanted[:100])


def wish_of(data: NewCompletion) -> Wish:
    """Return what is asked for; raises InvalidRequest, or ValidationFailed for words that nothing can bear."""
    for place, one in enumerate(data.messages):
        refuse_unsound(f"messages.{place}.content", one.content if isinstance(one.content, str) else None)
    refuse_unsound("stop", data.stop)
    if data.max_tokens is not None and data.max_completion_tokens is not None:
        raise InvalidRequest(errors={"max_tokens": ["stands for max_completion_tokens; send one of them"]})
    longest = data.max_completion_tokens if data.max_tokens is None else data.max_tokens
    stop = (data.stop,) if isinstance(data.stop, str) else tuple(data.stop or ())
    return Wish(
        messages=tuple(message_of(one) for one in data.messages),
        max_tokens=MAX_TOKENS if longest is None else longest,
        model=data.model,
        temperature=data.temperature,
        top_p=data.top_p,
        stop=stop,
        seed=data.seed,
    )


def message_of(sent: ChatMessage) -> Message:
    """Return a message; parts of text are joined."""
    speaker = Speaker.SYSTEM if sent.role == "developer" else Speaker(sent.role)
    content = sent.content if isinstance(sent.content, str) else "".join(one.text for one in sent.content)
    return Message(speaker, content)


async def settled(follow: FollowText, cancel: CancelText, text: Text, actor: Actor, policy: TextPolicy) -> Text:
    """Return the text once it is written; there is no later for these clients, so what is late is cancelled.

    Raises EngineUnavailable, EngineRefused, TextCancelled.
    """
    try:
        text = await follow.settled(text.id, reach(actor), policy.wait_max_s)
    finally:
        if text.status not in ENDED:
            await stopped(cancel, text, actor)
    error = fault(text)
    if error is not None:
        raise error
    if text.status is not Status.COMPLETED:
        raise EngineUnavailable("It takes too long.", retry_after_s=30)
    return text


async def stopped(cancel: CancelText, text: Text, actor: Actor) -> None:
    """Cancel a text that nobody waits for any more; one that ended this moment stays as it is."""
    try:
        await cancel(actor, text.id)
    except DomainError:
        return


async def chunks(
    follow: FollowText, cancel: CancelText, text: Text, actor: Actor, with_usage: bool
) -> AsyncIterator[str]:
    """Yield a completion in chunks; whoever leaves before its end has it cancelled.

    These clients know no reset: once words were given out, words that do not count end the stream with an error.
    """
    is_over = False
    try:
        yield chunk(text, {"role": "assistant", "content": ""})
        async with aclosing(follow.steps(text.id, reach(actor), Place())) as steps:
            async for step in steps:
                if step is None:
                    yield QUIET
                elif isinstance(step, More):
                    yield chunk(text, {"content": step.text})
                elif isinstance(step, Reset):
                    raise EngineUnavailable("The engine broke off.", retry_after_s=1)
                else:
                    is_over = True
                    for last in ending(step, with_usage):
                        yield last
    except Exception as error:  # the status has left: what goes wrong is said in band
        yield event({"error": openai.error_of(problem(error))})
        yield DONE
    finally:
        if not is_over:
            await stopped(cancel, text, actor)


def ending(step: End, with_usage: bool) -> Sequence[str]:
    """Return the last chunks of a completion."""
    error = fault(step.text)
    if error is not None:
        return [event({"error": openai.error_of(problem(error))}), DONE]
    last = [chunk(step.text, {}, str(step.text.finish or Finish.STOP))]
    if with_usage:
        last.append(event({**head(step.text), "choices": [], "usage": used(step.text.usage)}))
    return [*last, DONE]


def chunk(text: Text, delta: dict[str, str], finish: str | None = None) -> str:
    """Return one chunk."""
    return event({**head(text), "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})


def head(text: Text) -> dict[str, object]:
    """Return what every chunk says."""
    told = {"id": name_of(text), "object": "chat.completion.chunk", "created": created(text), "model": model_of(text)}
    return dict(told)


def name_of(text: Text) -> str:
    """Return the id of a completion, which holds the id of the task."""
    return f"chatcmpl-{text.id}"


def created(text: Text) -> int:
    """Return when it was asked for, in seconds of the epoch."""
    return int(text.requested_at.timestamp())


def model_of(text: Text) -> str:
    """Return the model's name, as far as it is known."""
    return text.model or text.wish.model or "default"


def used(usage: Usage | None) -> CompletionUsage:
    """Return tokens in OpenAI's form."""
    told = usage or Usage()
    return CompletionUsage(told.prompt_tokens, told.completion_tokens, told.total_tokens)
