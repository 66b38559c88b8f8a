"""Whatever bytes come: the guard, the reader of queries and the finder of faults neither break nor let through."""

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.stand import NewThing
from opora.api import faults, json_guard, query
from opora.api.errors import BadRequest, ValidationFailed

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), inner)
    ),
    max_leaves=30,
)


@given(JSON)
def test_the_guard_passes_all_json_that_stores_can_keep(value: object) -> None:
    json_guard.check(json.dumps(value).encode())
    json_guard.check(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


@given(st.binary(max_size=200))
def test_the_guard_refuses_or_passes_any_bytes(body: bytes) -> None:
    try:
        json_guard.check(body)
    except (BadRequest, ValidationFailed):
        return
    body.decode("utf-8")


@given(st.integers(1, 200), st.sampled_from([b"[]", b"{}"]))
def test_depth_is_counted_exactly(depth: int, pair: bytes) -> None:
    opening, closing = (b"[", b"]") if pair == b"[]" else (b'{"a":', b"}")
    body = opening * depth + (b"1" if pair == b"{}" else b"") + closing * depth
    wide = b"[" + b"[]," * 70 + body + b"]"
    try:
        json_guard.check(wide)
    except BadRequest as error:
        assert error.code == "too_deep"
        assert depth + 1 > json_guard.DEPTH_MAX
    else:
        assert depth + 1 <= json_guard.DEPTH_MAX


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_query_is_read_or_refused(raw: bytes) -> None:
    try:
        query.check(raw, query.QueryFacts(frozenset({"a"}), is_open=True))
    except (BadRequest, ValidationFailed):
        return
    assert b"%00" not in raw


@given(JSON)
def test_faults_are_found_exactly_where_decoding_fails(value: object) -> None:
    try:
        msgspec.convert(value, NewThing, strict=True)
    except msgspec.ValidationError:
        assert faults.every(NewThing, value)
    else:
        assert faults.every(NewThing, value) == {}
