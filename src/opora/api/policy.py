"""Who may call a route: declared on every handler, enforced by the gate, listed for the docs and the access matrix."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from opora.api.errors import InsufficientScope
from opora.core.kernel.errors import PermissionDenied, Unauthenticated
from opora.core.kernel.model import Actor

KEY = "policy"
"""The name in a handler's `opt` under which its policy stands."""


class Access(StrEnum):
    """How much must be known of a caller."""

    EXEMPT = "exempt"
    PUBLIC = "public"
    INTERNAL = "internal"
    SIGNED_IN = "signed_in"
    SCOPES = "scopes"


class Undeclared(Exception):
    """A handler says nothing about who may call it; the start is refused."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call a route: `scopes` must all have been granted where access is by scopes.

    `step_up` wants people, not keys, to have signed in lately, with their second factor where they have one.
    """

    access: Access
    scopes: tuple[str, ...] = ()
    step_up: bool = False


def needs(*scopes: str, step_up: bool = False) -> dict[str, object]:
    """Return the `opt` of a handler that wants every one of these scopes, and of people a fresh sign-in too."""
    if not scopes:
        raise ValueError("name at least one scope, or use SIGNED_IN")
    return {KEY: Policy(Access.SCOPES, scopes, step_up)}


EXEMPT: dict[str, object] = {KEY: Policy(Access.EXEMPT)}
"""Anyone, without a look at credentials or limits: health, metrics, docs."""
PUBLIC: dict[str, object] = {KEY: Policy(Access.PUBLIC)}
"""Anyone, under the limits of an address; bad credentials are ignored, so that a client may renew spent ones."""
INTERNAL: dict[str, object] = {KEY: Policy(Access.INTERNAL)}
"""Anyone who calls from the internal networks; for others there is no such route. Charged where it is asked for."""
FORWARDED: dict[str, object] = {**INTERNAL, "by_peer": True, "charged": True}
"""INTERNAL for proxies that always say on whose behalf they ask: their own address must be internal, not the client's,
and the client is charged."""
SIGNED_IN: dict[str, object] = {KEY: Policy(Access.SIGNED_IN)}
"""Any person or key."""
FRESH: dict[str, object] = {KEY: Policy(Access.SIGNED_IN, step_up=True)}
"""Any person who signed in lately, or key."""
REPEATABLE: dict[str, object] = {"repeatable": True}
"""A public POST that honours Idempotency-Key; others do so anyway."""
UNREPEATABLE: dict[str, object] = {"repeatable": False}
"""A POST whose answer must not be kept, for it carries a secret."""


def upload(max_bytes: int) -> dict[str, object]:
    """Return the `opt` of a handler that reads its body as a stream, up to `max_bytes`."""
    return {"upload_max_bytes": max_bytes}


def takes(*media_types: str) -> dict[str, object]:
    """Return the `opt` of a handler that reads its whole body itself, of one of these types.

    The first one may be left unsaid where it is JSON, as elsewhere. JSON is guarded like any body that is declared.
    """
    return {"takes": media_types}


def enforce(policy: Policy, actor: Actor) -> None:
    """Raise Unauthenticated or InsufficientScope unless let in; who may not know of a route has been told before."""
    access = policy.access
    if access is Access.SCOPES:
        for scope in policy.scopes:
            if not actor.may(scope):
                raise _refusal(policy, actor)
    elif access is Access.SIGNED_IN and actor.user_id is None and actor.key_id is None:
        raise Unauthenticated("Sign in, or send a key.")


def _refusal(policy: Policy, actor: Actor) -> PermissionDenied | Unauthenticated:
    if actor.user_id is None and actor.key_id is None:
        return Unauthenticated("Sign in, or send a key.")
    missing = [scope for scope in policy.scopes if not actor.may(scope)]
    return InsufficientScope(f"This call needs {', '.join(missing)}.", needed=list(policy.scopes), missing=missing)


def declared(opt: dict[str, object]) -> Policy | None:
    """Return the policy in a handler's `opt`, or None where it declares nothing."""
    found = opt.get(KEY)
    return found if isinstance(found, Policy) else None


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table of who may call what."""

    method: str
    path: str
    policy: Policy


def words(policy: Policy) -> Iterator[str]:
    """Yield the policy as words for a table: each scope, or the name of the access."""
    yield from policy.scopes or (policy.access.value,)
