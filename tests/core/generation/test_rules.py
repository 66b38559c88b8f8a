"""What may be asked and published, what it takes, what is repeated, and what a reader lacks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.billing.errors.quotas import UpgradeRequired
from opora.core.billing.model.plans import Plan
from opora.core.billing.model.quotas import QuotaPolicy
from opora.core.generation.errors import InvalidPrompt, InvalidRequest, InvalidTemplate, InvalidVariables
from opora.core.generation.model.engines import CallPolicy, Finish, Message, RetryBudget, Speaker, Usage, Wish
from opora.core.generation.model.prompts import Draft, PromptVersion, Variable
from opora.core.generation.model.texts import Mode, Place, Reach, Status, Text, TextPolicy, Words
from opora.core.generation.rules import asking, calls, charging, letters, prompts, reading
from opora.core.generation.rules.asking import Order
from opora.core.generation.rules.reading import More, Reset
from opora.core.jobs.model import Priority
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Actor

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
WISH = Wish(messages=(Message(Speaker.USER, "Напиши о чае"),), max_tokens=100)
TASK = UUID("01900000-0000-7000-8000-000000000001")


def a_text(**changes: object) -> Text:
    text = Text(id=TASK, owner="user:7", function="post", wish=WISH, mode=Mode.SYNC, requested_at=NOON)
    return replace(text, **changes)  # type: ignore[arg-type]


def an_order(**changes: object) -> Order:
    return Order(**({"function": "post", "topic": "tea", "variables": {}} | changes))  # type: ignore[arg-type]


def a_version(template: str, *variables: Variable, system: str = "") -> PromptVersion:
    return PromptVersion(
        prompt_id=1, version=1, template=template, system=system, variables=variables, max_tokens=10,
        created_at=NOON, created_by="user:1",
    )  # fmt: skip


def a_plan(**options: str | int) -> Plan:
    return Plan(
        code="free", version=1, rank=0, price_minor=0, currency="RUB", features=(), limits=(), options=options,
        created_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"function": None}, "function"),
        ({"prompt_id": 3}, "topic"),
        ({"variables": {"topic": "coffee"}}, "topic"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"model": "a\nb"}, "model"),
        ({"model": ""}, "model"),
    ],
)
def test_an_order_out_of_bounds_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asking.refuse_order(an_order(**changes))
    assert list(refusal.value.errors) == [field]


def test_an_order_in_bounds_gives_its_topic_among_the_variables() -> None:
    order = an_order(variables={"topic": "tea", "tone": "dry"}, max_tokens=1, model="m")
    asking.refuse_order(order)
    assert asking.given_values(order) == {"topic": "tea", "tone": "dry"}
    assert asking.given_values(an_order(topic=None)) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"messages": ()}, "messages"),
        ({"messages": (Message(Speaker.USER, " \n"),)}, "messages"),
        ({"messages": (Message(Speaker.USER, "x" * (asking.CONTENT_MAX + 1)),)}, "messages"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"stop": ("",)}, "stop"),
        ({"stop": ("a",) * 5}, "stop"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
def test_a_conversation_out_of_bounds_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asking.refuse_wish(replace(WISH, **changes))  # type: ignore[arg-type]
    assert list(refusal.value.errors) == [field]


def test_a_conversation_in_bounds_is_taken() -> None:
    asking.refuse_wish(replace(WISH, temperature=1.0, top_p=1.0, stop=("x",)))


def test_the_length_decides_how_auto_is_served() -> None:
    policy = TextPolicy(short_tokens_max=10)
    assert asking.served(Mode.AUTO, 10, policy) is Mode.SYNC
    assert asking.served(Mode.AUTO, 11, policy) is Mode.ASYNC
    assert asking.served(Mode.STREAM, 11, policy) is Mode.STREAM


def test_nobody_waits_longer_than_may_be() -> None:
    policy = TextPolicy(wait_s=30, wait_max_s=120)
    assert [asking.wait_s(one, policy) for one in (None, 5.0, 500.0)] == [30, 5, 120]


def test_equal_wishes_share_a_name_and_others_do_not() -> None:
    key = asking.cache_key(1, 1, WISH)
    assert key == asking.cache_key(1, 1, replace(WISH))
    others = [(2, 1, WISH), (1, 2, WISH), (1, 1, replace(WISH, max_tokens=101)), (1, 1, replace(WISH, model="m"))]
    assert key not in {asking.cache_key(*one) for one in others}


def test_the_hold_of_a_text_covers_its_own_estimate() -> None:
    content = "слово " * 10
    usage = asking.estimated(WISH.messages, content)
    assert usage.is_estimated
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert asking.held_tokens(WISH) == usage.prompt_tokens + WISH.max_tokens


def test_admins_reach_everyones_texts_and_others_their_own() -> None:
    assert asking.reach(Actor(user_id=7)) == Reach("user:7")
    assert asking.reach(Actor(user_id=1, scopes=frozenset({"admin"}))) == Reach(None)


def test_a_text_takes_the_feature_of_its_function() -> None:
    assert charging.wanted(a_text()) == {"generate.post": 1, "generate.requests": 1, "generate.tokens": 108}
    assert "generate.own" in charging.wanted(a_text(function="poem"))
    assert charging.used(Usage(2, 3)) == {"generate.requests": 1, "generate.tokens": 5}


def test_a_plan_bounds_and_urges_its_texts() -> None:
    charging.refuse_longer(a_plan(**{"generate.max_tokens": 100}), a_text(), QuotaPolicy())
    with pytest.raises(UpgradeRequired) as refusal:
        charging.refuse_longer(a_plan(**{"generate.max_tokens": 99}), a_text(), QuotaPolicy("/plans"))
    assert refusal.value.facts["upgrade_url"] == "/plans"
    assert charging.priority(a_plan(**{"generate.priority": "high"})) is Priority.HIGH
    assert charging.priority(a_plan()) is Priority.NORMAL


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"template": " "}, "template"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"labels": tuple(f"l{one}" for one in range(21))}, "labels"),
        ({"labels": ("1",)}, "labels"),
        ({"labels": ("Up",)}, "labels"),
        ({"template": "x"}, "variables"),
        ({"template": "{{ topic }}{{ tone }}"}, "variables"),
        ({"variables": (Variable(name="topic"), Variable(name="topic"))}, "variables"),
        ({"variables": (Variable(name="to pic"),), "template": "x"}, "variables.0.name"),
        ({"variables": (Variable(name="if"),), "template": "x"}, "variables.0.name"),
        ({"variables": (Variable(name="topic", max_length=0),)}, "variables.0.max_length"),
        ({"variables": (Variable(name="topic", default="long", max_length=3),)}, "variables.0.default"),
    ],
)
def test_a_draft_that_does_not_fit_together_is_refused(changes: dict[str, object], field: str) -> None:
    draft = Draft(template="{{ topic }}", variables=(Variable(name="topic"),))
    with pytest.raises(InvalidPrompt) as refusal:
        prompts.refuse_draft(replace(draft, **changes))  # type: ignore[arg-type]
    assert field in refusal.value.errors


def test_too_many_variables_are_refused() -> None:
    names = [f"v{one}" for one in range(51)]
    draft = Draft(
        template="".join(f"{{{{ {one} }}}}" for one in names), variables=tuple(Variable(name=one) for one in names)
    )
    with pytest.raises(InvalidPrompt) as refusal:
        prompts.refuse_draft(draft)
    assert list(refusal.value.errors) == ["variables"]


def test_a_draft_may_ask_for_its_variables_in_the_system_message_alone() -> None:
    variables = (Variable(name="a"), Variable(name="b", default="", max_length=1))
    prompts.refuse_draft(Draft(template="{{ a }}", system="{% if b %}x{% endif %}", variables=variables))
    with pytest.raises(InvalidTemplate) as refusal:
        prompts.refuse_draft(Draft(template="x", system="{{ a"))
    assert list(refusal.value.errors) == ["system"]


@pytest.mark.parametrize("name", ["Post", "1post", "", "a b", "chat", "x" * 65])
def test_a_name_that_no_prompt_may_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidPrompt):
        prompts.refuse_name(name)


def test_a_good_name_is_taken() -> None:
    prompts.refuse_name("post.long-2")


def test_values_missing_undeclared_or_too_long_are_each_named() -> None:
    variables = (Variable(name="a"), Variable(name="b", default="x"), Variable(name="c", max_length=2))
    with pytest.raises(InvalidVariables) as refusal:
        prompts.values_for(variables, {"c": "abc", "d": 1})
    assert list(refusal.value.errors) == ["variables.a", "variables.c", "variables.d"]


def test_values_are_told_as_texts() -> None:
    variables = (Variable(name="a"), Variable(name="b", default="x"), Variable(name="c"), Variable(name="d"))
    given = {"a": 1.5, "c": True, "d": False}
    assert prompts.values_for(variables, given) == {"a": "1.5", "b": "x", "c": "true", "d": ""}


def test_an_engine_is_told_the_system_message_only_where_it_says_something() -> None:
    topic = Variable(name="topic", default="")
    version = a_version("{{ topic }}", topic, system="{% if topic == 'tea' %}Be brief.{% endif %}")
    assert prompts.messages(version, {"topic": "tea"}) == (
        Message(Speaker.SYSTEM, "Be brief."),
        Message(Speaker.USER, "tea"),
    )
    assert prompts.messages(version, {"topic": "milk"}) == (Message(Speaker.USER, "milk"),)
    with pytest.raises(InvalidVariables):
        prompts.messages(version, {})


FRACTION = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 9), st.none() | st.floats(0, 100), FRACTION, st.floats(0, 10))
def test_a_pause_keeps_to_its_bounds(tries: int, asked_s: float | None, fraction: float, tokens: float) -> None:
    policy = CallPolicy(tries_max=5)
    wait = calls.pause_s(tries, asked_s, fraction, RetryBudget(tokens), policy)
    if tries >= 5 or tokens < 1 or (asked_s or 0) > policy.cap_s:
        assert wait is None
    else:
        assert wait is not None
        assert (asked_s or 0) <= wait <= policy.cap_s


@given(st.integers(1, 9), st.floats(0, 10**6), FRACTION)
def test_a_round_waits_as_long_as_asked_within_an_hour_and_then_is_given_up(
    rounds: int, asked_s: float, fraction: float
) -> None:
    policy = TextPolicy(rounds_max=4)
    wait = calls.round_delay_s(rounds, asked_s, fraction, policy)
    if rounds >= 4:
        assert wait is None
    else:
        assert wait is not None
        assert min(asked_s, 3600) <= wait <= 3600


def test_the_budget_is_filled_by_calls_and_emptied_by_repetitions() -> None:
    policy = CallPolicy(budget_max=1.05, budget_ratio=0.1)
    budget = calls.credited(RetryBudget(1.0), policy)
    assert budget == RetryBudget(1.05)
    assert calls.pause_s(1, None, 0.5, calls.spent(budget), policy) is None


@pytest.mark.parametrize("sent", [None, "", "1", "1.", ".5", "1.x", "-1.2", "1.5.2", "٣.1", "1." + "9" * 10])
def test_a_place_that_nobody_gave_out_is_the_beginning(sent: str | None) -> None:
    assert reading.place_of(sent) == Place()


def test_a_place_is_read_back() -> None:
    assert reading.place_of("2.17") == Place(2, 17)


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_reading_on_from_any_place_gives_exactly_the_rest(content: str, one: int, other: int) -> None:
    start, known = sorted((min(one, len(content)), min(other, len(content))))
    found = list(reading.steps(Place(3, known), Words(3, start, content[start:])))
    assert "".join(step.text for step in found if isinstance(step, More)) == content[known:]
    assert not any(isinstance(step, Reset) for step in found)


def test_words_of_another_call_reset_who_has_read() -> None:
    assert list(reading.steps(Place(1, 4), Words(2, 0, "new"))) == [Reset(Place(2, 0)), More("new", Place(2, 3))]
    assert list(reading.steps(Place(1, 0), Words(2, 0, "new"))) == [More("new", Place(2, 3))]
    assert list(reading.steps(Place(2, 9), Words(2, 0, "new"))) == [Reset(Place(2, 0)), More("new", Place(2, 3))]


def test_a_text_moves_by_its_table() -> None:
    begun = a_text().begin("local", NOON)
    again = begun.begin("other", NOON)
    assert (again.attempts, again.engine, again.started_at, again.version) == (2, "other", NOON, 3)
    done = again.complete("words", Finish.STOP, Usage(), "m", NOON)
    moves: list[Callable[[], Text]] = [
        lambda: done.begin("x", NOON),
        lambda: done.requeue(TASK),
        lambda: done.cancel("", Usage(), NOON),
        lambda: done.fail("x", "y", NOON),
    ]
    for move in moves:
        with pytest.raises(IllegalMove):
            move()
    assert again.requeue(TASK).status is Status.QUEUED
    assert a_text(leader_id=TASK).requeue(TASK).leader_id is None
    assert a_text(leader_id=TASK).source_id == TASK
    assert a_text().source_id == TASK


def test_a_letter_goes_to_whoever_did_not_wait() -> None:
    told = a_text(notify=True, user_id=7, status=Status.COMPLETED, content="a\n b " + "c" * 300)
    letter = letters.letter(told)
    assert letter is not None
    assert letter.kind == "generation.completed"
    opening = str(letter.data["opening"])
    assert opening.startswith("a b c")
    failed = letters.letter(replace(told, status=Status.FAILED, content=None, error_detail="No engine."))
    assert failed is not None
    assert failed.data["detail"] == "No engine."
    assert letters.letter(a_text(user_id=7, status=Status.COMPLETED)) is None
    assert letters.letter(a_text(notify=True, status=Status.COMPLETED)) is None
