"""The job of a text: engines are asked, words are told and kept as they come, and the end is written once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from opora.core.generation.errors import EngineRefused, EngineUnavailable, NoSuchText
from opora.core.generation.model.engines import Began, Broke, Ended, Finish, Said
from opora.core.generation.model.texts import KINDS, RETRY, Attempt, Reach, Status, Text, TextPolicy, Words
from opora.core.generation.ports.engines import TextEngines
from opora.core.generation.ports.texts import LiveTexts, Performer, TextTx, WordLog
from opora.core.generation.rules import reading
from opora.core.generation.rules.asking import reach, tokens
from opora.core.generation.rules.calls import round_delay_s
from opora.core.generation.usecases.endings import Endings
from opora.core.jobs.events import JobDied
from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.jobs.ports import JobProgress
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork

ORPHANS_AT_ONCE = 200
ABANDONED = "abandoned"
ERASED = "erased"


@dataclass(slots=True)
class Writing:
    """A text under way: the words of the call that counts now, and how far they are kept."""

    text: Text
    content: str = ""
    kept: int = 0
    looked_at_s: float = 0.0
    """When words were last kept: a text that is written at once is kept with its end alone."""

    def restart(self, text: Text, now_s: float) -> None:
        """Begin another call; what was said does not count."""
        self.text, self.content, self.kept, self.looked_at_s = text, "", 0, now_s


@dataclass(frozen=True, slots=True)
class WriteText:
    """Write a text, and end text, hold and job in one transaction.

    No transaction is open while an engine is asked. A worker that dies leaves its lease to end; the next one begins
    another call, and the hold is settled once, by whoever ends the job.
    """

    unit: UnitOfWork[TextTx]
    engines: TextEngines
    live: LiveTexts
    log: WordLog
    progress: JobProgress
    endings: Endings
    randomness: Randomness
    clock: Clock
    policy: TextPolicy

    async def __call__(self, claim: Claim) -> None:
        """A text that has ended is let be. Raises LeaseLost, or Stale, where it ended meanwhile."""
        text = await self._found(claim)
        if text is None:
            return
        writing = Writing(text)
        try:
            ended = await self._write(claim, writing)
        except EngineRefused as refusal:
            await self._give_up(claim, writing.text, refusal)
        except EngineUnavailable as trouble:
            await self._try_later(claim, writing.text, trouble)
        else:
            await self._complete(claim, writing, ended)
        finally:
            self.live.end(text.id)

    async def _found(self, claim: Claim) -> Text | None:
        async with self.unit() as tx:
            text = await tx.texts.get(UUID(str(claim.payload["text_id"])))
            if text is None or reading.is_over(text):
                await tx.jobs.finish(claim)
                return None
            if not text.wish.messages:  # its owner was erased, and with them what they asked
                await self.endings.fail(tx, text, ERASED, "What was asked was erased.", self.clock.now())
                await tx.jobs.finish(claim, {"error": ERASED})
                return None
        return text

    async def _write(self, claim: Claim, writing: Writing) -> Ended:
        pieces = self.engines.write(writing.text.wish)
        coming: asyncio.Future[Began | Said | Broke | Ended] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(pieces))
                await asyncio.wait({coming}, timeout=self.policy.keep_s)
                if coming.done():
                    piece, coming = coming.result(), None
                    if isinstance(piece, Ended):
                        return piece
                    await self._hear(writing, piece)
                    if len(writing.content) >= self.policy.content_max:
                        return Ended(Finish.LENGTH)
                await self._keep(claim, writing)
        finally:
            await _hang_up(pieces, coming)

    async def _hear(self, writing: Writing, piece: Began | Said | Broke) -> None:
        text = writing.text
        if isinstance(piece, Said):
            writing.content += piece.text
            self.live.say(text.id, piece.text)
            return
        now = self.clock.now()
        async with self.unit() as tx:
            if isinstance(piece, Broke):
                await tx.texts.try_ended(text.id, text.attempts, piece.error, piece.reference, now)
                return
            begun = text.begin(piece.engine, now)
            await tx.texts.save(begun)
            attempt = Attempt(text_id=text.id, number=begun.attempts, engine=piece.engine, started_at=now)
            await tx.texts.try_began(attempt)
        writing.restart(begun, asyncio.get_running_loop().time())
        self.live.begin(text.id, begun.attempts)

    async def _keep(self, claim: Claim, writing: Writing) -> None:
        """Keep new words now and then, and hear whether the job is still ours."""
        now_s = asyncio.get_running_loop().time()
        if now_s - writing.looked_at_s < self.policy.keep_s:
            return
        writing.looked_at_s = now_s
        more = writing.content[writing.kept :]
        if more:
            await self.log.keep(writing.text.id, Words(writing.text.attempts, writing.kept, more))
            writing.kept = len(writing.content)
        total = writing.text.wish.max_tokens
        await self.progress.report(claim, min(tokens(writing.content), total - 1), total)

    async def _complete(self, claim: Claim, writing: Writing, ended: Ended) -> None:
        async with self.unit() as tx:
            usage = await self.endings.complete(tx, writing.text, writing.content, ended, self.clock.now())
            await tx.jobs.finish(claim, {"completion_tokens": usage.completion_tokens})

    async def _give_up(self, claim: Claim, text: Text, refusal: EngineRefused) -> None:
        async with self.unit() as tx:
            await self.endings.fail(tx, text, refusal.code, str(refusal), self.clock.now())
            await tx.jobs.finish(claim, {"error": refusal.code})

    async def _try_later(self, claim: Claim, text: Text, trouble: EngineUnavailable) -> None:
        now = self.clock.now()
        rounds = int(str(claim.payload["round"]))
        delay_s = round_delay_s(rounds, float(trouble.retry_after_s), self.randomness.fraction(), self.policy)
        async with self.unit() as tx:
            if delay_s is None:
                await self.endings.fail(tx, text, trouble.code, str(trouble), now)
                await tx.jobs.bury(claim, f"{trouble.code}: {trouble}")
                await tx.outbox.add(JobDied(subject=str(claim.id), at=now, kind=claim.kind, error=trouble.code))
                return
            again = NewJob(
                kind=RETRY,
                payload={"text_id": str(text.id), "round": rounds + 1},
                priority=text.priority,
                run_at=now + timedelta(seconds=delay_s),
                request_id=claim.request_id,
            )
            await tx.texts.save(text.requeue(await tx.jobs.add(again)))
            await tx.jobs.finish(claim, {"error": trouble.code, "next_round": rounds + 1})


async def _hang_up(
    pieces: AsyncGenerator[Began | Said | Broke | Ended], coming: asyncio.Future[Began | Said | Broke | Ended] | None
) -> None:
    """End whatever call is under way, so that its connection is closed."""
    if coming is not None:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    await pieces.aclose()


@dataclass(frozen=True, slots=True)
class CancelText:
    """Stop a text: its lease is taken away, and whoever writes it hangs up."""

    unit: UnitOfWork[TextTx]
    endings: Endings
    performer: Performer
    live: LiveTexts
    clock: Clock

    async def __call__(self, actor: Actor, id: UUID) -> Text:
        """Return it as it stands then; once more changes nothing. Raises NoSuchText, IllegalMove where it has ended."""
        async with self.unit() as tx:
            text = await tx.texts.get(id)
            if text is None or not _is_within(reach(actor), text):
                raise NoSuchText(task_id=str(id))
            if text.status is Status.CANCELLED:
                return text
            stopped = await self.endings.cancel(tx, actor, text, self.clock.now())
            job = None if text.job_id is None else await tx.jobs.get(text.job_id)
            if job is not None and job.state in {JobState.QUEUED, JobState.RUNNING}:
                await tx.jobs.move(job, JobState.CANCELLED)
        if text.job_id is not None:
            self.performer.stop(text.job_id)
        self.live.end(id)
        return stopped


def _is_within(wanted: Reach, text: Text) -> bool:
    return wanted.owner in (None, text.owner)


@dataclass(frozen=True, slots=True)
class GiveUpText:
    """End the text of a job that died with its workers; served by the event `job.dead`."""

    unit: UnitOfWork[TextTx]
    endings: Endings
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Other kinds of jobs, and texts that have ended, are let be."""
        died = claim.death(KINDS)
        async with self.unit() as tx:
            text = None if died is None else await tx.texts.of_job(died)
            if text is not None and not reading.is_over(text):
                await self.endings.fail(tx, text, ABANDONED, "Its job was given up.", self.clock.now())
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class SweepTexts:
    """End texts whose job has ended without them, such as one an operator cancelled; a cron slot runs it."""

    unit: UnitOfWork[TextTx]
    endings: Endings
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many there were."""
        async with self.unit() as tx:
            orphans = await tx.texts.orphans(ORPHANS_AT_ONCE)
            for text in orphans:
                await self.endings.fail(tx, text, ABANDONED, "Its job was cancelled.", self.clock.now())
            await tx.jobs.finish(claim, {"orphans": len(orphans)})


USE_CASES = (WriteText, CancelText, GiveUpText, SweepTexts)
