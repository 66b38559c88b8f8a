"""How texts end, and what ends with them: the hold, those who follow, the words kept meanwhile, and who hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.billing.usecases.quotas import Quotas
from opora.core.generation.events import TextCompleted, TextFailed, TextStopped
from opora.core.generation.model.engines import Ended, Usage
from opora.core.generation.model.texts import LONG, Status, Text
from opora.core.generation.ports.texts import TextTx
from opora.core.generation.rules import asking, charging, letters
from opora.core.jobs.model import NewJob
from opora.core.kernel.model import SYSTEM, Actor, Change


@dataclass(frozen=True, slots=True)
class Endings:
    """Every end of a text, in the transaction of whatever ends it."""

    quotas: Quotas

    async def complete(self, tx: TextTx, text: Text, content: str, ended: Ended, now: datetime) -> Usage:
        """End a text that was written, and those who follow it with the same words; return what it took."""
        usage = ended.usage or asking.estimated(text.wish.messages, content)
        done = text.complete(content, ended.reason, usage, ended.model or text.model, now)
        await tx.texts.save(done)
        await tx.texts.try_ended(done.id, done.attempts, "completed", ended.reference, now)
        await self._settled(tx, done, usage, now)
        for follower in await tx.texts.followers(text.id):
            served = follower.complete(content, ended.reason, Usage(), done.model, now)
            served = replace(served, is_cached=True, attempts=done.attempts, engine=done.engine)
            await tx.texts.save(served)
            await self._settled(tx, served, Usage(), now)
        return usage

    async def _settled(self, tx: TextTx, done: Text, usage: Usage, now: datetime) -> None:
        await tx.texts.forget_words(done.id)
        await self.quotas.settle(tx, str(done.id), charging.used(usage))
        event = TextCompleted(
            subject=str(done.id),
            at=now,
            owner=done.owner,
            function=done.function,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )
        await self._told(tx, done, event, now)

    async def fail(self, tx: TextTx, text: Text, error: str, detail: str, now: datetime) -> None:
        """End a text that cannot be written, and those who follow it; nothing is charged."""
        for one in (text, *await tx.texts.followers(text.id)):
            failed = one.fail(error, detail, now)
            await tx.texts.save(failed)
            await tx.texts.forget_words(one.id)
            await self.quotas.release(tx, str(one.id))
            event = TextFailed(subject=str(one.id), at=now, owner=one.owner, function=one.function, error=error)
            await self._told(tx, failed, event, now)

    async def cancel(self, tx: TextTx, actor: Actor, text: Text, now: datetime) -> Text:
        """End a text that nobody wants any more, charged as far as it was written; who follows it goes on."""
        said = "" if text.leader_id is not None else await tx.texts.said(text.id, text.attempts)
        usage = asking.estimated(text.wish.messages, said) if text.attempts else Usage()
        stopped = text.cancel(said, usage, now)
        await tx.texts.save(stopped)
        await tx.texts.try_ended(text.id, text.attempts, "cancelled", None, now)
        await tx.texts.forget_words(text.id)
        if text.attempts:
            await self.quotas.settle(tx, str(text.id), charging.used(usage))
        else:
            await self.quotas.release(tx, str(text.id))
        await self._go_on(tx, text)
        event = TextStopped(subject=str(text.id), at=now, owner=text.owner, function=text.function)
        await tx.outbox.add(event)
        await tx.audit.record(change(actor, event.topic, stopped, now, {"usage": usage.total_tokens}))
        return stopped

    async def _go_on(self, tx: TextTx, text: Text) -> None:
        """Let the first who follows lead, with a job of its own, and the others follow it."""
        leading: Text | None = None
        for follower in await tx.texts.followers(text.id):
            if leading is None:
                payload = {"text_id": str(follower.id), "round": 1}
                job = NewJob(kind=LONG, payload=payload, priority=follower.priority, request_id=follower.request_id)
                leading = follower.requeue(await tx.jobs.add(job))
                await tx.texts.save(leading)
            else:
                await tx.texts.save(follower.follow(leading.id))

    async def _told(self, tx: TextTx, text: Text, event: TextCompleted | TextFailed, now: datetime) -> None:
        await tx.outbox.add(event)
        await tx.audit.record(change(SYSTEM, event.topic, text, now))
        letter = letters.letter(text)
        if letter is not None:
            await tx.notices.add(letter)


def change(actor: Actor, action: str, text: Text, at: datetime, new: Mapping[str, object] | None = None) -> Change:
    """Return the audit entry of something that happened to a text: never what was asked or written."""
    told = {"function": text.function, "status": str(text.status), "mode": str(text.mode)} | dict(new or {})
    if text.status is Status.FAILED:
        told["error"] = text.error
    return Change(actor=actor, action=action, entity_type="generation", entity_id=str(text.id), at=at, new=told)


USE_CASES = (Endings,)
