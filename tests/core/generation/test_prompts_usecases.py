"""What people do with prompts, over a real store."""

import pytest

from core.generation.press import ADMIN, Press, a_draft
from opora.core.generation.errors import InvalidPrompt, LabelInUse, NoSuchPrompt, PromptExists
from opora.core.generation.model.engines import Message, Speaker

pytestmark = pytest.mark.anyio


async def test_a_prompt_is_made_with_the_version_that_callers_get(press: Press) -> None:
    prompt = await press.prompt("poem", a_draft(labels=("test",)))
    assert (prompt.versions, prompt.labels) == (1, {"production": 1, "test": 1})
    assert await press.actions() == ["prompt.published"]
    assert await press.topics() == ["prompt.published"]
    with pytest.raises(PromptExists):
        await press.prompt("poem")
    with pytest.raises(InvalidPrompt):
        await press.prompt("Poem")
    with pytest.raises(InvalidPrompt):
        await press.prompt("other", a_draft("x"))


async def test_versions_follow_one_another_and_labels_move(press: Press) -> None:
    prompt = await press.prompt()
    quiet = await press.publish(ADMIN, prompt.id, a_draft("Sing of {{ topic }}", labels=()))
    assert (quiet.versions, quiet.labels) == (2, {"production": 1})
    moved = await press.move_label(ADMIN, prompt.id, "production", 2)
    assert moved.labels == {"production": 2}
    assert (await press.move_label(ADMIN, prompt.id, "test", 1)).labels == {"production": 2, "test": 1}
    assert (await press.move_label(ADMIN, prompt.id, "test", None)).labels == {"production": 2}
    assert (await press.actions())[2:] == ["prompt.labelled"] * 3


async def test_labels_that_cannot_move_are_refused(press: Press) -> None:
    prompt = await press.prompt()
    with pytest.raises(LabelInUse):
        await press.move_label(ADMIN, prompt.id, "production", None)
    for id, version in ((prompt.id, 2), (99, 1), (99, None)):
        with pytest.raises(NoSuchPrompt):
            await press.move_label(ADMIN, id, "test", version)
    with pytest.raises(InvalidPrompt):
        await press.move_label(ADMIN, prompt.id, "7", 1)
    with pytest.raises(NoSuchPrompt):
        await press.publish(ADMIN, 99, a_draft())


async def test_a_preview_tells_nobody(press: Press) -> None:
    prompt = await press.prompt("poem", a_draft(system="Be brief."))
    await press.publish(ADMIN, prompt.id, a_draft("Sing of {{ topic }}"))
    said = (Message(Speaker.SYSTEM, "Be brief."), Message(Speaker.USER, "Write of tea"))
    assert await press.preview(prompt.id, 1, {"topic": "tea"}) == said
    assert await press.preview(prompt.id, None, {"topic": "tea"}) == (Message(Speaker.USER, "Sing of tea"),)
    for id, version in ((99, None), (99, 1), (prompt.id, 3)):
        with pytest.raises(NoSuchPrompt):
            await press.preview(id, version, {})
    assert press.engines.wishes == []


async def test_the_seeded_prompts_speak_russian_unless_told_otherwise(press: Press) -> None:
    for id in (1, 2, 3):
        russian = await press.preview(id, None, {"topic": "чай"})
        english = await press.preview(id, None, {"topic": "tea", "language": "en"})
        assert "по-русски" in russian[0].content
        assert "in English" in english[0].content
        assert "tea" in english[1].content
