"""WebSockets pass the same gate."""

from dataclasses import replace
from typing import Any

import pytest
from litestar import Controller, WebSocket, websocket

from api.stand import Stand
from opora.api import policy
from opora.api.edge import wrap
from opora.api.http import application
from opora.core.kernel.errors import NotFound
from opora.core.kernel.model import ApiVersion, VersionStatus

pytestmark = pytest.mark.anyio


class SocketController(Controller):
    """One socket for those who may read."""

    @websocket("/echo", opt=policy.needs("things:read"))
    async def echo(self, socket: WebSocket[Any, Any, Any]) -> None:
        """Greet and leave."""
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    @websocket("/boom", opt=policy.needs("things:read"))
    async def boom(self, socket: WebSocket[Any, Any, Any]) -> None:
        """Accept and fail."""
        await socket.accept()
        raise RuntimeError("a secret path")

    @websocket("/refuse", opt=policy.needs("things:read"))
    async def refuse(self, socket: WebSocket[Any, Any, Any]) -> None:
        """Refuse before accepting."""
        raise NotFound


async def opened(stand: Stand, path: str, bearer: str) -> list[dict[str, Any]]:
    """Return what a client is sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {bearer}".encode())]
    scope = {"type": "websocket", "path": path, "headers": headers, "query_string": b"", "client": ("192.0.2.1", 1)}
    await wrap(application([SocketController]), stand.parts)(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/api/v1/echo", "/v1/echo/"])
async def test_who_may_is_connected(stand: Stand, path: str) -> None:
    sent = await opened(stand, path, "reader")
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert stand.gate.spent["key:8", "minute"] == 1


@pytest.mark.parametrize(
    ("path", "bearer", "code", "reason"),
    [
        ("/v1/echo", "wrong", 4401, "bad_key"),
        ("/v1/nowhere", "reader", 4404, "no_such_route"),
    ],
)
async def test_who_may_not_is_told_why(stand: Stand, path: str, bearer: str, code: int, reason: str) -> None:
    sent = await opened(stand, path, bearer)
    assert sent == [{"type": "websocket.close", "code": code, "reason": reason}]
    assert "opora_http_requests_in_flight 0.0" in stand.parts.metrics.render().decode()


async def test_a_fault_in_a_socket_is_logged_once_and_shows_no_text(stand: Stand) -> None:
    heard: list[BaseException] = []
    stand.parts = replace(stand.parts, on_fault=heard.append)
    sent = await opened(stand, "/v1/boom", "reader")
    assert sent[1:] == [{"type": "websocket.close", "code": 4500, "reason": "internal_error"}]
    assert [type(one) for one in heard] == [RuntimeError]


async def test_a_fault_at_the_door_of_a_socket_is_heard_of(stand: Stand) -> None:
    heard: list[BaseException] = []
    stand.parts = replace(stand.parts, on_fault=heard.append)
    stand.gate.fault = RuntimeError("a secret path")
    sent = await opened(stand, "/v1/echo", "reader")
    assert sent == [{"type": "websocket.close", "code": 4500, "reason": "internal_error"}]
    assert [type(one) for one in heard] == [RuntimeError]


async def test_what_a_sockets_handler_refuses_is_told_by_its_code(stand: Stand) -> None:
    assert await opened(stand, "/v1/refuse", "reader") == [
        {"type": "websocket.close", "code": 4404, "reason": "not_found"}
    ]


async def test_a_socket_of_a_version_past_its_end_is_closed() -> None:
    sent = await opened(Stand(ApiVersion("v1", VersionStatus.RETIRED)), "/v1/echo", "reader")
    assert sent == [{"type": "websocket.close", "code": 4410, "reason": "version_retired"}]


async def test_a_socket_without_a_policy_stops_the_start(stand: Stand) -> None:
    @websocket("/loose")
    async def loose(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()

    with pytest.raises(policy.Undeclared, match="WEBSOCKET /api/v1/loose"):
        wrap(application([loose]), stand.parts)
