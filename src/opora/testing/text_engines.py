"""The contract of engines that write text: subclass it and give it the engine, against a server that can fail."""

import asyncio
from contextlib import aclosing

import pytest

from opora.core.generation.errors import EngineBusy, EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import Ended, Finish, Message, Said, Speaker, Wish
from opora.core.generation.ports.engines import TextEngine

PATIENCE_S = 30.0


def a_wish(content: str = "Write about tea", **changes: object) -> Wish:
    """Build a wish of one message."""
    fields = {"messages": (Message(Speaker.SYSTEM, "Be brief."), Message(Speaker.USER, content)), "max_tokens": 200}
    return Wish(**(fields | changes))  # type: ignore[arg-type]  # a test names fields


class TextEngineContract:
    """What every engine must hold. `fault` prepares what the next call meets; skip what yours cannot be made to do."""

    engine: TextEngine

    async def fault(self, name: str) -> None:
        """Let the next call meet a fault.

        `down` (no connection), `error` (a 500), `busy` (429 that asks for 7 seconds), `crowded` (429 that says
        nothing), `refuse` (a 400), `cut` (an end in the middle), `garbage`, `hang` (silence after some words).
        """
        raise NotImplementedError

    async def hung_up(self) -> bool:
        """Tell whether the connection of the last call was closed before its end; wait for it a while."""
        raise NotImplementedError

    async def written(self, wish: Wish) -> tuple[str, Ended]:
        """Write a text to its end."""
        said, ended = [], None
        async with asyncio.timeout(PATIENCE_S), aclosing(self.engine.write(wish)) as pieces:
            async for piece in pieces:
                assert ended is None, "nothing follows the end"
                if isinstance(piece, Said):
                    assert piece.text
                    said.append(piece.text)
                else:
                    ended = piece
        assert ended is not None
        return "".join(said), ended

    async def test_a_text_comes_in_words_and_ends_once(self) -> None:
        text, ended = await self.written(a_wish())
        assert text.strip()
        assert ended.reason in Finish
        assert ended.model

    async def test_letters_of_several_bytes_stay_whole(self) -> None:
        text, _ = await self.written(a_wish("Напиши о чае 🍵"))
        assert "\ufffd" not in text
        assert any("а" <= letter <= "я" for letter in text)

    async def test_a_bound_of_tokens_is_kept(self) -> None:
        _, ended = await self.written(a_wish(max_tokens=3))
        assert ended.reason is Finish.LENGTH
        assert ended.usage is None or ended.usage.completion_tokens <= 3

    @pytest.mark.parametrize("name", ["down", "error", "crowded", "cut", "garbage"])
    async def test_a_trouble_that_may_pass_is_told_as_such(self, name: str) -> None:
        await self.fault(name)
        with pytest.raises(EngineUnavailable):
            await self.written(a_wish())
        await self.written(a_wish())

    async def test_a_busy_engine_tells_when_to_come_back(self) -> None:
        await self.fault("busy")
        with pytest.raises(EngineBusy) as refusal:
            await self.written(a_wish())
        assert refusal.value.retry_after_s == 7

    async def test_what_no_repetition_mends_is_refused(self) -> None:
        await self.fault("refuse")
        with pytest.raises(EngineRefused):
            await self.written(a_wish())

    async def test_closing_the_text_hangs_up(self) -> None:
        await self.fault("hang")
        pieces = self.engine.write(a_wish())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await anext(pieces), Said)
            waiting = asyncio.ensure_future(anext(pieces))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await pieces.aclose()
        assert await self.hung_up()

    async def test_its_models_have_names(self) -> None:
        assert all(await self.engine.models())
        assert await self.engine.check()
