"""Asking for a text: by a prompt, or as a conversation; waiting for it, and reading it as it is written."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from opora.core.billing.usecases.quotas import Quotas
from opora.core.generation.errors import NoSuchModel, NoSuchPrompt, NoSuchText
from opora.core.generation.model.engines import Finish, Usage, Wish
from opora.core.generation.model.prompts import PRODUCTION, PromptVersion
from opora.core.generation.model.texts import CHAT, LONG, SHORT, Mode, Place, Reach, Status, Text, TextPolicy
from opora.core.generation.ports.engines import TextEngines
from opora.core.generation.ports.texts import LiveTexts, Performer, TextTx, TextViews
from opora.core.generation.rules import asking, charging, prompts, reading
from opora.core.generation.rules.asking import Order
from opora.core.generation.rules.reading import End, Step
from opora.core.generation.usecases.endings import change
from opora.core.jobs.model import Claim, NewJob, Priority
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, IdempotentCalls, Identifiers, UnitOfWork

HEARTBEAT_S = 15.0


@dataclass(frozen=True, slots=True)
class AskForText:
    """Ask for a text: its row, its hold and its job are kept together, or none of them."""

    unit: UnitOfWork[TextTx]
    quotas: Quotas
    performer: Performer
    engines: TextEngines
    calls: IdempotentCalls
    identifiers: Identifiers
    clock: Clock
    policy: TextPolicy

    async def __call__(self, actor: Actor, order: Order) -> Text:
        """Ask by a prompt. An equal text of the owner's, written lately or being written, serves unless `fresh`.

        Raises InvalidRequest, InvalidVariables, NoSuchPrompt, NoSuchModel, UpgradeRequired, QuotaExhausted.
        """
        asking.refuse_order(order)
        await self._refuse_strange(order.model)
        async with self.unit() as tx:
            name, version = await prompt_of(tx, order)
            wish = Wish(
                messages=prompts.messages(version, asking.given_values(order)),
                max_tokens=version.max_tokens if order.max_tokens is None else order.max_tokens,
                model=order.model,
            )
            draft = self._drafted(actor, name, wish, order.mode)
            key = asking.cache_key(version.prompt_id, version.version, wish)
            draft = replace(draft, prompt_id=version.prompt_id, prompt_version=version.version)
            draft = draft if order.fresh else replace(draft, cache_key=key)
            text, claim = await self._taken_on(tx, actor, draft)
        return await self._begun(text, claim)

    async def chat(self, actor: Actor, wish: Wish, mode: Mode) -> Text:
        """Ask by a conversation, which is written anew each time. Raises as the call by a prompt."""
        asking.refuse_wish(wish)
        await self._refuse_strange(wish.model)
        draft = self._drafted(actor, CHAT, wish, mode)
        async with self.unit() as tx:
            text, claim = await self._taken_on(tx, actor, draft)
        return await self._begun(text, claim)

    async def _refuse_strange(self, model: str | None) -> None:
        """Raise NoSuchModel for a model that no engine has; before the transaction, for engines may be far away."""
        if model is not None and await self.engines.lacks(model):
            raise NoSuchModel(model=model)

    def _drafted(self, actor: Actor, function: str, wish: Wish, mode: Mode) -> Text:
        served = asking.served(mode, wish.max_tokens, self.policy)
        return Text(
            id=self.identifiers.task_id(),
            owner=actor.subject,
            user_id=actor.user_id,
            function=function,
            wish=wish,
            mode=served,
            status=Status.QUEUED,
            priority=Priority.NORMAL,
            notify=served is Mode.ASYNC and actor.user_id is not None,
            request_id=actor.origin.request_id,
            requested_at=self.clock.now(),
        )

    async def _taken_on(self, tx: TextTx, actor: Actor, draft: Text) -> tuple[Text, Claim | None]:
        """Keep the text as one that is there already, that follows another, or that has a job of its own."""
        answered = leader = None
        if draft.cache_key is not None:
            # Before the quota: whoever ends a text holds its row when they settle, so the rows are locked in one order.
            since = draft.requested_at - timedelta(seconds=self.policy.cache_s)
            leader = await tx.texts.leader(draft.owner, draft.cache_key)
            answered = await tx.texts.answered(draft.owner, draft.cache_key, since)
        text = draft
        if draft.user_id is not None:
            wanted = charging.wanted(draft)
            plan = await self.quotas.hold(tx, draft.user_id, wanted, str(draft.id), draft.requested_at)
            charging.refuse_longer(plan, draft, self.quotas.policy)
            text = replace(draft, priority=charging.priority(plan))
        await tx.audit.record(change(actor, "generation.requested", text, draft.requested_at))
        if answered is not None:
            return await self._answered(tx, text, answered), None
        if leader is not None:
            text = replace(text, leader_id=leader.id)
            await tx.texts.add(text)
            return text, None
        return await self._with_job(tx, text)

    async def _answered(self, tx: TextTx, text: Text, answered: Text) -> Text:
        now = text.requested_at
        finish = answered.finish or Finish.STOP
        served = text.complete(answered.content or "", finish, Usage(), answered.model, now)
        served = replace(served, is_cached=True, engine=answered.engine)
        await tx.texts.add(served)
        await self.quotas.settle(tx, str(text.id), charging.used(Usage()))
        return served

    async def _with_job(self, tx: TextTx, text: Text) -> tuple[Text, Claim | None]:
        is_awaited = text.mode is not Mode.ASYNC
        job = NewJob(
            kind=SHORT if is_awaited else LONG,
            payload={"text_id": str(text.id), "round": 1},
            priority=text.priority,
            request_id=text.request_id,
        )
        if is_awaited and self.performer.has_room():
            claim = await tx.jobs.take(job, self.policy.lease_s)
            text = replace(text, job_id=claim.id)
            await tx.texts.add(text)
            return text, claim
        text = replace(text, job_id=await tx.jobs.add(job))
        await tx.texts.add(text)
        return text, None

    async def _begun(self, text: Text, claim: Claim | None) -> Text:
        if text.mode is not Mode.ASYNC:
            # Under an Idempotency-Key the commit waits for the answer, and the answer would wait for the commit.
            await self.calls.commit()
        if claim is not None:
            self.performer.perform(claim)
        return text


async def prompt_of(tx: TextTx, order: Order) -> tuple[str, PromptVersion]:
    """Return name and version that an order means; raises NoSuchPrompt."""
    found = await tx.prompts.labelled(
        None if order.prompt_id is not None else order.function, order.prompt_id, PRODUCTION
    )
    if found is None or order.function not in (None, found[0]):
        raise NoSuchPrompt(function=order.function, prompt_id=order.prompt_id)
    if order.prompt_version is None:
        return found
    version = await tx.prompts.version(found[1].prompt_id, order.prompt_version)
    if version is None:
        raise NoSuchPrompt(prompt_id=found[1].prompt_id, prompt_version=order.prompt_version)
    return found[0], version


@dataclass(frozen=True, slots=True)
class FollowText:
    """Read a text while it is written, wherever that is."""

    views: TextViews
    live: LiveTexts
    policy: TextPolicy

    async def one(self, id: UUID, reach: Reach) -> Text:
        """Return the text as it stands; raises NoSuchText."""
        text = await self.views.one(id, reach)
        if text is None:
            raise NoSuchText(task_id=str(id))
        return text

    async def settled(self, id: UUID, reach: Reach, wait_s: float) -> Text:
        """Return the text when it has ended, or as it stands when the time is over."""
        text = await self.one(id, reach)
        try:
            async with asyncio.timeout(wait_s):
                while not reading.is_over(text):
                    await self.live.ended(text.source_id, self.policy.look_s)
                    text = await self.one(id, reach)
        except TimeoutError:
            pass
        return text

    async def steps(self, id: UUID, reach: Reach, place: Place) -> AsyncGenerator[Step | None]:
        """Yield what brings a reader from a place to the end; None where nothing was said for a while.

        The last step is `End`. Closing the generator ends nothing but the reading.
        """
        while True:
            text = await self.one(id, reach)
            if reading.is_over(text):
                for step in reading.steps(place, reading.whole(text)):
                    yield step
                yield End(text)
                return
            source = text.source_id
            words = self.live.words(source, place)
            is_here = words is not None
            for step in reading.steps(place, words or await self.views.words(source, place)):
                yield step
                place = step.place
            if is_here and self.live.words(source, place) is None:
                continue  # it ended while the reader was busy with its words: nobody would wake them
            pause_s = HEARTBEAT_S if is_here else self.policy.look_s
            if not await self.live.more(source, place, pause_s):
                yield None


USE_CASES = (AskForText, FollowText)
