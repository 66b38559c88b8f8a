"""Models that are asked for by name."""

from dataclasses import replace

import pytest

from core.generation.press import ANNA, Press
from opora.core.generation.errors import NoSuchModel
from opora.core.generation.model.engines import Message, Speaker, Wish
from opora.core.generation.model.texts import Mode

pytestmark = pytest.mark.anyio
CHAT = Wish(messages=(Message(Speaker.USER, "hi"),), max_tokens=9)


async def test_a_model_that_no_engine_has_is_refused_before_anything_is_kept(press: Press) -> None:
    press.engines.lacked.add("m-9")
    with pytest.raises(NoSuchModel):
        await press.ask(model="m-9")
    with pytest.raises(NoSuchModel):
        await press.ask_for.chat(ANNA, replace(CHAT, model="m-9"), Mode.SYNC)
    assert await press.actions() == []
    assert (await press.ask(model="m-1")).wish.model == "m-1"
