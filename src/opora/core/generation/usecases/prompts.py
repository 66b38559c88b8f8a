"""What people do with prompts."""

from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.generation.errors import LabelInUse, NoSuchPrompt
from opora.core.generation.events import PromptPublished
from opora.core.generation.model.engines import Message
from opora.core.generation.model.prompts import PRODUCTION, Draft, Prompt, PromptVersion
from opora.core.generation.ports.prompts import PromptTx, PromptViews
from opora.core.generation.rules import prompts as rules
from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class MakePrompt:
    """Make a prompt with its first version."""

    unit: UnitOfWork[PromptTx]
    clock: Clock

    async def __call__(self, actor: Actor, name: str, description: str, draft: Draft) -> Prompt:
        """Raise InvalidPrompt, InvalidTemplate, or PromptExists; the first version is what `production` points to."""
        rules.refuse_name(name)
        rules.refuse_draft(draft)
        now = self.clock.now()
        labels = tuple(dict.fromkeys((PRODUCTION, *draft.labels)))
        async with self.unit() as tx:
            id = await tx.prompts.next_id()
            prompt = Prompt(id=id, name=name, description=description, versions=0, labels={}, created_at=now)
            await tx.prompts.add(prompt)
            return await published(tx, actor, prompt, replace(draft, labels=labels), now)


@dataclass(frozen=True, slots=True)
class PublishVersion:
    """Publish another version of a prompt; those before it stay what they are."""

    unit: UnitOfWork[PromptTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, draft: Draft) -> Prompt:
        """Raise NoSuchPrompt, InvalidPrompt, InvalidTemplate."""
        rules.refuse_draft(draft)
        async with self.unit() as tx:
            prompt = await tx.prompts.get(id)
            if prompt is None:
                raise NoSuchPrompt(prompt_id=id)
            return await published(tx, actor, prompt, draft, self.clock.now())


@dataclass(frozen=True, slots=True)
class MoveLabel:
    """Let a label point to a version, or take it away."""

    unit: UnitOfWork[PromptTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, label: str, version: int | None) -> Prompt:
        """Without a version the label goes. Raises InvalidPrompt, NoSuchPrompt, LabelInUse for `production`."""
        rules.refuse_label(label)
        if version is None and label == PRODUCTION:
            raise LabelInUse
        async with self.unit() as tx:
            prompt = await tx.prompts.get(id)
            found = prompt is not None and (version is None or await tx.prompts.version(id, version) is not None)
            if prompt is None or not found:
                raise NoSuchPrompt(prompt_id=id, prompt_version=version)
            if version is None:
                await tx.prompts.unpoint(id, label)
            else:
                await tx.prompts.point(id, label, version)
            new: dict[str, object] = {"label": label, "version": version, "was": prompt.labels.get(label)}
            await tx.audit.record(change(actor, "prompt.labelled", prompt, self.clock.now(), new))
            return await tx.prompts.get(id) or prompt


@dataclass(frozen=True, slots=True)
class PreviewPrompt:
    """Say what an engine would be told, without telling it."""

    views: PromptViews

    async def __call__(self, id: int, version: int | None, given: rules.Given) -> tuple[Message, ...]:
        """Raise NoSuchPrompt, InvalidVariables; without a version it is the one that `production` points to."""
        prompt = await self.views.one(id)
        wanted = version if version is not None or prompt is None else prompt.labels[PRODUCTION]
        found = None if wanted is None else await self.views.version(id, wanted)
        if found is None:
            raise NoSuchPrompt(prompt_id=id, prompt_version=version)
        return rules.messages(found, given)


async def published(tx: PromptTx, actor: Actor, prompt: Prompt, draft: Draft, now: datetime) -> Prompt:
    """Keep the next version of a prompt, move its labels, and tell of it."""
    number = prompt.versions + 1
    version = PromptVersion(
        prompt_id=prompt.id,
        version=number,
        template=draft.template,
        system=draft.system,
        variables=draft.variables,
        max_tokens=draft.max_tokens,
        created_at=now,
        created_by=actor.subject,
    )
    await tx.prompts.publish(version)
    for label in draft.labels:
        await tx.prompts.point(prompt.id, label, number)
    labels = prompt.labels | dict.fromkeys(draft.labels, number)
    event = PromptPublished(subject=prompt.id, at=now, name=prompt.name, version=number, labels=draft.labels)
    await tx.outbox.add(event)
    new: dict[str, object] = {"version": number, "labels": list(draft.labels)}
    await tx.audit.record(change(actor, event.topic, prompt, now, new))
    return replace(prompt, versions=number, labels=labels)


def change(actor: Actor, action: str, prompt: Prompt, at: datetime, new: dict[str, object]) -> Change:
    """Return the audit entry of something that happened to a prompt."""
    return Change(actor=actor, action=action, entity_type="prompt", entity_id=str(prompt.id), at=at, new=new)


USE_CASES = (MakePrompt, PublishVersion, MoveLabel, PreviewPrompt)
