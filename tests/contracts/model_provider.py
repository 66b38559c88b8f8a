"""A provider of texts that speaks two wire formats on a socket of its own, and fails as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

WORDS = ["Чай ", "бодрит", ". ", "Tea ", "is ", "good", " 🍵", "."]
REQUEST_ID = "req-17"


class ModelProvider:
    """One server. `faults` are met by the calls that follow, in their order."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.left = asyncio.Event()
        """Set when a client closes in the middle of an answer."""
        self.tokens_given = 0
        self.token = ""
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._served, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = head[0].split(" ")[1]
        self.paths.append(path)
        self.headers.append(headers)
        if path.endswith("/oauth"):
            await self._give_token(writer)
            return
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            await said(writer, 401, {"error": {"message": "expired"}})
            return
        if path.endswith("/models"):
            await said(writer, 200, {"data": [{"id": "m-1"}, {"id": "m-2"}]})
            return
        asked = json.loads(body)
        self.bodies.append(asked)
        fault = self.faults.pop(0) if self.faults else ""
        speaks = anthropic if path.endswith("/messages") else openai
        await self._write(reader, writer, asked, fault, speaks(asked))

    async def _give_token(self, writer: asyncio.StreamWriter) -> None:
        self.tokens_given += 1
        self.token = f"token-{self.tokens_given}"
        await said(writer, 200, {"access_token": self.token, "expires_at": 4_102_444_800_000})

    async def _write(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Any, fault: str, lines: list[bytes]
    ) -> None:
        refusals = {"error": (500, {}), "busy": (429, {"retry-after": "7"}), "crowded": (429, {}), "refuse": (400, {})}
        if fault in refusals:
            status, more = refusals[fault]
            await said(writer, status, {"error": {"message": "told to"}}, more)
            return
        if fault == "down":
            writer.transport.abort()
            return
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: {REQUEST_ID}\r\n".encode())
        writer.write(b"connection: close\r\n\r\n")
        if fault == "garbage":
            writer.write(b"data: {\xff\xfe not json\n\n")
        for number, line in enumerate(lines):
            if number == 3 and fault == "cut":
                return
            if number == 3 and fault == "hang":
                await writer.drain()
                await reader.read()  # until the client leaves
                self.left.set()
                return
            for half in (line[: len(line) // 2], line[len(line) // 2 :]):  # in the middle of a letter as well
                writer.write(half)
                await writer.drain()
                await asyncio.sleep(0)


async def said(writer: asyncio.StreamWriter, status: int, body: object, headers: dict[str, str] | None = None) -> None:
    """Write a whole answer."""
    told = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Told", "content-type: application/json", f"content-length: {len(told)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode() + told)
    await writer.drain()


def data(value: object, kind: str = "") -> bytes:
    event = f"event: {kind}\n" if kind else ""
    return f"{event}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def openai(asked: dict[str, Any]) -> list[bytes]:
    """Return the events of a chat completion."""
    most = asked.get("max_tokens") or asked.get("max_completion_tokens") or 99
    words = WORDS[:most]
    head = {"id": "c-1", "object": "chat.completion.chunk", "model": "m-1"}
    lines = [b": comment\n\n", data({**head, "choices": [{"delta": {"role": "assistant", "content": ""}}]})]
    lines += [data({**head, "choices": [{"delta": {"content": one}, "finish_reason": None}]}) for one in words]
    reason = "length" if len(words) < len(WORDS) else "stop"
    lines.append(data({**head, "choices": [{"delta": {}, "finish_reason": reason}]}))
    usage = {"prompt_tokens": 5, "completion_tokens": len(words), "total_tokens": 5 + len(words)}
    lines.append(data({**head, "choices": [], "usage": usage}))
    return [*lines, b"data: [DONE]\n\n"]


def anthropic(asked: dict[str, Any]) -> list[bytes]:
    """Return the events of a message."""
    words = WORDS[: asked["max_tokens"]]
    message = {"id": "msg-1", "model": "m-1", "usage": {"input_tokens": 5, "output_tokens": 1}}
    lines = [data({"type": "message_start", "message": message}, "message_start"), data({"type": "ping"}, "ping")]
    for one in words:
        delta = {"type": "text_delta", "text": one}
        lines.append(data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"))
    reason = "max_tokens" if len(words) < len(WORDS) else "end_turn"
    ending = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": len(words)}}
    return [*lines, data(ending, "message_delta"), data({"type": "message_stop"}, "message_stop")]


@asynccontextmanager
async def provider() -> AsyncIterator[ModelProvider]:
    """A provider that listens while the block runs."""
    served = ModelProvider()
    await served.start()
    yield served
    await served.stop()
