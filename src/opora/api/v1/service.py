"""HTTP face of the service itself: health, metrics, versions."""

from collections.abc import Mapping
from typing import Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, get, patch
from litestar.params import FromPath, JSONBody

from opora.api.details import details
from opora.api.health import FAILING, OK, HealthChecks, Result
from opora.api.metrics import MEDIA_TYPE, Metrics
from opora.api.policy import EXEMPT, PUBLIC, needs
from opora.api.values import Day, VersionWord
from opora.api.versions import Versions
from opora.core.kernel.model import Actor, ApiVersion, VersionStatus
from opora.core.kernel.ports import VersionRegistry
from opora.core.kernel.usecases import ChangeVersion

CHECK = {**EXEMPT, **details(may_be_unready=True)}
NO_STORE = {"cache-control": "no-store"}


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = OK


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served, and each dependency's answer."""

    status: str
    checks: dict[str, Result]


class VersionList(msgspec.Struct, frozen=True):
    """Every version of the API."""

    results: list[ApiVersion]


class HealthController(Controller):
    """Health and metrics, for whoever watches the service."""

    path = "/"
    tags = ["Service"]  # noqa: RUF012  # Litestar reads a plain list

    @get(["/health", "/health/live"], opt=EXEMPT)
    async def live(self) -> Alive:
        """Tell that the process lives."""
        return Alive()

    @get("/health/ready", opt=CHECK)
    async def ready(self, checks: FromDishka[HealthChecks]) -> Response[Readiness]:
        """Tell whether requests can be served, or what is not ready."""
        is_ready, results = await checks.all()
        return _answer(is_ready, Readiness(OK if is_ready else FAILING, results))

    @get("/health/db", opt=CHECK)
    async def database(self, checks: FromDishka[HealthChecks]) -> Response[Result]:
        """Tell whether the database answers."""
        return _one(await checks.one("database"))

    @get("/health/redis", opt=CHECK)
    async def redis(self, checks: FromDishka[HealthChecks]) -> Response[Result]:
        """Tell whether Redis answers; it need not be there."""
        return _one(await checks.one("redis"))

    @get("/metrics", opt=EXEMPT, media_type=MEDIA_TYPE)
    async def metrics(self, metrics: FromDishka[Metrics]) -> Response[bytes]:
        """Give the metrics as Prometheus text."""
        return Response(metrics.render(), media_type=MEDIA_TYPE, headers=NO_STORE)


class VersionChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a version; what is left out stays."""

    status: VersionStatus | msgspec.UnsetType = msgspec.UNSET
    released_on: Day | msgspec.UnsetType | None = msgspec.UNSET
    deprecated_on: Day | msgspec.UnsetType | None = msgspec.UNSET
    sunset_on: Day | msgspec.UnsetType | None = msgspec.UNSET
    successor: VersionWord | msgspec.UnsetType | None = msgspec.UNSET


class VersionController(Controller):
    """The version registry."""

    path = "/"
    tags = ["Service"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/versions", opt=PUBLIC)
    async def versions(self, registry: FromDishka[VersionRegistry]) -> VersionList:
        """List the versions of the API."""
        return VersionList(list(await registry.versions()))

    @patch("/admin/versions/{version:str}", opt=needs("versions:write"))
    async def change(
        self,
        request: Request[Any, Any, Any],
        version: FromPath[str],
        data: JSONBody[VersionChanges],
        actor: FromDishka[Actor],
        change: FromDishka[ChangeVersion],
    ) -> ApiVersion:
        """Deprecate a version, set its sunset, name its successor."""
        changed = await change(actor, version, _given(data))
        served: Versions = request.app.state.versions
        served.forget()
        return changed


def _one(result: Result) -> Response[Result]:
    return _answer(result["status"] != FAILING, result)


def _answer[T](is_ready: bool, content: T) -> Response[T]:
    headers: Mapping[str, str] = NO_STORE if is_ready else {**NO_STORE, "retry-after": "1"}
    return Response(content, status_code=200 if is_ready else 503, headers=headers)


def _given(changes: VersionChanges) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not msgspec.UNSET}
