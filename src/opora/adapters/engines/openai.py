"""Engines that speak OpenAI's chat completions: OpenAI itself, vLLM, Ollama, LM Studio, GigaChat and others."""

from collections.abc import AsyncGenerator, Mapping, Sequence

from opora.adapters.engines import http
from opora.adapters.engines.auth import Credentials, FixedHeaders, RenewedToken
from opora.adapters.engines.http import Provider, client_of, count_of, got
from opora.core.generation.errors import EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import Ended, Finish, Said, Usage, Wish
from opora.core.generation.ports.engines import TextEngine

URL = "https://api.openai.com/v1"
GIGACHAT_OAUTH = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth"
GIGACHAT_SCOPE = "GIGACHAT_API_PERS"
FINISHES = {"stop": Finish.STOP, "length": Finish.LENGTH, "tool_calls": Finish.STOP, "function_call": Finish.STOP}
REFUSALS = frozenset({"content_filter", "blacklist"})
DONE = "[DONE]"


class OpenAiEngine(TextEngine):
    """One server that speaks the protocol."""

    def __init__(
        self, provider: Provider, model: str, limit_field: str = "max_tokens", *, asks_usage: bool = True
    ) -> None:
        """`limit_field` is how this server names the bound of tokens, `asks_usage` whether it knows stream_options."""
        self._provider = provider
        self._model = model
        self._limit_field = limit_field
        self._asks_usage = asks_usage

    async def write(self, wish: Wish) -> AsyncGenerator[Said | Ended]:
        async with self._provider.posted("/chat/completions", self._body(wish)) as answer:
            reference = http.reference(answer)
            if "event-stream" not in answer.headers.get("content-type", ""):
                for piece in pieces_of(await http.whole(answer), reference):
                    yield piece
                return
            reading = Reading(reference)
            async for event in http.told(answer):
                if event.data.strip() == DONE:
                    break
                said = reading.take(http.decoded(event.data))
                if said:
                    yield Said(said)
            yield reading.ended()

    def _body(self, wish: Wish) -> dict[str, object]:
        body: dict[str, object] = {
            "model": wish.model or self._model,
            "messages": [{"role": str(one.role), "content": one.content} for one in wish.messages],
            self._limit_field: wish.max_tokens,
            "stream": True,
        }
        if self._asks_usage:
            body["stream_options"] = {"include_usage": True}
        asked = {
            "temperature": wish.temperature,
            "top_p": wish.top_p,
            "seed": wish.seed,
            "stop": list(wish.stop) or None,
        }
        return http.wished(body, asked)

    async def models(self) -> Sequence[str]:
        return await self._provider.models_after(self._model)

    async def check(self) -> str:
        found = await self._provider.models()
        return f"a server with {len(found)} models; {self._model} is {'' if self._model in found else 'not '}among them"

    async def close(self) -> None:
        await self._provider.close()


class Reading:
    """What a stream has told besides words."""

    def __init__(self, reference: str | None) -> None:
        self._reference = reference
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._model: str | None = None

    def take(self, chunk: object) -> str:
        """Return the words of a chunk; raises EngineUnavailable for an error told in band, EngineRefused."""
        if got(chunk, "error") is not None:
            raise EngineUnavailable("It broke off with an error.")
        model = got(chunk, "model")
        self._model = model if isinstance(model, str) else self._model
        self._usage = usage_of(got(chunk, "usage")) or self._usage
        finish = got(chunk, "choices", 0, "finish_reason")
        if finish in REFUSALS:
            raise EngineRefused("The engine's filter refuses this text.")
        if isinstance(finish, str):
            self._finish = FINISHES.get(finish, Finish.STOP)
        said = got(chunk, "choices", 0, "delta", "content")
        return said if isinstance(said, str) else ""

    def ended(self) -> Ended:
        """Return the end; raises EngineUnavailable for a stream that was cut off before it."""
        if self._finish is None:
            raise EngineUnavailable("It broke off.")
        return Ended(self._finish, self._usage, self._model, self._reference)


def pieces_of(document: object, reference: str | None) -> Sequence[Said | Ended]:
    """Return the text of a server that does not stream; raises as Reading does."""
    reading = Reading(reference)
    reading.take(document)
    content = got(document, "choices", 0, "message", "content")
    said = [Said(content)] if isinstance(content, str) and content else []
    return [*said, reading.ended()]


def usage_of(told: object) -> Usage | None:
    """Read a count of tokens."""
    if not isinstance(told, dict):
        return None
    return Usage(count_of(told.get("prompt_tokens")), count_of(told.get("completion_tokens")))


def build(config: Mapping[str, str]) -> TextEngine:
    """Build it: `url`, `key`, `model`, `ca`, `limit_field`, `usage` (`off` for servers without stream_options)."""
    key = config.get("key")
    credentials = FixedHeaders({"authorization": f"Bearer {key}"} if key else {})
    return engine(config, credentials, URL)


def build_gigachat(config: Mapping[str, str]) -> TextEngine:
    """Build it for GigaChat: `key` is the authorization key, `scope`, `oauth_url`, `url`, `model`, `ca`."""
    credentials = RenewedToken(
        config.get("oauth_url", GIGACHAT_OAUTH), config["key"], config.get("scope", GIGACHAT_SCOPE)
    )
    return engine(
        {"model": "GigaChat", "usage": "off", **config}, credentials, "https://gigachat.devices.sberbank.ru/api/v1"
    )


def engine(config: Mapping[str, str], credentials: Credentials, url: str) -> TextEngine:
    """Build an engine of the protocol."""
    provider = Provider(client_of(config, url), credentials)
    asks_usage = config.get("usage", "on") != "off"
    return OpenAiEngine(provider, config["model"], config.get("limit_field", "max_tokens"), asks_usage=asks_usage)
