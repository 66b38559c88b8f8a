"""The contract of the stores that keep texts and prompts: subclass one and give it the adapter."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from opora.core.generation.errors import PromptExists
from opora.core.generation.model.engines import Finish, Message, Speaker, Usage, Wish
from opora.core.generation.model.prompts import Prompt, PromptVersion, Variable
from opora.core.generation.model.texts import Attempt, Mode, Place, Reach, Text, Words
from opora.core.generation.ports.prompts import PromptTx, PromptViews
from opora.core.generation.ports.texts import TextTx, TextViews, WordLog
from opora.core.jobs.model import JobState, NewJob
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MINE = Reach("user:7")
EVERYONES = Reach(None)
WISH = Wish(messages=(Message(Speaker.SYSTEM, "Кратко"), Message(Speaker.USER, "О чае")), max_tokens=9, stop=("x",))


def a_text(**changes: Any) -> Text:
    """Build a text of user 7's; it has an id of its own."""
    fields: dict[str, Any] = {
        "id": uuid4(),
        "owner": "user:7",
        "user_id": 7,
        "function": "post",
        "wish": WISH,
        "mode": Mode.SYNC,
    }
    return Text(**(fields | {"requested_at": NOON} | changes))


class TextStoreContract:
    """Texts and their words."""

    unit: UnitOfWork[TextTx]
    views: TextViews
    log: WordLog

    async def kept(self, **changes: Any) -> Text:
        """Keep a text."""
        text = a_text(**changes)
        async with self.unit() as tx:
            await tx.texts.add(text)
        return text

    async def saved(self, text: Text) -> Text:
        """Save a text."""
        async with self.unit() as tx:
            await tx.texts.save(text)
        return text

    async def done(self, **changes: Any) -> Text:
        """Keep a text that was written."""
        text = await self.kept(**changes)
        return await self.saved(text.complete("words", Finish.STOP, Usage(1, 2), "m", NOON))

    async def one(self, id: UUID) -> Text | None:
        """Read a text as anybody's."""
        return await self.views.one(id, EVERYONES)

    async def test_a_text_is_given_back_as_it_was_kept(self) -> None:
        text = await self.kept(cache_key="k", prompt_id=1, prompt_version=2, notify=True, request_id="r")
        assert await self.one(text.id) == text
        ended = await self.saved(text.begin("e", NOON))
        ended = await self.saved(ended.complete("слова", Finish.LENGTH, Usage(1, 2, True), "m", NOON))
        async with self.unit() as tx:
            assert await tx.texts.get(text.id) == ended

    async def test_a_version_that_somebody_replaced_is_not_saved(self) -> None:
        text = await self.kept()
        await self.saved(text.begin("e", NOON))
        with pytest.raises(Stale):
            await self.saved(text.begin("f", NOON))

    async def test_what_is_rolled_back_was_never_there(self) -> None:
        text = a_text()
        with pytest.raises(LookupError):
            async with self.unit() as tx:
                await tx.texts.add(text)
                raise LookupError
        assert await self.one(text.id) is None

    async def test_others_see_nothing_of_it(self) -> None:
        text = await self.kept()
        await self.kept(owner="user:8")
        assert await self.views.one(text.id, Reach("user:8")) is None
        page = await self.views.page(MINE, PageRequest(limit=10))
        assert ([one.id for one in page.items], page.count, page.more) == ([text.id], 1, False)
        assert (await self.views.page(EVERYONES, PageRequest(limit=1))).more

    async def test_a_text_is_found_by_its_job(self) -> None:
        job_id = uuid4()
        text = await self.kept(job_id=job_id)
        async with self.unit() as tx:
            assert await tx.texts.of_job(job_id) == text
            assert await tx.texts.of_job(uuid4()) is None

    async def test_of_equal_texts_that_go_on_one_leads(self) -> None:
        leader = await self.kept(cache_key="k")
        await self.kept(cache_key="k", leader_id=leader.id)
        await self.kept(cache_key="k", owner="user:8")
        with pytest.raises(Stale):
            await self.kept(cache_key="k")
        async with self.unit() as tx:
            assert await tx.texts.leader("user:7", "k") == leader
            assert await tx.texts.leader("user:7", "other") is None
        await self.saved(leader.fail("x", "y", NOON))
        async with self.unit() as tx:
            assert await tx.texts.leader("user:7", "k") is None
        await self.kept(cache_key="k")

    async def test_of_equal_texts_asked_for_at_once_one_leads(self) -> None:
        async def ask() -> None:
            async with self.unit() as tx:
                leader = await tx.texts.leader("user:7", "k")
                await tx.texts.add(a_text(cache_key="k", leader_id=leader.id if leader else None))

        await asyncio.gather(*(ask() for _ in range(20)))
        page = await self.views.page(MINE, PageRequest(limit=50))
        assert (page.count, sum(one.leader_id is None for one in page.items)) == (20, 1)

    async def test_followers_are_those_that_have_not_ended(self) -> None:
        leader = await self.kept()
        first, second = await self.kept(leader_id=leader.id), await self.kept(leader_id=leader.id)
        await self.saved(first.cancel("", Usage(), NOON))
        async with self.unit() as tx:
            assert await tx.texts.followers(leader.id) == [second]

    async def test_the_answer_to_an_equal_wish_is_the_newest_that_an_engine_gave(self) -> None:
        await self.done(cache_key="k")
        cached = replace(a_text(cache_key="k", is_cached=True))
        async with self.unit() as tx:
            await tx.texts.add(cached.complete("words", Finish.STOP, Usage(), None, NOON + timedelta(1)))
        cut = await self.kept(cache_key="k")
        await self.saved(cut.complete("wor", Finish.LENGTH, Usage(), None, NOON + timedelta(1)))
        async with self.unit() as tx:
            found = await tx.texts.answered("user:7", "k", NOON)
            assert found is not None
            assert (found.content, found.is_cached) == ("words", False)
            assert await tx.texts.answered("user:7", "k", NOON + timedelta(seconds=1)) is None
            assert await tx.texts.answered("user:8", "k", NOON) is None

    async def test_orphans_are_texts_whose_job_or_leader_has_ended(self) -> None:
        async with self.unit() as tx:
            going = await tx.jobs.add(NewJob(kind="generate.long"))
            ended = await tx.jobs.add(NewJob(kind="generate.long"))
            job = await tx.jobs.get(ended)
            assert job is not None
            await tx.jobs.move(job, JobState.CANCELLED)
        leader = await self.kept(job_id=going)
        await self.kept(leader_id=leader.id)
        orphans = {(await self.kept(job_id=ended)).id, (await self.kept(job_id=uuid4())).id}
        failed = await self.kept(job_id=ended)
        orphans.add((await self.kept(leader_id=failed.id)).id)
        await self.saved(failed.fail("x", "y", NOON))
        async with self.unit() as tx:
            assert {one.id for one in await tx.texts.orphans(10)} == orphans
            assert len(await tx.texts.orphans(1)) == 1

    async def test_words_are_those_of_the_call_that_counts(self) -> None:
        text = await self.kept()
        begun = await self.saved(text.begin("e", NOON))
        await self.log.keep(text.id, Words(1, 0, "од"))
        await self.log.keep(text.id, Words(1, 2, "ин"))
        await self.log.keep(text.id, Words(1, 2, "again"))
        assert await self.views.words(text.id, Place(1, 1)) == Words(1, 0, "один")
        again = await self.saved(begun.begin("f", NOON))
        assert await self.views.words(text.id, Place()) == Words(2, 0, "")
        async with self.unit() as tx:
            assert await tx.texts.said(text.id, 1) == "один"
            await tx.texts.forget_words(text.id)
            await tx.texts.save(again.complete("whole", Finish.STOP, Usage(), None, NOON))
        assert await self.views.words(text.id, Place(2, 1)) == Words(2, 0, "whole")
        assert await self.views.words(uuid4(), Place()) == Words(0, 0, "")

    async def test_a_call_ends_once(self) -> None:
        text = await self.kept()
        async with self.unit() as tx:
            await tx.texts.try_began(Attempt(text_id=text.id, number=1, engine="e", started_at=NOON))
            await tx.texts.try_ended(text.id, 1, "completed", "ref", NOON)
            await tx.texts.try_ended(text.id, 1, "cancelled", None, NOON)
        assert await self.outcomes(text.id) == [("completed", "ref")]

    async def outcomes(self, id: UUID) -> list[tuple[str, str | None]]:
        """Return outcome and reference of each call."""
        raise NotImplementedError


class PromptStoreContract:
    """Prompts, their versions and labels."""

    unit: UnitOfWork[PromptTx]
    views: PromptViews
    tampered: Callable[[str], Awaitable[bool]]
    """Runs a statement and tells whether the store let it."""

    async def kept(self, name: str = "poem") -> Prompt:
        """Keep a prompt with one version."""
        async with self.unit() as tx:
            id = await tx.prompts.next_id()
            prompt = Prompt(id=id, name=name, description="d", versions=0, labels={}, created_at=NOON)
            await tx.prompts.add(prompt)
            await tx.prompts.publish(self.version(id, 1))
            await tx.prompts.point(id, "production", 1)
        return replace(prompt, versions=1, labels={"production": 1})

    def version(self, id: int, number: int) -> PromptVersion:
        """Build a version."""
        return PromptVersion(
            prompt_id=id,
            version=number,
            template="О {{ topic }}",
            system="",
            variables=(Variable(name="topic"), Variable(name="tone", default="")),
            max_tokens=9,
            created_at=NOON,
            created_by="user:1",
        )

    async def test_a_prompt_is_given_back_as_it_was_kept(self) -> None:
        prompt = await self.kept()
        assert await self.views.one(prompt.id) == prompt
        assert await self.views.version(prompt.id, 1) == self.version(prompt.id, 1)
        async with self.unit() as tx:
            assert await tx.prompts.get(prompt.id) == prompt
            assert await tx.prompts.labelled("poem", None, "production") == ("poem", self.version(prompt.id, 1))
            assert await tx.prompts.labelled(None, prompt.id, "other") is None
            assert await tx.prompts.get(10_000) is None
        assert await self.views.one(10_000) is None
        assert prompt.name in {one.name for one in (await self.views.page(PageRequest(limit=200))).items}

    async def test_of_two_prompts_of_one_name_one_is_kept(self) -> None:
        found = await asyncio.gather(*(self.kept() for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(one, Prompt) for one in found) == 1
        assert sum(isinstance(one, PromptExists) for one in found) == 4

    async def test_versions_follow_one_another(self) -> None:
        prompt = await self.kept()
        async with self.unit() as tx:
            await tx.prompts.publish(self.version(prompt.id, 2))
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.prompts.publish(self.version(prompt.id, 2))
        whole = await self.views.versions(prompt.id, PageRequest())
        assert ([one.version for one in whole.items], whole.count, whole.more) == ([2, 1], 2, False)
        first = await self.views.versions(prompt.id, PageRequest(limit=1))
        assert ([one.version for one in first.items], first.count, first.more) == ([2], 2, True)
        assert (await self.views.versions(10_000, PageRequest())).count == 0

    async def test_a_published_version_never_changes(self) -> None:
        prompt = await self.kept()
        assert not await self.tampered("UPDATE prompt_versions SET template = 'x'")
        assert not await self.tampered("DELETE FROM prompt_versions")
        assert await self.views.version(prompt.id, 1) == self.version(prompt.id, 1)

    async def test_a_label_points_to_one_version(self) -> None:
        prompt = await self.kept()
        async with self.unit() as tx:
            await tx.prompts.publish(self.version(prompt.id, 2))
            await tx.prompts.point(prompt.id, "production", 2)
            await tx.prompts.point(prompt.id, "test", 1)
            assert await tx.prompts.unpoint(prompt.id, "test")
            assert not await tx.prompts.unpoint(prompt.id, "test")
            assert await tx.prompts.version(prompt.id, 2) is not None
        found = await self.views.one(prompt.id)
        assert found is not None
        assert found.labels == {"production": 2}
