"""What must hold of projects, providers and areas."""

from opora.core.numbers.errors.projects import InvalidGeo, InvalidProject, InvalidProvider
from opora.core.numbers.model.projects import ATTEMPTS_MAX, HOLIDAYS_MAX, NAME_MAX, Geo, Project, Provider
from opora.core.numbers.rules.zones import known_zones

IN_PROGRESS_MAX = 1_000_000
CONTACTS_MAX = 50
COUNTRY_MAX = 10
UNKNOWN_ZONE = "is no IANA time zone, such as Europe/Moscow"


def refuse_bad_project(project: Project) -> None:
    """Raise InvalidProject, naming every field at fault."""
    errors: dict[str, list[str]] = {}
    if not project.name.strip() or len(project.name) > NAME_MAX:
        errors["name"] = [f"has 1 to {NAME_MAX} characters"]
    if project.timezone not in known_zones():
        errors["timezone"] = [UNKNOWN_ZONE]
    if not 1 <= project.attempts_max <= ATTEMPTS_MAX:
        errors["attempts_max"] = [f"is 1 to {ATTEMPTS_MAX}"]
    if project.in_progress_max is not None and not 1 <= project.in_progress_max <= IN_PROGRESS_MAX:
        errors["in_progress_max"] = [f"is 1 to {IN_PROGRESS_MAX}, or null"]
    if len(project.holidays) > HOLIDAYS_MAX:
        errors["holidays"] = [f"takes at most {HOLIDAYS_MAX} days"]
    if errors:
        raise InvalidProject(errors=errors)


def refuse_bad_provider(provider: Provider) -> None:
    """Raise InvalidProvider, naming every field at fault."""
    errors: dict[str, list[str]] = {}
    if not provider.name.strip() or len(provider.name) > NAME_MAX:
        errors["name"] = [f"has 1 to {NAME_MAX} characters"]
    if len(provider.contact_info) > CONTACTS_MAX:
        errors["contact_info"] = [f"takes at most {CONTACTS_MAX} entries"]
    if errors:
        raise InvalidProvider(errors=errors)


def refuse_bad_geo(geo: Geo) -> None:
    """Raise InvalidGeo, naming every field at fault."""
    errors: dict[str, list[str]] = {}
    if not geo.country_code.strip() or len(geo.country_code) > COUNTRY_MAX:
        errors["country_code"] = [f"has 1 to {COUNTRY_MAX} characters"]
    if geo.timezone is not None and geo.timezone not in known_zones():
        errors["timezone"] = [UNKNOWN_ZONE]
    if errors:
        raise InvalidGeo(errors=errors)
