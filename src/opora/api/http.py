"""Assembles Litestar's application out of controllers: requests decoded our way, every exception a problem."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ControllerRouterHandler

from opora.api.calls import CALL
from opora.api.decoding import ApiRequest
from opora.api.encoding import ApiResponse
from opora.api.errors import PreconditionFailed
from opora.api.problems import BASE_URL, problem
from opora.core.kernel.errors import Stale

PREFIX = "/api/v1"

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


class Refusals:
    """Litestar's exception handler: the same problem documents as the gate's own."""

    def __init__(self, base_url: str = BASE_URL) -> None:
        self._base_url = base_url

    def __call__(self, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        """Return the answer an exception stands for; a fault is left on the call for the log."""
        if isinstance(error, Stale) and "if-match" in request.headers:
            error = PreconditionFailed(str(error))
        found = problem(error)
        call = CALL.get()
        if call is not None and found.status == 500:  # noqa: PLR2004
            call.fault = error
        if call is not None and call.refused_as is not None:
            found = call.refused_as(found)
        path, trace_id = (request.url.path, "") if call is None else (call.path, call.trace_id)
        headers = {name.decode("ascii"): value.decode("ascii") for name, value in found.headers}
        return Response(
            found.body(self._base_url, path, trace_id),
            status_code=found.status,
            media_type=found.media_type,
            headers={"cache-control": "no-store", **headers},
        )


class Plain(Litestar):
    """Litestar with what the service speaks: msgspec alone.

    Left to itself it takes in every library of models that is installed; pydantic, which taskiq brings, is a twelfth of
    an idle process's memory.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[Any]) -> list[Any]:
        return [*plugins, MsgspecDIPlugin()]


def application(
    versioned: Sequence[ControllerRouterHandler],
    at_root: Sequence[ControllerRouterHandler] = (),
    *,
    problem_base_url: str = BASE_URL,
    router: type[Router] = Router,
    lifespan: Sequence[Lifespan] = (),
) -> Litestar:
    """Return the bare application: `versioned` handlers under /api/v1, the others as they are.

    `router` is the class that mounts the versioned ones (dishka's, where handlers are injected). Bounds, limits and
    policies are the gate's, so what this returns is not for serving as it is.
    """
    return Plain(
        [router(PREFIX, route_handlers=list(versioned)), router("/", route_handlers=list(at_root))],
        request_class=ApiRequest,
        response_class=ApiResponse,
        exception_handlers={Exception: Refusals(problem_base_url)},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
        debug=False,
        lifespan=list(lifespan),
    )
