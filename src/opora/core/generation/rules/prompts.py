"""What may be published, and which values a version takes."""

import re
from collections.abc import Mapping, Sequence

from opora.core.generation.errors import InvalidPrompt, InvalidTemplate, InvalidVariables
from opora.core.generation.model.engines import Message, Speaker
from opora.core.generation.model.prompts import (
    LABELS_MAX,
    NAME_MAX,
    VALUE_MAX,
    VARIABLES_MAX,
    Draft,
    PromptVersion,
    Variable,
)
from opora.core.generation.model.texts import CHAT, TOKENS_MAX
from opora.core.generation.rules import templates

PROMPT_NAME = re.compile(rf"[a-z][a-z0-9_.-]{{0,{NAME_MAX - 1}}}")
LABEL = re.compile(r"[a-z][a-z0-9_.-]{0,31}")
VARIABLE = re.compile(templates.NAME)
RESERVED = frozenset({CHAT})

type Given = Mapping[str, str | int | float | bool]


def refuse_name(name: str) -> None:
    """Raise InvalidPrompt for a name that no prompt may have."""
    if not PROMPT_NAME.fullmatch(name):
        raise InvalidPrompt(errors={"name": ["begins with a letter; small letters, digits, `.`, `_` and `-` follow"]})
    if name in RESERVED:
        raise InvalidPrompt(errors={"name": [f"{name} is taken by the program"]})


def refuse_label(label: str) -> None:
    """Raise InvalidPrompt for a label that could be taken for a number or is none."""
    if not LABEL.fullmatch(label):
        told = "begins with a letter; small letters, digits, `.`, `_` and `-` follow"
        raise InvalidPrompt(errors={"labels": [f"{label[:40]!r}: {told}"]})


def refuse_draft(draft: Draft) -> None:
    """Raise InvalidPrompt, or InvalidTemplate, unless the template asks for exactly what is declared."""
    errors: dict[str, list[str]] = {}
    if not draft.template.strip():
        errors["template"] = ["says nothing"]
    if not 1 <= draft.max_tokens <= TOKENS_MAX:
        errors["max_tokens"] = [f"is 1 to {TOKENS_MAX}"]
    if len(draft.variables) > VARIABLES_MAX:
        errors["variables"] = [f"are at most {VARIABLES_MAX}"]
    if len(draft.labels) > LABELS_MAX:
        errors["labels"] = [f"are at most {LABELS_MAX}"]
    for place, variable in enumerate(draft.variables):
        errors.update(_faults(f"variables.{place}", variable))
    declared = [one.name for one in draft.variables]
    asked = templates.parse(draft.template).names | _system(draft.system).names
    told = [f"{name} is declared twice" for name in sorted({one for one in declared if declared.count(one) > 1})]
    told += [f"{name} is asked for by the template and not declared" for name in sorted(asked - set(declared))]
    told += [f"{name} is declared and the template does not ask for it" for name in sorted(set(declared) - asked)]
    if told:
        errors.setdefault("variables", []).extend(told)
    if errors:
        raise InvalidPrompt(errors=errors)
    for label in draft.labels:
        refuse_label(label)


def values_for(variables: Sequence[Variable], given: Given) -> dict[str, str]:
    """Return a value for each variable; raises InvalidVariables that names each that is missing or not declared."""
    errors: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    for variable in variables:
        sent = given.get(variable.name)
        if sent is None and variable.default is None:
            errors[f"variables.{variable.name}"] = ["is missing"]
            continue
        value = (variable.default or "") if sent is None else told(sent)
        if len(value) > variable.max_length:
            errors[f"variables.{variable.name}"] = [f"is at most {variable.max_length} characters long"]
        values[variable.name] = value
    for name in sorted(given.keys() - {one.name for one in variables}):
        errors[f"variables.{name[:40]}"] = ["is not declared by the prompt"]
    if errors:
        raise InvalidVariables(errors=errors)
    return values


def told(value: str | float | bool) -> str:
    """Return a value as templates see it: false says nothing, a number its digits."""
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value)


def messages(version: PromptVersion, given: Given) -> tuple[Message, ...]:
    """Return what an engine is told by a version with these values."""
    values = values_for(version.variables, given)
    system = templates.render(_system(version.system), values).strip()
    user = templates.render(templates.parse(version.template), values).strip()
    if not user:
        raise InvalidVariables(errors={"variables": ["leave nothing to say"]})
    opening = (Message(Speaker.SYSTEM, system),) if system else ()
    return (*opening, Message(Speaker.USER, user))


def _system(source: str) -> templates.Template:
    try:
        return templates.parse(source)
    except InvalidTemplate as error:
        raise InvalidTemplate(str(error), errors={"system": error.errors["template"]}) from None


def _faults(place: str, variable: Variable) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not VARIABLE.fullmatch(variable.name) or variable.name in templates.KEYWORDS:
        errors[f"{place}.name"] = ["begins with a letter; letters, digits and _ follow, 40 at most"]
    if not 1 <= variable.max_length <= VALUE_MAX:
        errors[f"{place}.max_length"] = [f"is 1 to {VALUE_MAX}"]
    elif variable.default is not None and len(variable.default) > variable.max_length:
        errors[f"{place}.default"] = ["is longer than max_length"]
    return errors
