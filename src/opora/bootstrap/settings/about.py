"""How a setting is described: its group, its sentence, its range and the form of its text."""

from typing import Literal

import msgspec

SECTIONS = {
    "service": "The service",
    "http": "The HTTP edge",
    "database": "The database",
    "redis": "Redis and the event bus",
    "channels": "Files, letters and partner drops",
    "secrets": "Secrets",
    "access": "Signing in, tokens and keys",
    "limits": "Limits",
    "profiles": "Profiles and exports",
    "notifications": "Notifications",
    "documents": "Bank documents",
    "numbers": "Phone numbers",
    "bookings": "Appointments",
    "billing": "Plans and payments",
    "generation": "Text generation",
    "jobs": "Jobs and sweeps",
    "watching": "Logs and watching",
    "adapters": "Adapters by name",
}
"""The groups of the reference page, in its order."""

type Bound = int | None


def about(
    section: str,
    text: str,
    *,
    ge: Bound = None,
    le: Bound = None,
    form: str = "",
    hides: Literal["", "all", "password"] = "",
    default: str = "",
) -> msgspec.Meta:
    """Describe a setting: its group, its sentence, its range, the form of its text and what of it
    `config show` hides.

    `form` names a check of `opora.bootstrap.forms`; `default` is shown in the reference where the value is worked out
    when the settings are read.
    """
    extra = {"section": section, "form": form, "hides": hides, "default": default}
    return msgspec.Meta(description=text, ge=ge, le=le, extra=extra)


type Names = tuple[str, ...]
