"""What can be granted: scopes are code, roles are sets of scopes."""

from collections.abc import Iterable
from enum import StrEnum

ADMIN_SCOPE = "admin"
"""Grants every other scope."""

SCOPES: dict[str, str] = {
    "profiles:read": "Read kept profiles and download lists of them",
    "profiles:read_all": "See everyone's kept profiles and exports, and with profiles:delete delete them",
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
    "tokens:introspect": "Ask whether a token or a key is good, and whose it is",
    "notifications:read": "Read one's own notices and set how they come",
    "notifications:write": "Register places that notices go to",
    "deliveries:read": "See what was sent to whom and how it went",
    "deliveries:write": "Send again what could not be delivered",
    "documents:read": "See one's own documents and download them",
    "documents:write": "Upload, describe and delete one's own documents",
    "documents:read_all": "See every client's documents",
    "documents:process": "Move documents through their workflow, and take in batches",
    "categories:write": "Change categories and other reference data of documents",
    "contracts:read": "See one's own contracts and what is linked to them",
    "contracts:write": "Make contracts, change them, link documents to them",
    "banking:read": "See what went to the core banking system and what came back",
    "banking:write": "Send again, override and reconcile with the core banking system",
    "projects:read": "See the projects one was granted",
    "projects:read_all": "See every project and the numbers in it, not only what one was granted",
    "projects:write": "Make and change projects, their providers, areas and hours",
    "projects:grant": "Grant projects to managers",
    "numbers:read": "See the phone numbers of one's projects",
    "numbers:write": "Add and change phone numbers of one's projects",
    "numbers:claim": "Take numbers for calling",
    "numbers:transfer": "Import and export the numbers of one's projects",
    "suppression:read": "See which numbers are never called",
    "suppression:write": "Say which numbers are never called",
    "softphone:read": "See who calls: number, project and last calls",
    "services:read": "See services and free times",
    "services:write": "Make and change services",
    "availability:write": "Set working hours: one's own, or with appointments:read_all anyone's",
    "appointments:read": "See one's own appointments",
    "appointments:read_all": "Reach everyone's appointments, hours and waitlist with one's other scopes",
    "appointments:write": "Book, move and cancel one's own appointments",
    "appointments:manage": "Confirm, complete and cancel the appointments one serves",
    "generate:read": "See one's generations",
    "generate:write": "Ask for text",
    "prompts:read": "See prompts",
    "prompts:write": "Make prompts and publish their versions",
    "billing:read": "See one's plan, usage, balance and payments",
    "billing:write": "Choose a plan and pay",
    "billing:manage": "See everyone's payments, refund and adjust",
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


KEY_SCOPES = frozenset({"profiles:read", "profiles:write", "profiles:delete", "exports:read", "exports:write"})
"""What a key may do that was made without a word about it."""

_OWN_NOTICES = frozenset({"notifications:read", "notifications:write"})
_OWN_TEXTS = frozenset({"generate:read", "generate:write", "prompts:read", "billing:read", "billing:write"})
_ANYONE = KEY_SCOPES | _OWN_NOTICES | _OWN_TEXTS | {"services:read"}
_CLIENT = frozenset({"documents:read", "documents:write", "contracts:read", "appointments:read", "appointments:write"})
_STAFF = frozenset(
    {"services:write", "availability:write", "appointments:read", "appointments:write", "appointments:manage"}
)
_OPERATOR = frozenset(
    {
        "jobs:read",
        "documents:read",
        "documents:read_all",
        "documents:process",
        "contracts:read",
        "contracts:write",
        "banking:read",
        "banking:write",
    }
)
_MANAGER = frozenset(
    {
        "keys:read",
        "keys:write",
        "limits:read",
        "projects:read",
        "projects:write",
        "numbers:read",
        "numbers:write",
        "numbers:claim",
        "numbers:transfer",
        "suppression:read",
        "suppression:write",
        "softphone:read",
    }
)

ROLE_SCOPES: dict[Role, frozenset[str]] = {
    Role.CLIENT: _ANYONE | _CLIENT,
    Role.STAFF: _ANYONE | _STAFF,
    Role.OPERATOR: _ANYONE | _OPERATOR,
    Role.MANAGER: _ANYONE | _MANAGER,
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
