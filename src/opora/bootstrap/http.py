"""Assembles the HTTP application: every controller, its parts in place, behind the gate."""

from dishka import AsyncContainer
from litestar import Controller

from opora.api import http
from opora.api.calls import current_actor
from opora.api.edge import EdgeParts, wrap
from opora.api.gate import Gate
from opora.api.openapi import document
from opora.api.v1.audit import AuditController
from opora.api.v1.auth import AuthController, WellKnownController
from opora.api.v1.exports import ExportController
from opora.api.v1.keys import KeyController
from opora.api.v1.limits import LimitController
from opora.api.v1.profiles import ProfileController
from opora.api.v1.reference import ReferenceController
from opora.api.v1.service import HealthController, VersionController
from opora.api.v1.users import UserController
from opora.bootstrap.binding import bind, outline

VERSIONED: tuple[type[Controller], ...] = (
    VersionController,
    LimitController,
    AuditController,
    AuthController,
    UserController,
    KeyController,
    ProfileController,
    ExportController,
)
"""Controllers under /api/v1."""

AT_ROOT: tuple[type[Controller], ...] = (HealthController, ReferenceController, WellKnownController)
"""Controllers at the root."""


async def gate_of(container: AsyncContainer) -> Gate:
    """Build the application; a handler without a policy or without its parts stops the start."""
    parts = await container.get(EdgeParts)
    versioned = [await bind(one, container, current_actor) for one in VERSIONED]
    at_root = [await bind(one, container, current_actor) for one in AT_ROOT]
    return wrap(http.application(versioned, at_root, problem_base_url=parts.settings.problem_base_url), parts)


def openapi_document() -> bytes:
    """Return the OpenAPI document as JSON, the one that a service gives out, without opening anything."""
    return document(http.application([outline(one) for one in VERSIONED], [outline(one) for one in AT_ROOT]))
