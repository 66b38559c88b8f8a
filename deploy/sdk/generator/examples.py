"""Bodies to begin with: the smallest that a schema takes, of values that its bounds and patterns allow."""

import re
from typing import Any

from generator.document import Document, Schema, Unclear

STRINGS = {"date-time": "2030-01-31T09:00:00Z", "date": "2030-01-31", "uuid": "018f0000-0000-7000-8000-000000000000"}
CANDIDATES = (
    "example", "example text", "ada@example.com", "+79161234567", "09:00", "RUB", "https://example.com/", "1", "v1",
    "profiles:read", "AAAAAAAAAAAAAAAAAAAAAA", "Europe/Moscow", "correct horse battery",
)  # fmt: skip
NAMED = {
    "email": "ada@example.com", "password": "correct horse battery", "timezone": "Europe/Moscow", "tz": "UTC",
    "url": "https://example.com/", "phone_number": "+79161234567", "phone": "+79161234567", "currency": "RUB",
    "scopes": ["profiles:read"],
}  # fmt: skip
"""What a field of that name is known to hold, where the document says no more than that it is a string."""


def fits(value: str, schema: Schema) -> bool:
    """Tell whether a string is within the bounds of a schema."""
    pattern = schema.get("pattern")
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
    return least <= len(value) <= most and (pattern is None or re.search(pattern, value) is not None)


class Examples:
    """Makes examples of the schemas of a document."""

    def __init__(self, document: Document) -> None:
        self._schemas = document.schemas

    def of(self, schema: Schema, name: str = "") -> Any:
        """Give an example of a schema; the name of its field helps where the schema is silent."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        for told in ("example", "const", "default"):
            if schema.get(told) is not None:
                return schema[told]
        if schema.get("examples"):
            return schema["examples"][0]
        for join in ("oneOf", "anyOf", "allOf"):
            if join in schema:
                outer = {key: value for key, value in schema.items() if key != join}
                return self.of({**outer, **schema[join][0]}, name)
        if "enum" in schema:
            return schema["enum"][0]
        return self._plain(schema, name)

    def _plain(self, schema: Schema, name: str) -> Any:
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema)
        if kind == "array":
            many = max(1, schema.get("minItems", 1))
            return NAMED[name] if isinstance(NAMED.get(name), list) else [self.of(schema.get("items", {}))] * many
        if kind in {"integer", "number"}:
            return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
        if kind == "boolean":
            return False
        return self._string(schema, name) if kind == "string" else "example"

    def _object(self, schema: Schema) -> dict[str, Any]:
        told = schema.get("properties", {})
        wanted = [one for one in told if one in schema.get("required", ())] or list(told)[:1]
        return {one: self.of(told[one], one) for one in wanted}

    def _string(self, schema: Schema, name: str) -> str:
        if schema.get("format") in STRINGS:
            return STRINGS[schema["format"]]
        for value in (NAMED.get(name), *CANDIDATES, "x" * schema.get("minLength", 1)):
            if isinstance(value, str) and fits(value, schema):
                return value
        raise Unclear(f"no example of {schema}")
