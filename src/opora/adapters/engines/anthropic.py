"""The engine that speaks Anthropic's messages."""

from collections.abc import AsyncGenerator, Mapping, Sequence

from opora.adapters.engines import http
from opora.adapters.engines.auth import FixedHeaders
from opora.adapters.engines.http import Provider, client_of, count_of, got
from opora.core.generation.errors import EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import Ended, Finish, Said, Speaker, Usage, Wish
from opora.core.generation.ports.engines import TextEngine

URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"
FINISHES = {"end_turn": Finish.STOP, "stop_sequence": Finish.STOP, "max_tokens": Finish.LENGTH}
REFUSAL = "refusal"
OUR_FAULTS = frozenset({"invalid_request_error", "not_found_error", "request_too_large"})


class AnthropicEngine(TextEngine):
    """Anthropic's API, or a server that speaks as it does."""

    def __init__(self, provider: Provider, model: str) -> None:
        self._provider = provider
        self._model = model

    async def write(self, wish: Wish) -> AsyncGenerator[Said | Ended]:
        async with self._provider.posted("/messages", self._body(wish)) as answer:
            reading = Reading(http.reference(answer))
            async for event in http.told(answer):
                said = reading.take(http.decoded(event.data))
                if said:
                    yield Said(said)
                if reading.is_over:
                    break
            yield reading.ended()

    def _body(self, wish: Wish) -> dict[str, object]:
        system = "\n\n".join(one.content for one in wish.messages if one.role is Speaker.SYSTEM)
        spoken = [one for one in wish.messages if one.role is not Speaker.SYSTEM]
        body: dict[str, object] = {
            "model": wish.model or self._model,
            "messages": [{"role": str(one.role), "content": one.content} for one in spoken],
            "max_tokens": wish.max_tokens,
            "stream": True,
        }
        asked = {
            "system": system or None,
            "temperature": None if wish.temperature is None else min(wish.temperature, 1.0),
            "top_p": wish.top_p,
            "stop_sequences": list(wish.stop) or None,
        }
        return http.wished(body, asked)

    async def models(self) -> Sequence[str]:
        return await self._provider.models_after(self._model)

    async def check(self) -> str:
        found = await self._provider.models()
        return f"Anthropic's API with {len(found)} models"

    async def close(self) -> None:
        await self._provider.close()


class Reading:
    """What a stream has told besides words."""

    def __init__(self, reference: str | None) -> None:
        self._reference = reference
        self._model: str | None = None
        self._finish: Finish | None = None
        self._read = 0
        self._written: int | None = None
        self.is_over = False

    def take(self, event: object) -> str:
        """Return the words of an event; raises EngineUnavailable for an error told in band, EngineRefused."""
        kind = got(event, "type")
        if kind == "error":
            raise refusal(event)
        if kind == "message_start":
            model = got(event, "message", "model")
            self._model = model if isinstance(model, str) else None
            self._read = count_of(got(event, "message", "usage", "input_tokens"))
        elif kind == "message_delta":
            self._stopped(event)
        elif kind == "message_stop":
            self.is_over = True
        elif kind == "content_block_delta":
            said = got(event, "delta", "text")
            return said if isinstance(said, str) else ""
        return ""

    def _stopped(self, event: object) -> None:
        reason = got(event, "delta", "stop_reason")
        if reason == REFUSAL:
            raise EngineRefused("The engine refuses this text.")
        if isinstance(reason, str):
            self._finish = FINISHES.get(reason, Finish.STOP)
        if got(event, "usage", "output_tokens") is not None:
            self._written = count_of(got(event, "usage", "output_tokens"))

    def ended(self) -> Ended:
        """Return the end; raises EngineUnavailable for a stream that was cut off before it."""
        if self._finish is None or not self.is_over:
            raise EngineUnavailable("It broke off.")
        usage = None if self._written is None else Usage(self._read, self._written)
        return Ended(self._finish, usage, self._model, self._reference)


def refusal(event: object) -> EngineRefused | EngineUnavailable:
    """Return what an error told in band comes to."""
    if got(event, "error", "type") in OUR_FAULTS:
        return EngineRefused("The engine refuses this.")
    return EngineUnavailable("It broke off with an error.")


def build(config: Mapping[str, str]) -> TextEngine:
    """Build it: `key`, `model`, `url`, `ca`."""
    headers = {"x-api-key": config["key"], "anthropic-version": config.get("version", VERSION)}
    return AnthropicEngine(Provider(client_of(config, URL), FixedHeaders(headers)), config["model"])
