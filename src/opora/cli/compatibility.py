"""What of a newer OpenAPI document would break a client of an older one; pure, over the documents alone.

What clients send may be taken more generously and must not be taken more strictly; what they get may have more in it
and must not have less. Words of an enumeration may be added to answers: clients are told to bear that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
NOTHING = {"minLength": 0, "minItems": 0, "minProperties": 0}
"""Floors that refuse nothing."""
JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})

type Node = Mapping[str, Any]


def breaking(old: Node, new: Node) -> list[str]:
    """List, in words, everything in `new` that a client written for `old` may fall over; empty where all is well."""
    return list(dict.fromkeys(Comparison(old, new).operations()))


@dataclass(slots=True)
class Comparison:
    """Two documents, and which pairs of their schemas were compared already: schemas refer to themselves."""

    old: Node
    new: Node
    _seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def operations(self) -> Iterator[str]:
        """Compare every call there was."""
        for path, calls in self.old.get("paths", {}).items():
            for method in METHODS:
                if method in calls:
                    place = f"{method.upper()} {path}"
                    now = self.new.get("paths", {}).get(path, {}).get(method)
                    if now is None:
                        yield f"{place} is gone"
                    else:
                        yield from self._call(place, calls[method], now)

    def _call(self, place: str, old: Node, new: Node) -> Iterator[str]:
        yield from self._parameters(place, old, new)
        yield from self._body(place, old, new)
        yield from self._answers(place, old, new)
        yield from _scopes(place, old, new)

    def _parameters(self, place: str, old: Node, new: Node) -> Iterator[str]:
        before, after = self._named(self.old, old), self._named(self.new, new)
        for (where, name), parameter in after.items():
            if parameter.get("required") and not before.get((where, name), {}).get("required"):
                yield f"{place}: {where} parameter {name} is required now"
        for (where, name), parameter in before.items():
            if (where, name) not in after:
                yield f"{place}: {where} parameter {name} is gone"
            else:
                about = f"{place}: {where} parameter {name}"
                yield from self._schema(about, parameter.get("schema", {}), after[where, name].get("schema", {}), True)

    def _named(self, document: Node, call: Node) -> dict[tuple[str, str], Node]:
        found = [resolved(document, one) for one in call.get("parameters", ())]
        return {(one["in"], one["name"]): one for one in found}

    def _body(self, place: str, old: Node, new: Node) -> Iterator[str]:
        before = resolved(self.old, old.get("requestBody", {}))
        after = resolved(self.new, new.get("requestBody", {}))
        if after.get("required") and not before.get("required"):
            yield f"{place}: a body is required now"
        yield from self._contents(f"{place}: body", before, after, True)

    def _answers(self, place: str, old: Node, new: Node) -> Iterator[str]:
        for status, answer in old.get("responses", {}).items():
            if not status.startswith("2"):
                continue
            if status not in new.get("responses", {}):
                yield f"{place}: answers no {status} any more"
                continue
            now = resolved(self.new, new["responses"][status])
            yield from self._contents(f"{place}: answer {status}", resolved(self.old, answer), now, False)

    def _contents(self, about: str, old: Node, new: Node, sent: bool) -> Iterator[str]:
        for media, content in old.get("content", {}).items():
            if media not in new.get("content", {}):
                yield f"{about}: {media} is gone"
            else:
                after = new["content"][media].get("schema", {})
                yield from self._schema(about, content.get("schema", {}), after, sent)

    def _schema(self, about: str, old: Node, new: Node, sent: bool) -> Iterator[str]:
        """Compare two schemas of what clients send, or of what they get."""
        names = (old.get("$ref", ""), new.get("$ref", ""), sent)
        if names[0] and names[1]:
            if names in self._seen:
                return
            self._seen.add(names)
        old, new = resolved(self.old, old), resolved(self.new, new)
        before, after = self._alternatives(self.old, old), self._alternatives(self.new, new)
        if len(before) == len(after) == 1:
            yield from self._plain(about, before[0], after[0], sent)
            return
        wanted, offered = (before, after) if sent else (after, before)
        for one in wanted:
            pairs = [(one, other) if sent else (other, one) for other in offered]
            if all(any(True for _ in self._plain(about, *pair, sent)) for pair in pairs):
                yield f"{about}: one of its forms is {'not taken any more' if sent else 'new to clients'}"

    def _alternatives(self, document: Node, schema: Node) -> list[Node]:
        parts = schema.get("anyOf") or schema.get("oneOf")
        if not parts:
            return [schema]
        return [one for part in parts for one in self._alternatives(document, resolved(document, part))]

    def _plain(self, about: str, old: Node, new: Node, sent: bool) -> Iterator[str]:
        lost = types(old) - types(new) if sent else types(new) - types(old)
        if lost:
            yield f"{about}: {'no longer takes' if sent else 'may be'} {', '.join(sorted(lost))}"
            return
        if sent:
            yield from _stricter(about, old, new)
        yield from self._fields(about, old, new, sent)
        if "items" in old and "items" in new:
            yield from self._schema(f"{about}[]", old["items"], new["items"], sent)

    def _fields(self, about: str, old: Node, new: Node, sent: bool) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            if name in after:
                yield from self._schema(f"{about}.{name}", schema, after[name], sent)
            elif not sent or new.get("additionalProperties") is False:
                yield f"{about}.{name} is gone"
        if sent:
            yield from (f"{about}.{name} is required now" for name in sorted(required_after - required_before))
        else:
            left_out = (required_before - required_after) & after.keys()
            yield from (f"{about}.{name} may be left out now" for name in sorted(left_out))


def resolved(document: Node, node: Node) -> Node:
    """Follow references within the document."""
    while "$ref" in node:
        found: Any = document
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def types(schema: Node) -> frozenset[str]:
    """Name the types a schema allows; an integer is a number too."""
    told = schema.get("type")
    found = JSON_TYPES if told is None else frozenset([told] if isinstance(told, str) else told)
    return found | {"integer"} if "number" in found else found


def _stricter(about: str, old: Node, new: Node) -> Iterator[str]:
    """Yield what is refused now that was taken before."""
    words = new.get("enum")
    if words is not None:
        gone = [str(one) for one in old.get("enum", ["any other word"]) if one not in words]
        if gone:
            yield f"{about}: {', '.join(gone)} is not taken any more"
    for bound in CEILINGS:
        if bound in new and new[bound] < old.get(bound, float("inf")):
            yield f"{about}: {bound} is {new[bound]} now"
    for bound in FLOORS:
        if bound in new and new[bound] > old.get(bound, float("-inf")) and new[bound] != NOTHING.get(bound):
            yield f"{about}: {bound} is {new[bound]} now"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{about}: another pattern holds"


def _scopes(place: str, old: Node, new: Node) -> Iterator[str]:
    """Yield the scopes that a call did not ask for before."""
    before = {scope for way in old.get("security", ()) for scopes in way.values() for scope in scopes}
    after = {scope for way in new.get("security", ()) for scopes in way.values() for scope in scopes}
    yield from (f"{place}: needs {scope} now" for scope in sorted(after - before))
