"""What operations and types are called in the clients: words of the method and the path, the same in each language."""

import re
from collections.abc import Iterator

PREFIX = "/api/v1/"
ACTIONS = frozenset({
    "bulk-update", "cancel", "change", "claim", "close", "complete", "confirm", "download", "export", "forgot",
    "forward", "generate", "hold", "introspect", "link", "login", "logout", "logout-all", "override", "preview",
    "recalculate-conversion", "refresh", "refund", "register", "reschedule", "resend", "reset", "restore", "retry",
    "revoke", "rotate", "stream", "undo", "validate", "verify", "verify-email",
})  # fmt: skip
"""Segments that say what is done; every other last segment says what it is done to."""
NAMED = {
    "get_notifications_unsubscribe_by_token": ("notifications", ("show", "unsubscribing")),
    "get_documents_user_types": ("documents", ("list", "user", "types")),
    "get_documents_financial_positions": ("documents", ("list", "financial", "positions")),
    "get_events_schemas": ("events", ("list", "schemas")),
    "get_models": ("models", ("list",)),
    "get_versions": ("versions", ("list",)),
    "get_calendars": ("calendars", ("list",)),
    "get_slots": ("slots", ("list",)),
    "get_notifications_webhooks": ("notifications", ("list", "webhooks")),
    "get_notifications_webpush_subscriptions": ("notifications", ("list", "webpush", "subscriptions")),
    "post_auth_login_mfa": ("auth", ("login", "mfa")),
    "post_phone_numbers_bulk": ("phone_numbers", ("create", "bulk")),
    "post_abs_documents_batch": ("abs", ("upload", "documents")),
    "post_dbo_documents": ("dbo", ("upload", "document")),
    "post_notifications_read": ("notifications", ("mark", "read")),
    "post_notifications_by_notification_id_read": ("notifications", ("mark", "one", "read")),
    "post_notifications_trial": ("notifications", ("send", "trial")),
    "post_notifications_unsubscribe_by_token": ("notifications", ("unsubscribe",)),
    "delete_suppression_list": ("suppression_list", ("delete", "number")),
    "post_phone_numbers_import": ("phone_numbers", ("import", "file")),
    "post_sftp_import": ("sftp", ("start", "import")),
    "post_sftp_export": ("sftp", ("start", "export")),
    "get_sftp_jobs_by_transfer_id_errors": ("sftp", ("download", "job", "errors")),
    "post_payments_webhook": ("payments", ("receive", "webhook")),
    "post_softphone_webhook": ("softphone", ("receive", "webhook")),
    "post_appointments_by_appointment_id_no_show": ("appointments", ("mark", "no", "show")),
    "put_sm_contracts_by_contract_id_link": ("sm", ("set", "contract", "link")),
    "put_abs_documents_by_document_id_hold": ("abs", ("set", "document", "hold")),
}
"""Operations that the rules would name badly, by `operationId`."""
PLACES = frozenset({"admin"})  # says who may come, not what is kept there
SILENT = frozenset({"api", "model", "v1"})  # modules of the program in the name of a type


def words(text: str) -> list[str]:
    """Split a segment into words."""
    return [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]


def camel(parts: list[str] | tuple[str, ...]) -> str:
    """Join words as TypeScript names its methods."""
    return parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])


def pascal(parts: list[str] | tuple[str, ...]) -> str:
    """Join words as types are named."""
    return "".join(part[:1].upper() + part[1:] for part in parts)


def type_name(schema: str) -> str:
    """Name a type after its schema, without the modules of the program that some schemas carry."""
    return pascal([part for part in schema.split("_") if part not in SILENT])


def singular(word: str) -> str:
    """Give one of many."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and word not in {"sms", "ics", "status", "limits", "jwks"}:
        return word[:-1]
    return word


def _steps(path: str) -> Iterator[tuple[str, bool]]:
    """Give each segment that is no parameter, and whether a parameter follows it."""
    segments = path.removeprefix(PREFIX).strip("/").split("/")
    for place, segment in enumerate(segments):
        if not segment.startswith("{"):
            yield segment, place + 1 < len(segments) and segments[place + 1].startswith("{")


def method_name(
    operation_id: str, method: str, path: str, *, listed: bool, fetched: bool
) -> tuple[str, tuple[str, ...]]:
    """Give the group and the words of an operation's name; `listed` has pages, `fetched` is a file or a stream."""
    if operation_id in NAMED:
        return NAMED[operation_id]
    steps = [step for step in _steps(path) if step[0] not in PLACES]
    group = steps[0][0]
    rest = steps[1:]
    if not path.startswith(PREFIX) and group not in {"health", "metrics"}:
        return "_".join(words(group)), ("get", *(word for step, _ in rest for word in words(step)))
    verb = {"put": "replace" if path.endswith("}") else "set", "patch": "update", "delete": "delete"}.get(method)
    object_ = [singular(step) if one else step for step, one in rest]
    if verb is None and rest and rest[-1][0] in ACTIONS and not rest[-1][1]:
        verb = object_.pop()
    elif method == "get":
        verb = verb or ("list" if listed else "get")
    elif method == "post":
        verb = "create"
        object_[-1:] = [singular(one) for one in object_[-1:]]
    if fetched and verb == "get":
        verb = "download"
    return "_".join(words(group)), tuple(word.lower() for part in [str(verb), *object_] for word in words(part))
