"""The language of prompts: what it says, what it refuses, and that every template ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.generation.errors import InvalidTemplate
from opora.core.generation.model.prompts import RENDERED_MAX, TEMPLATE_MAX
from opora.core.generation.rules.templates import DEPTH_MAX, Template, parse, render


def said(source: str, **values: str) -> str:
    return render(parse(source), values)


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("", {}, ""),
        ("plain { text } % #", {}, "plain { text } % #"),
        ("{{ a }}-{{a}}", {"a": "x"}, "x-x"),
        ("{{ a }}", {}, ""),
        ("{{ a }}", {"a": "{{ b }}{% if b %}"}, "{{ b }}{% if b %}"),
        ("a{# not said #}b", {}, "ab"),
        ("{% if a %}yes{% endif %}", {"a": "1"}, "yes"),
        ("{% if a %}yes{% endif %}", {"a": ""}, ""),
        ("{% if not a %}no{% else %}yes{% endif %}", {"a": ""}, "no"),
        ("{% if a == 'x' %}1{% elif a == \"y\" %}2{% else %}3{% endif %}", {"a": "y"}, "2"),
        ("{% if a == 'x' %}1{% elif a == \"y\" %}2{% else %}3{% endif %}", {"a": "z"}, "3"),
        ("{% if a != 'x' %}1{% endif %}", {"a": "x"}, ""),
        ("{% if a %}{% if b %}both{% endif %}{% endif %}.", {"a": "1", "b": "1"}, "both."),
    ],
)
def test_a_template_says_its_values_and_choices(source: str, values: dict[str, str], text: str) -> None:
    assert said(source, **values) == text


def test_a_template_names_every_variable_it_asks_for() -> None:
    assert parse("{{ a }}{% if b == 'x' %}{{ c }}{% elif not d %}{% endif %}").names == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{% for i in range(10**9) %}x{% endfor %}", "there is no for"),
        ("{% while true %}", "there is no while"),
        ("{% %}", "there is no empty tag"),
        ("{{ a.__class__ }}", "a value is one name"),
        ("{{ a | upper }}", "a value is one name"),
        ("{{ endif }}", "a value is one name"),
        ("{{ 1 + 1 }}", "a value is one name"),
        ("{{ a", "{{ is never closed"),
        ("{% if a", "{% is never closed"),
        ("{% if a %}", "if is never ended"),
        ("{% endif %}", "endif belongs to no if"),
        ("{% else %}", "else belongs to no if"),
        ("{% if a %}{% else %}{% else %}{% endif %}", "else follows else"),
        ("{% if a %}{% else %}{% elif b %}{% endif %}", "elif follows else"),
        ("{% if a %}{% else b %}{% endif %}", "else stands alone"),
        ("{% if a %}{% endif b %}", "endif stands alone"),
        ("{% if %}{% endif %}", "a condition is"),
        ("{% if a > 1 %}{% endif %}", "a condition is"),
        ("{% if not a == 'x' %}{% endif %}", "write !="),
        ("{% if a %}" * (DEPTH_MAX + 1) + "{% endif %}" * (DEPTH_MAX + 1), f"at most {DEPTH_MAX} deep"),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_its_line(source: str, told: str) -> None:
    with pytest.raises(InvalidTemplate) as refusal:
        parse("first line\n" + source)
    (message,) = refusal.value.errors["template"]
    assert told in message
    assert message.startswith("line 2: ")


def test_a_template_too_long_is_refused() -> None:
    with pytest.raises(InvalidTemplate):
        parse("x" * (TEMPLATE_MAX + 1))


def test_a_text_too_long_is_refused() -> None:
    source = "{{ a }}" * 100
    with pytest.raises(InvalidTemplate):
        said(source, a="x" * (RENDERED_MAX // 100 + 1))
    assert len(said(source, a="x" * (RENDERED_MAX // 100))) == RENDERED_MAX


PIECES = st.sampled_from(
    ["{{ a }}", "{{b}}", "{% if a %}", "{% if not b %}", "{% elif a == 'x' %}", "{% else %}", "{% endif %}", "{{", "%}",
     "{# c #}", "{#", "\n", "text", "{% for %}"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=20), st.text(max_size=20))
def test_every_template_is_refused_or_rendered(source: str, a: str, b: str) -> None:
    try:
        template = parse(source)
    except InvalidTemplate as refusal:
        assert refusal.errors["template"]
        return
    assert isinstance(template, Template)
    assert len(render(template, {"a": a, "b": b})) <= len(source) + source.count("{{") * (len(a) + len(b))
