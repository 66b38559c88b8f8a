"""Notices are put into words in every language alike, and no value is more than a value."""

from datetime import UTC, datetime

import pytest
from jinja2 import meta, nodes

from opora.adapters.templates.wording import JinjaTemplates, kinds_without_templates
from opora.core.notifications.model.kinds import KINDS, Kind
from opora.core.notifications.model.letters import LOCALES

GLOBALS = {"plural", "base_url", "product"}
FIXED = ("subject", "text")
CASES = [(language, kind) for language in LOCALES for kind in KINDS.values()]


@pytest.fixture(scope="module")
def templates() -> JinjaTemplates:
    return JinjaTemplates("https://opora.example")


def values_of(kind: Kind, text: str = "Anna") -> dict[str, object]:
    """Return a value for each variable of a kind, by what its name says of it."""

    def value(name: str) -> object:
        if name == "items":
            return [{"title": text, "text": text}]
        if name.endswith("_at"):
            return datetime(2030, 1, 1, 12, tzinfo=UTC).isoformat()
        if name.endswith("_url"):
            return f"https://opora.example/{name}"
        if name.endswith(("_minor", "_count", "_hours", "_minutes", "_days", "_s")):
            return 5
        return text

    facts = {"timezone": "Asia/Yekaterinburg"} if "timezone" in kind.facts else {}
    return {name: value(name) for name in kind.variables | kind.secrets} | facts


def test_every_kind_has_a_template_in_every_language() -> None:
    assert kinds_without_templates() == []


@pytest.mark.parametrize(("language", "kind"), CASES, ids=lambda one: one if isinstance(one, str) else one.name)
def test_a_template_uses_declared_variables_alone_and_has_every_part(
    templates: JinjaTemplates, language: str, kind: Kind
) -> None:
    environment = templates._environments[language]
    source, _, _ = environment.loader.get_source(environment, kind.name)  # type: ignore[union-attr]
    tree = environment.parse(source)
    assert meta.find_undeclared_variables(tree) - GLOBALS <= kind.variables | kind.secrets
    assert set(FIXED) <= {block.name for block in tree.find_all(nodes.Block)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_language_tells_the_same_variables(templates: JinjaTemplates, kind: Kind) -> None:
    told = []
    for language in LOCALES:
        environment = templates._environments[language]
        source, _, _ = environment.loader.get_source(environment, kind.name)  # type: ignore[union-attr]
        told.append(meta.find_undeclared_variables(environment.parse(source)) - GLOBALS)
    assert told[0] == told[1] == kind.variables | kind.secrets


@pytest.mark.parametrize(("language", "kind"), CASES, ids=lambda one: one if isinstance(one, str) else one.name)
def test_every_notice_can_be_told_and_no_value_is_markup_a_template_or_a_line(
    templates: JinjaTemplates, language: str, kind: Kind
) -> None:
    evil = "{{ 7*7 }}{% raw %}<script>alert(1)</script>\r\nBcc: all@example.org\u2028x"
    wording = templates.render(kind, language, "Europe/Moscow", values_of(kind, evil))
    assert wording.subject
    assert "\n" not in wording.subject + wording.short
    assert "<script>" not in wording.html
    assert "\r" not in wording.text
    assert not any(line.startswith("Bcc:") for line in wording.text.splitlines())
    assert "49" not in wording.text


@pytest.mark.parametrize(
    ("language", "zone", "told"),
    [
        ("ru", "UTC", "четверг, 10 января 2030, 23:30 (Europe/Moscow)"),
        ("ru", "Europe/Minsk", "четверг, 10 января 2030, 23:30 (Europe/Moscow)"),
        ("ru", "Asia/Yekaterinburg", "пятница, 11 января 2030, 01:30 (Asia/Yekaterinburg); на месте 10 января 2030, "),
        ("en", "Europe/Berlin", "Thursday, 10 January 2030, 21:30 (Europe/Berlin); at the place 23:30 (Europe/Moscow)"),
    ],
)
def test_an_appointment_is_told_by_the_readers_clock_and_by_the_one_there_where_they_differ(
    templates: JinjaTemplates, language: str, zone: str, told: str
) -> None:
    values = {
        "service": "Стрижка",
        "staff": "Борис",
        "starts_at": "2030-01-10T20:30:00Z",
        "timezone": "Europe/Moscow",
        "appointment_ids": [5],
        "further_count": 2,
    }
    wording = templates.render(KINDS["bookings.confirmed"], language, zone, values)
    assert told in wording.text and told in wording.short
    if zone == "Asia/Yekaterinburg":
        assert f"{told}23:30 (Europe/Moscow)" in wording.text
