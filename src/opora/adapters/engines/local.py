"""The embedded engine: the same words for the same wish, no key, no network, counted tokens, faults by a script."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import count, islice

from opora.adapters.engines.script import FaultScript, Step
from opora.core.generation.errors import EngineBusy, EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import Ended, Finish, Said, Usage, Wish
from opora.core.generation.ports.engines import TextEngine

MODEL = "opora-local"
PIECE = re.compile(r"\s*(?:\w+|[^\w\s])")
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
TOPIC = re.compile(r":[ \t]*([^\n]*\w)")
TOPIC_WORDS_MAX = 12
SENTENCES = {
    "ru": (
        "Начнём с главного: {topic}.",
        "Об этом стоит говорить просто и на примерах.",
        "Первый шаг — понять, что важно именно вам.",
        "Второй шаг — попробовать и записать, что получилось.",
        "Небольшие улучшения каждый день дают заметный итог.",
        "Спросите тех, кто уже прошёл этот путь.",
        "Не бойтесь ошибок: они показывают, куда идти дальше.",
        "Вернитесь к теме «{topic}» через неделю и сравните.",
        "Хороший план умещается на одной странице.",
        "А что думаете вы?",
    ),
    "en": (
        "Let us begin with what matters: {topic}.",
        "It is best told plainly and by examples.",
        "The first step is to see what is important to you.",
        "The second is to try it and to write down what came of it.",
        "Small improvements every day add up.",
        "Ask those who have gone this way before.",
        "Do not fear mistakes: they show where to go next.",
        'Come back to "{topic}" in a week and compare.',
        "A good plan fits on one page.",
        "What do you think?",
    ),
}


class LocalEngine(TextEngine):
    """Writes sentences that depend on nothing but the wish; for trying Opora out, for tests and for benchmarks."""

    def __init__(self, script: FaultScript | None = None, pause_s: float = 0.0, slow_s: float = 1.0) -> None:
        """`pause_s` goes by before each piece, `slow_s` in a slow call."""
        self._script = script or FaultScript()
        self._pause_s = pause_s
        self._slow_s = slow_s
        self.calls = 0
        self.hung_up = 0
        """How many calls were ended by the one who asked."""

    async def write(self, wish: Wish) -> AsyncGenerator[Said | Ended]:
        self.calls += 1
        step = self._script.take()
        said: list[str] = []
        wanted = islice(pieces(wish), wish.max_tokens)
        try:
            for number, piece in enumerate(wanted):
                if number == step.after:
                    await self._fault(step)
                await asyncio.sleep(self._slow_s if step.fault == "slow" else self._pause_s)
                said.append(piece)
                yield Said(piece)
            if step.after >= len(said):
                await self._fault(step)
        except GeneratorExit:
            self.hung_up += 1
            raise
        prompt_tokens = sum(counted(one.content) for one in wish.messages)
        reason = Finish.LENGTH if len(said) == wish.max_tokens else Finish.STOP
        yield Ended(reason, Usage(prompt_tokens, len(said)), wish.model or MODEL, f"local-{digest(wish).hex()[:16]}")

    async def _fault(self, step: Step) -> None:
        if step.fault == "down":
            raise EngineUnavailable("The embedded engine was told to be down.")
        if step.fault == "busy":
            raise EngineBusy("The embedded engine was told to be busy.", retry_after_s=step.retry_after_s)
        if step.fault == "truncate":
            raise EngineUnavailable("The embedded engine was told to break off.")
        if step.fault == "refuse":
            raise EngineRefused("The embedded engine was told to refuse.")
        if step.fault == "hang":
            await asyncio.Event().wait()

    async def models(self) -> Sequence[str]:
        return [MODEL]

    async def check(self) -> str:
        return "the embedded engine, which needs no key"

    async def close(self) -> None:
        return


def pieces(wish: Wish) -> Iterator[str]:
    """Yield the words of a wish's text, each with the space before it, until it ends by itself."""
    seed = digest(wish)
    asked = wish.messages[-1].content
    language = "ru" if CYRILLIC.search(asked) else "en"
    topic = topic_of(asked)
    sentences = SENTENCES[language]
    opening = sentences[0].format(topic=topic)
    yield from PIECE.findall(opening)
    length = 4 + seed[0] % 12 if wish.max_tokens < 1500 else 60 + seed[0]  # noqa: PLR2004  # a long wish, a long text
    for place in islice(count(1), length):
        at = seed[place % len(seed)] + place
        yield from PIECE.findall(" " + sentences[1 + at % (len(sentences) - 1)].format(topic=topic))


def topic_of(asked: str) -> str:
    """Return what a message is about: what follows its first colon on that line, else its last words."""
    named = TOPIC.search(asked)
    words = re.findall(r"\w+", named[1])[:TOPIC_WORDS_MAX] if named else re.findall(r"\w+", asked)[-TOPIC_WORDS_MAX:]
    return " ".join(words) or "…"


def digest(wish: Wish) -> bytes:
    """Return what a text is made from: equal for equal conversations, models and seeds."""
    told = "\0".join(f"{one.role}:{one.content}" for one in wish.messages)
    return sha256(f"{wish.model}\0{wish.seed}\0{told}".encode()).digest()


def counted(text: str) -> int:
    """Count the tokens of a text as this engine does: words and marks."""
    return len(PIECE.findall(text))


def build(config: Mapping[str, str]) -> TextEngine:
    """Build it: `faults` is a script, `pause_ms` the time before each piece."""
    return LocalEngine(FaultScript(config.get("faults", "")), float(config.get("pause_ms", "0")) / 1000)
