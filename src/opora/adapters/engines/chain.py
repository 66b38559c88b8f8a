"""Engines in their order: tried again by the rule, passed over while they fail, bounded in their patience."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import ceil, inf
from random import SystemRandom
from time import monotonic

from opora.core.generation.errors import EngineBusy, EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import (
    Began,
    Broke,
    CallPolicy,
    Ended,
    Patience,
    RetryBudget,
    Said,
    Wish,
)
from opora.core.generation.ports.engines import TextEngine, TextEngines
from opora.core.generation.rules.calls import credited, pause_s, spent
from opora.core.kernel.model import Breaker, BreakerPolicy, BreakerState
from opora.core.kernel.rules import breaker_begun, breaker_failed, breaker_succeeded, breaker_wait_s

HANGING_UP_S = 5.0
LISTED_S = 60.0
"""How long the models that engines list are remembered."""
CHANCE = SystemRandom()


@dataclass(slots=True)
class Line:
    """One engine of the chain, and whether it is worth calling."""

    name: str
    engine: TextEngine
    breaker: Breaker = field(default_factory=Breaker)
    budget: RetryBudget = field(default_factory=RetryBudget)


class EngineChain(TextEngines):
    """The engines of one process; breakers and budgets are this process's own."""

    def __init__(
        self,
        engines: Sequence[tuple[str, TextEngine]],
        *,
        policy: CallPolicy | None = None,
        patience: Patience | None = None,
        breaker: BreakerPolicy | None = None,
        clock: Callable[[], float] = monotonic,
        fraction: Callable[[], float] = CHANCE.random,
    ) -> None:
        self.lines = [Line(name, engine, Breaker(breaker or BreakerPolicy())) for name, engine in engines]
        self._policy = policy or CallPolicy()
        self._patience = patience or Patience()
        self._clock = clock
        self._fraction = fraction
        self._listed: frozenset[str] | None = None
        self._listed_until_s = -inf

    async def write(self, wish: Wish) -> AsyncGenerator[Began | Said | Broke | Ended]:
        waits: list[int] = []
        for line in self.lines:
            tries = 0
            pause: float | None = 0.0
            wait_s = breaker_wait_s(line.breaker, self._clock())
            while pause is not None and wait_s <= 0:
                tries += 1
                line.budget = spent(line.budget) if tries > 1 else credited(line.budget, self._policy)
                await asyncio.sleep(pause)
                yield Began(line.name)
                try:
                    async with aclosing(self._called(line, wish)) as pieces:
                        async for piece in pieces:
                            yield piece
                            if isinstance(piece, Ended):
                                return
                except EngineRefused as refusal:
                    yield Broke(refusal.code)
                    raise
                except EngineUnavailable as trouble:
                    yield Broke(trouble.code)
                    pause = self._pause_s(line, tries, trouble)
                    waits.append(trouble.retry_after_s)
                wait_s = breaker_wait_s(line.breaker, self._clock())
            waits.append(ceil(wait_s))
        raise EngineUnavailable(retry_after_s=min((one for one in waits if one > 0), default=1))

    def _pause_s(self, line: Line, tries: int, trouble: EngineUnavailable) -> float | None:
        asked_s = float(trouble.retry_after_s) if isinstance(trouble, EngineBusy) else None
        return pause_s(tries, asked_s, self._fraction(), line.budget, self._policy)

    async def _called(self, line: Line, wish: Wish) -> AsyncGenerator[Said | Ended]:
        """Call an engine once, within its patience; a call that is given up counts as lost, not as failed."""
        line.breaker = breaker_begun(line.breaker, self._clock())
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + self._patience.total_s
        pieces = line.engine.write(wish)
        patience_s = self._patience.first_s
        try:
            while True:
                try:
                    async with asyncio.timeout_at(min(ends_at_s, loop.time() + patience_s)):
                        piece = await anext(pieces)
                except (TimeoutError, StopAsyncIteration) as error:
                    late = isinstance(error, TimeoutError)
                    raise EngineUnavailable("It fell silent." if late else "It broke off.") from error
                if isinstance(piece, Ended):
                    line.breaker = breaker_succeeded(line.breaker)
                patience_s = self._patience.idle_s
                yield piece
        except EngineUnavailable:
            line.breaker = breaker_failed(line.breaker, self._clock())
            raise
        except EngineRefused:
            line.breaker = breaker_succeeded(line.breaker)  # it answers: what it refuses is the wish
            raise
        finally:
            await hung_up(pieces)

    async def models(self) -> Sequence[tuple[str, str]]:
        found, _ = await self._told()
        return found

    async def lacks(self, model: str) -> bool:
        if self._clock() >= self._listed_until_s:
            found, is_whole = await self._told()
            self._listed = frozenset(name for name, _ in found) if is_whole else None
            self._listed_until_s = self._clock() + LISTED_S
        return self._listed is not None and model not in self._listed

    async def _told(self) -> tuple[list[tuple[str, str]], bool]:
        """Return model and engine as the engines list them, and whether every engine did."""
        found: list[tuple[str, str]] = []
        is_whole = True
        for line in self.lines:
            if line.breaker.state is BreakerState.OPEN:
                is_whole = False
                continue
            try:
                found += [(model, line.name) for model in await line.engine.models()]
            except (EngineUnavailable, EngineRefused):
                is_whole = False
        return found, is_whole

    async def close(self) -> None:
        """Hang up on every engine."""
        for line in self.lines:
            await line.engine.close()


async def hung_up(pieces: AsyncGenerator[Said | Ended]) -> None:
    """End a call; an engine that will not let go is left behind."""
    try:
        async with asyncio.timeout(HANGING_UP_S):
            await pieces.aclose()
    except TimeoutError:
        return
