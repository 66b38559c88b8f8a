"""The language of prompts: values and choices, no loops, no calls, so that every template ends.

`{{ name }}` is a value; `{% if name %}`, `{% if not name %}`, `{% if name == "word" %}` and `!=`, with `elif`, `else`
and `endif`, choose; `{# … #}` says nothing. A rendered text is as long as the template and its
values make it, and bounded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from opora.core.generation.errors import InvalidTemplate
from opora.core.generation.model.prompts import RENDERED_MAX, TEMPLATE_MAX

DEPTH_MAX = 10
NAME = r"[A-Za-z_][A-Za-z0-9_]{0,39}"
MARK = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}|\{#.*?#\}|(\{\{|\{%|\{#)", re.DOTALL)
VALUE = re.compile(rf"\s*({NAME})\s*")
CONDITION = re.compile(rf"\s*(?:(not)\s+)?({NAME})\s*(?:(==|!=)\s*(?:\"([^\"\n]*)\"|'([^'\n]*)'))?\s*")
KEYWORDS = frozenset({"not", "if", "elif", "else", "endif"})


@dataclass(frozen=True, slots=True)
class Value:
    """The place of a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a variable says something, or is or is not `literal`."""

    name: str
    literal: str | None
    negated: bool

    def holds(self, values: Mapping[str, str]) -> bool:
        """Tell whether it is so."""
        value = values.get(self.name, "")
        return (bool(value) if self.literal is None else value == self.literal) is not self.negated


@dataclass(frozen=True, slots=True)
class Choice:
    """Branches in order; the first whose condition holds is taken, None always holds."""

    branches: tuple[tuple[Condition | None, tuple["Node", ...]], ...]


type Node = str | Value | Choice


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read: its parts, and the variables it asks for."""

    nodes: tuple[Node, ...]
    names: frozenset[str]


@dataclass(slots=True)
class _Open:
    """A choice whose end was not met yet; `line` is where it began."""

    line: int
    condition: Condition | None
    nodes: list[Node] = field(default_factory=list)
    done: list[tuple[Condition | None, tuple[Node, ...]]] = field(default_factory=list)

    def turn(self, condition: Condition | None) -> None:
        """Begin the next branch."""
        self.done.append((self.condition, tuple(self.nodes)))
        self.condition, self.nodes = condition, []


def parse(source: str) -> Template:
    """Read a template; raises InvalidTemplate that names the line."""
    if len(source) > TEMPLATE_MAX:
        raise InvalidTemplate(errors={"template": [f"is at most {TEMPLATE_MAX} characters long"]})
    names: set[str] = set()
    stack = [_Open(1, None)]
    at = 0
    for found in MARK.finditer(source):
        line = source.count("\n", 0, found.start()) + 1
        if found.start() > at:
            stack[-1].nodes.append(source[at : found.start()])
        at = found.end()
        value, tag, loose = found.groups()
        if loose is not None:
            raise _fault(line, f"{loose} is never closed")
        if value is not None:
            stack[-1].nodes.append(Value(_name(value, line, names)))
        elif tag is not None:
            _obey(tag.strip(), line, stack, names)
    if source[at:]:
        stack[-1].nodes.append(source[at:])
    if len(stack) > 1:
        raise _fault(stack[-1].line, "if is never ended by endif")
    return Template(tuple(stack[0].nodes), frozenset(names))


def render(template: Template, values: Mapping[str, str]) -> str:
    """Return the text; raises InvalidTemplate where it would be longer than may be."""
    parts: list[str] = []
    _write(template.nodes, values, parts)
    if sum(map(len, parts)) > RENDERED_MAX:
        raise InvalidTemplate(errors={"template": [f"makes a text of more than {RENDERED_MAX} characters"]})
    return "".join(parts)


def _write(nodes: tuple[Node, ...], values: Mapping[str, str], parts: list[str]) -> None:
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        elif isinstance(node, Value):
            parts.append(values.get(node.name, ""))
        else:
            taken = next((inner for test, inner in node.branches if test is None or test.holds(values)), ())
            _write(taken, values, parts)


def _obey(tag: str, line: int, stack: list[_Open], names: set[str]) -> None:
    word, _, rest = tag.partition(" ")
    if word == "if":
        if len(stack) > DEPTH_MAX:
            raise _fault(line, f"choices stand at most {DEPTH_MAX} deep in one another")
        stack.append(_Open(line, _condition(rest, line, names)))
        return
    if word not in {"elif", "else", "endif"}:
        raise _fault(line, f"there is no {word or 'empty tag'}; there are if, elif, else and endif")
    inner = stack[-1]
    if len(stack) == 1:
        raise _fault(line, f"{word} belongs to no if")
    if word != "endif" and inner.done and inner.condition is None:
        raise _fault(line, f"{word} follows else")
    if word == "elif":
        inner.turn(_condition(rest, line, names))
    elif rest.strip():
        raise _fault(line, f"{word} stands alone")
    else:
        inner.turn(None)
        if word == "endif":
            stack.pop()
            stack[-1].nodes.append(Choice(tuple(inner.done)))


def _condition(text: str, line: int, names: set[str]) -> Condition:
    found = CONDITION.fullmatch(text)
    if found is None:
        raise _fault(line, 'a condition is `name`, `not name` or `name == "word"`')
    denied, name, operator, double, single = found.groups()
    if denied and operator:
        raise _fault(line, "write != instead of not and ==")
    _name(name, line, names)
    literal = None if operator is None else double if double is not None else single
    return Condition(name, literal, negated=bool(denied) or operator == "!=")


def _name(text: str, line: int, names: set[str]) -> str:
    found = VALUE.fullmatch(text)
    if found is None or found[1] in KEYWORDS:
        raise _fault(line, "a value is one name of letters, digits and _, nothing else")
    names.add(found[1])
    return found[1]


def _fault(line: int, told: str) -> InvalidTemplate:
    return InvalidTemplate(f"Line {line}: {told}.", errors={"template": [f"line {line}: {told}"]}, line=line)
