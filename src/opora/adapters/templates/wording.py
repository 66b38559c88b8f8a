"""Templates of notices: one file a kind and language, with the blocks `subject`, `text` and, where wanted, `short`.

The HTML part is made from the text, so that no value can be markup: paragraphs are set off by empty lines, and a line
that is one of the program's own links becomes a link.
"""

import html
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path

from jinja2 import BaseLoader, DictLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from opora.core.notifications.model.kinds import KINDS, Kind
from opora.core.notifications.model.letters import LOCALES, Wording
from opora.core.notifications.ports.channels import Templates
from opora.core.notifications.rules import wording as words

PLURALS = {"ru": words.plural_ru, "en": words.plural_en}
PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{subject}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 sans-serif;color:#222;background:#fff">
<div style="max-width:560px;margin:0 auto">
{paragraphs}
</div></body></html>
"""


class JinjaTemplates(Templates):
    """The templates of this package, parsed once, in a sandbox that knows nothing of the program."""

    def __init__(self, base_url: str, product: str = "Opora") -> None:
        self._base_url = base_url
        self._product = product
        self._templates: dict[tuple[str, str], Template] = {}
        self._environments = {language: self._environment(language) for language in LOCALES}

    def _environment(self, language: str) -> ImmutableSandboxedEnvironment:
        environment = ImmutableSandboxedEnvironment(
            loader=loader(language), undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
        )  # plain text: what becomes HTML is escaped whole in `page`
        environment.globals.clear()
        environment.globals["plural"] = PLURALS[language]
        environment.globals["base_url"] = self._base_url
        environment.globals["product"] = self._product
        environment.filters["money"] = partial(words.money, language=language)
        return environment

    def render(self, kind: Kind, locale: str, zone: str, values: Mapping[str, object]) -> Wording:
        language = words.language(locale)
        template = self._environments[language].get_template(kind.name)
        times = partial(told_time, zone=zone, place=str(values.get("timezone", "")), language=language)
        told = {name: told_value(name, value, times) for name, value in values.items()}
        parts = {name: block(template, name, told) for name in ("subject", "text", "short")}
        subject = words.one_line(parts["subject"])
        text = parts["text"].strip() + "\n"
        return Wording(
            subject=subject,
            text=text,
            html=page(language, subject, text, self._links(values)),
            short=words.one_line(parts["short"]) or subject,
        )

    def _links(self, values: Mapping[str, object]) -> frozenset[str]:
        given = {str(value) for name, value in values.items() if name.endswith("_url")}
        return frozenset({self._base_url, *given})


def loader(language: str) -> BaseLoader:
    """Read the templates of a language."""
    folder = files("opora.adapters.templates") / "notices" / language
    names = [Path(str(one)) for one in folder.iterdir() if one.name.endswith(".j2")]
    return DictLoader({path.stem: path.read_text("utf-8") for path in names})


def block(template: Template, name: str, values: Mapping[str, object]) -> str:
    """Render one block; the empty string where the template has none of that name."""
    found = template.blocks.get(name)
    return "" if found is None else "".join(found(template.new_context(dict(values))))


def told_time(value: str, zone: str, place: str, language: str) -> str:
    """Return an instant in words, by the reader's clock and, where there is a place, by the one there."""
    at = datetime.fromisoformat(value)
    return words.occasion(at, zone, place, language) if place else words.moment(at, zone, language)


def told_value(name: str, value: object, times: Callable[[str], str]) -> object:
    """Return a value as templates see it: times in words, texts on one line, items of lists alike."""
    if isinstance(value, str):
        return times(value) if name.endswith("_at") else plain(value)
    if isinstance(value, Mapping):
        return {str(key): told_value(str(key), one, times) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [told_value(name, one, times) for one in value]
    return value


def plain(text: str) -> str:
    """Return a text that stays on its line."""
    return words.one_line(text)


def page(language: str, subject: str, text: str, links: frozenset[str]) -> str:
    """Write the HTML of a text; a line that begins with one of the links, and holds nothing else, is a link."""
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        lines = [linked(line.strip(), links) for line in paragraph.split("\n")]
        paragraphs.append(f"<p>{'<br>'.join(lines)}</p>")
    return PAGE.format(language=language, subject=html.escape(subject), paragraphs="\n".join(paragraphs))


def linked(line: str, links: frozenset[str]) -> str:
    """Escape a line; make it a link if it is one of ours."""
    safe = html.escape(line)
    ours = line.startswith(("http://", "https://")) and " " not in line
    if ours and any(line == link or line.startswith((f"{link}/", f"{link}#")) for link in links):
        return f'<a href="{safe}">{safe}</a>'
    return safe


def kinds_without_templates() -> list[str]:
    """Name each kind that lacks a template in some language."""
    known = {language: set(loader(language).list_templates()) for language in LOCALES}
    return [f"{language}/{name}" for language in LOCALES for name in sorted(KINDS.keys() - known[language])]
