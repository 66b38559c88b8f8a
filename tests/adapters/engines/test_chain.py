"""Engines in their order: repeated, passed over, bounded, hung up on."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from opora.adapters.engines.chain import LISTED_S, EngineChain
from opora.adapters.engines.local import LocalEngine
from opora.adapters.engines.script import FaultScript
from opora.core.generation.errors import EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import Began, Broke, CallPolicy, Ended, Patience, Said
from opora.core.kernel.model import BreakerPolicy, BreakerState
from opora.testing.text_engines import a_wish

pytestmark = pytest.mark.anyio
QUICK = CallPolicy(base_s=0.0)


def chain(*scripts: str, tries_max: int = 2, failures_max: int = 5, patience: Patience | None = None) -> EngineChain:
    """Build a chain of embedded engines a, b, … that obey these scripts."""
    engines = [(chr(97 + place), LocalEngine(FaultScript(one))) for place, one in enumerate(scripts)]
    policy = CallPolicy(tries_max=tries_max, base_s=0.0)
    breaker = BreakerPolicy(failures_max=failures_max, open_s=60)
    return EngineChain(engines, policy=policy, patience=patience, breaker=breaker)


async def told(found: EngineChain) -> list[str]:
    """Return what a chain does, in words; its end is `ended`, or the code of what it raises."""
    story: list[str] = []
    try:
        async with aclosing(found.write(a_wish())) as pieces:
            async for piece in pieces:
                if isinstance(piece, Began):
                    story.append(f"began {piece.engine}")
                elif isinstance(piece, Broke):
                    story.append(f"broke {piece.error}")
                elif isinstance(piece, Ended):
                    story.append("ended")
                elif not story or story[-1] != "said":
                    story.append("said")
    except (EngineRefused, EngineUnavailable) as error:
        story.append(error.code)
    return story


@pytest.mark.parametrize(
    ("scripts", "story"),
    [
        (("ok",), ["began a", "said", "ended"]),
        (("down",), ["began a", "broke engine_unavailable", "began a", "said", "ended"]),
        (
            ("truncate@2*2", "ok"),
            [*["began a", "said", "broke engine_unavailable"] * 2, "began b", "said", "ended"],
        ),
        (("busy=60", "ok"), ["began a", "broke engine_busy", "began b", "said", "ended"]),
        (("refuse", "ok"), ["began a", "broke engine_refused", "engine_refused"]),
        (("busy=60", "busy=9"), ["began a", "broke engine_busy", "began b", "broke engine_busy", "engine_unavailable"]),
    ],
)  # fmt: skip
async def test_engines_are_asked_in_their_order(scripts: tuple[str, ...], story: list[str]) -> None:
    assert await told(chain(*scripts)) == story


async def test_who_is_told_to_come_back_is_told_the_soonest_time() -> None:
    with pytest.raises(EngineUnavailable) as refusal:
        async for _ in chain("busy=60", "busy=9").write(a_wish()):
            pass
    assert refusal.value.retry_after_s == 9


async def test_an_engine_that_fails_is_passed_over_without_a_call_and_tried_again_after_its_pause() -> None:
    now = [0.0]
    engines = [("a", LocalEngine(FaultScript("down*2"))), ("b", LocalEngine())]
    policy, breaker = CallPolicy(tries_max=1), BreakerPolicy(failures_max=2, open_s=5)
    found = EngineChain(engines, policy=policy, breaker=breaker, clock=lambda: now[0])
    for _ in range(2):
        assert (await told(found))[0] == "began a"
    assert found.lines[0].breaker.state is BreakerState.OPEN
    assert await told(found) == ["began b", "said", "ended"]
    assert await found.models() == [("opora-local", "b")]
    now[0] = 5.0
    assert await told(found) == ["began a", "said", "ended"]
    assert found.lines[0].breaker.state is BreakerState.CLOSED


async def test_a_model_is_lacking_only_where_every_engine_answers_and_none_lists_it() -> None:
    now = [0.0]
    found = EngineChain([("a", LocalEngine()), ("b", LocalEngine())], clock=lambda: now[0])
    assert (await found.lacks("opora-local"), await found.lacks("no-such")) == (False, True)
    closed, opened = found.lines[1].breaker, replace(found.lines[1].breaker, state=BreakerState.OPEN)
    found.lines[1].breaker = opened
    assert await found.lacks("no-such"), "what was listed is remembered"
    now[0] = LISTED_S
    assert not await found.lacks("no-such"), "the engine that does not answer may have it"
    found.lines[1].breaker = closed
    now[0] = 2 * LISTED_S
    assert await found.lacks("no-such")


async def test_a_refusal_of_the_wish_is_no_failure_of_the_engine() -> None:
    found = chain("refuse*9", failures_max=1)
    for _ in range(3):
        await told(found)
    assert found.lines[0].breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("script", ["hang", "hang@3"])
async def test_an_engine_that_falls_silent_is_given_up(script: str) -> None:
    patience = Patience(first_s=0.05, idle_s=0.05)
    story = await told(chain(script, "ok", tries_max=1, patience=patience))
    assert story[-3:] == ["began b", "said", "ended"]
    assert "broke engine_unavailable" in story


async def test_a_text_that_never_ends_is_given_up() -> None:
    engine = LocalEngine(pause_s=0.01)
    found = EngineChain([("a", engine)], policy=CallPolicy(tries_max=1), patience=Patience(total_s=0.1))
    assert (await told(found))[-1] == "engine_unavailable"


async def test_repetitions_end_with_their_budget() -> None:
    found = EngineChain(
        [("a", LocalEngine(FaultScript("down*99")))],
        policy=CallPolicy(tries_max=99, base_s=0.0, budget_max=3.0),
        breaker=BreakerPolicy(failures_max=1000),
    )
    found.lines[0].budget = found.lines[0].budget.__class__(3.0)
    assert (await told(found)).count("began a") == 4
    assert (await told(found)).count("began a") == 1


async def test_closing_the_chain_hangs_up_on_the_engine() -> None:
    engine = LocalEngine()
    pieces = EngineChain([("a", engine)]).write(a_wish())
    assert isinstance(await anext(pieces), Began)
    assert isinstance(await anext(pieces), Said)
    await pieces.aclose()
    assert engine.hung_up == 1


async def test_nothing_is_called_before_its_beginning_was_taken() -> None:
    engine = LocalEngine()
    pieces = EngineChain([("a", engine)]).write(a_wish())
    await anext(pieces)
    assert engine.calls == 0
    await pieces.aclose()
    await asyncio.sleep(0)
