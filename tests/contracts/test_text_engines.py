"""Every engine keeps the contract: the embedded one by its script, the others against a server of their wire format."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contracts.model_provider import REQUEST_ID, ModelProvider, provider
from opora.adapters.engines import anthropic, openai
from opora.adapters.engines.auth import RenewedToken
from opora.adapters.engines.local import LocalEngine
from opora.adapters.engines.script import FaultScript
from opora.core.generation.model.engines import Usage
from opora.testing.text_engines import TextEngineContract, a_wish

pytestmark = pytest.mark.anyio
FAULTS = {
    "error": "down",
    "crowded": "down",
    "busy": "busy=7",
    "cut": "truncate@2",
    "garbage": "truncate",
    "hang": "hang@2",
}


@pytest.fixture
async def server() -> AsyncIterator[ModelProvider]:
    async with provider() as served:
        yield served


class TestLocalEngine(TextEngineContract):
    """The embedded engine."""

    @pytest.fixture(autouse=True)
    def _engine(self) -> None:
        self.engine = self.local = LocalEngine()

    async def fault(self, name: str) -> None:
        self.engine = self.local = LocalEngine(FaultScript(FAULTS.get(name, name)))

    async def hung_up(self) -> bool:
        return True

    async def test_equal_wishes_give_equal_texts_with_their_tokens_counted(self) -> None:
        one, ended = await self.written(a_wish())
        assert (one, ended) == await self.written(a_wish())
        assert one != (await self.written(a_wish("Write about milk")))[0]
        assert ended.usage is not None
        assert ended.usage.prompt_tokens == 6

    @pytest.mark.parametrize("text", ["down*x", "nap", "hang@-1", "down*99999"])
    def test_a_script_that_cannot_be_read_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no fault"):
            FaultScript(text)


class OverHttp(TextEngineContract):
    """What engines over HTTP share."""

    served: ModelProvider

    async def fault(self, name: str) -> None:
        self.served.faults.append(name)

    async def hung_up(self) -> bool:
        async with asyncio.timeout(30):
            return await self.served.left.wait()

    async def test_what_was_counted_and_how_the_call_is_named_is_told(self) -> None:
        text, ended = await self.written(a_wish())
        assert text == "Чай бодрит. Tea is good 🍵."
        assert (ended.usage, ended.reference) == (Usage(5, 8), REQUEST_ID)


class TestOpenAiEngine(OverHttp):
    """Servers that speak OpenAI's protocol."""

    @pytest.fixture(autouse=True)
    async def _engine(self, server: ModelProvider) -> AsyncIterator[None]:
        self.served = server
        self.engine = openai.build({"url": server.url, "key": "k", "model": "m-1"})
        yield
        await self.engine.close()

    async def test_the_wish_is_told_whole(self) -> None:
        await self.written(a_wish(temperature=0.5, top_p=0.9, stop=("x",), seed=3, model="m-2"))
        body = self.served.bodies[0]
        assert self.served.headers[0]["authorization"] == "Bearer k"
        told = {name: body[name] for name in ("model", "temperature", "top_p", "stop", "seed", "max_tokens")}
        assert told == {"model": "m-2", "temperature": 0.5, "top_p": 0.9, "stop": ["x"], "seed": 3, "max_tokens": 200}
        assert body["messages"][0] == {"role": "system", "content": "Be brief."}


class TestAnthropicEngine(OverHttp):
    """Anthropic's protocol."""

    @pytest.fixture(autouse=True)
    async def _engine(self, server: ModelProvider) -> AsyncIterator[None]:
        self.served = server
        self.engine = anthropic.build({"url": server.url, "key": "k", "model": "m-1"})
        yield
        await self.engine.close()

    async def test_the_wish_is_told_whole(self) -> None:
        await self.written(a_wish(temperature=1.5, stop=("x",)))
        body = self.served.bodies[0]
        assert (self.served.headers[0]["x-api-key"], body["system"]) == ("k", "Be brief.")
        assert (body["temperature"], body["stop_sequences"], len(body["messages"])) == (1.0, ["x"], 1)


class TestGigaChatEngine(OverHttp):
    """OpenAI's protocol behind tokens that end."""

    @pytest.fixture(autouse=True)
    async def _engine(self, server: ModelProvider) -> AsyncIterator[None]:
        self.served = server
        url = server.url
        self.engine = openai.build_gigachat({"url": url, "oauth_url": f"{url}/oauth", "key": "k", "model": "m-1"})
        yield
        await self.engine.close()

    async def test_a_token_is_fetched_once_and_anew_when_it_is_refused(self) -> None:
        await asyncio.gather(*(self.written(a_wish()) for _ in range(5)))
        assert self.served.tokens_given == 1
        named = next(one for one in self.served.headers if "rquid" in one)
        assert (named["authorization"], len(named["rquid"])) == ("Basic k", 36)
        self.served.token = "another"
        await self.written(a_wish())
        assert self.served.tokens_given == 2

    async def test_a_token_near_its_end_is_renewed(self) -> None:
        token = RenewedToken(f"{self.served.url}/oauth", "k", "S", clock=lambda: 4_102_444_800 - 30)
        assert isinstance(self.engine, openai.OpenAiEngine)
        for number in (1, 2):
            await token.headers(self.engine._provider._client)
            assert self.served.tokens_given == number
