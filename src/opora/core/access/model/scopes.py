"""What can be granted: scopes are code, roles are sets of scopes."""

from collections.abc import Iterable
from enum import StrEnum

ADMIN_SCOPE = "admin"
"""Grants every other scope."""

SCOPES: dict[str, str] = {
    "profiles:read": "Read kept profiles and download lists of them",
    "profiles:read_all": "See everyone's kept profiles and exports, not only one's own",
    "profiles:write": "Generate profiles and keep them",
    "profiles:delete": "Delete kept profiles",
    "exports:read": "See exports and download their files",
    "exports:write": "Ask for exports",
    "keys:read": "See API keys, never their secrets",
    "keys:write": "Make, change, rotate and revoke API keys within one's own rights",
    "users:read": "See users",
    "users:write": "Create users, change their roles, block them",
    "audit:read": "Read the audit log and check that it is whole",
    "jobs:read": "See background jobs",
    "jobs:write": "Retry and cancel background jobs",
    "limits:read": "See how the rate limits are used",
    "versions:write": "Deprecate versions of the API and set their end",
    ADMIN_SCOPE: "Everything",
}
"""Every scope there is, with what it lets its holder do."""


class Role(StrEnum):
    """What a user is to the service; a user may be several things."""

    CLIENT = "client"
    STAFF = "staff"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"


_OWN_WORK = frozenset({"profiles:read", "profiles:write", "profiles:delete", "exports:read", "exports:write"})

ROLE_SCOPES: dict[Role, frozenset[str]] = {
    Role.CLIENT: _OWN_WORK,
    Role.STAFF: _OWN_WORK,
    Role.OPERATOR: _OWN_WORK | {"jobs:read"},
    Role.MANAGER: _OWN_WORK | {"keys:read", "keys:write", "limits:read"},
    Role.ADMIN: frozenset({ADMIN_SCOPE}),
}
"""What each role grants."""


def scopes_of(roles: Iterable[Role]) -> frozenset[str]:
    """Return every scope that the roles grant together."""
    return frozenset().union(*(ROLE_SCOPES[role] for role in roles))


def shared_scopes(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Return the scopes that both sets grant, `admin` in either standing for everything the other holds."""
    if ADMIN_SCOPE in one:
        return other
    if ADMIN_SCOPE in other:
        return one
    return one & other
