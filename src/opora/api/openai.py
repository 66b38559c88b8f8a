"""What clients written for OpenAI's API expect: its form of refusals, and of what is said."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from opora.api.problems import Problem

JSON_TYPE = "application/json"
KINDS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
CODES: Mapping[str, str] = {
    "quota_exhausted": "insufficient_quota",
    "rate_limited": "rate_limit_exceeded",
    "key_unknown": "invalid_api_key",
    "key_malformed": "invalid_api_key",
    "key_revoked": "invalid_api_key",
}
"""The refusals that clients know by a code of OpenAI's; others keep ours."""
UNPROCESSABLE, BAD_REQUEST = 422, 400


@dataclass(frozen=True, slots=True)
class OpenAiRefusal(Problem):
    """A refusal as `{"error": {"message", "type", "param", "code"}}`."""

    param: str | None = None
    media_type: str = JSON_TYPE

    def body(self, base_url: str, instance: str, trace_id: str) -> bytes:
        """Return the JSON document; where it is explained and the trace stand beside what clients read."""
        del instance
        told = error_of(self, self.param) | {"doc_url": base_url + self.code, "trace_id": trace_id}
        return msgspec.json.encode({"error": told}, enc_hook=str)


def error_of(found: Problem, param: str | None = None) -> dict[str, object]:
    """Return what a refusal says in OpenAI's words."""
    kind = KINDS.get(found.status, "api_error")
    code = CODES.get(found.code, found.code)
    return {"message": message(found), "type": kind, "param": param, "code": code}


def message(found: Problem) -> str:
    """Return one sentence with every field at fault in it."""
    errors = found.members.get("errors")
    if not isinstance(errors, dict) or not errors:
        return found.detail or found.title
    told = "; ".join(f"{name}: {', '.join(map(str, faults))}" for name, faults in errors.items())
    return f"{found.title} {told}"


def refused(found: Problem) -> Problem:
    """Return a refusal in OpenAI's form; what is invalid is a 400 there."""
    status = BAD_REQUEST if found.status == UNPROCESSABLE else found.status
    errors = found.members.get("errors")
    param = next(iter(errors), None) if isinstance(errors, dict) else None
    return OpenAiRefusal(status, found.code, found.title, found.detail, found.members, found.headers, param=param)
