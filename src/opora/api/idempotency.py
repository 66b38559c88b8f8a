"""Safe repetition: the same Idempotency-Key, caller and content give the first answer again."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace

import msgspec

from opora.api.answers import Outgoing, Recording
from opora.api.bodies import Send
from opora.api.errors import AnsweredBefore, BadIdempotencyKey
from opora.core.kernel.model import IdempotentCall, StoredAnswer
from opora.core.kernel.ports import IdempotentCalls, Started

REPLAYED = (b"idempotent-replayed", b"true")
KEPT_HEADERS = frozenset(
    {b"content-type", b"location", b"etag", b"link", b"content-disposition", b"content-language", b"cache-control"}
)

_KEY = re.compile(rb"[\x21-\x7e]{1,255}")

Running = Callable[[Send], Awaitable[None]]
"""The rest of the application, given where to send its answer."""


def key_of(sent: bytes) -> str:
    """Return the key that a header names; raises BadIdempotencyKey."""
    if not _KEY.fullmatch(sent):
        raise BadIdempotencyKey
    return sent.decode("ascii")


def fingerprint(method: str, path: str, query: bytes, body: bytes) -> bytes:
    """Return SHA-256 over all a call asks; JSON is compared by its content, not by its spelling."""
    digest = hashlib.sha256(f"{method} {path}\n".encode())
    digest.update(query + b"\n")
    digest.update(_canonical(body))
    return digest.digest()


def _canonical(body: bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(body), order="deterministic")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return body


class Repetition:
    """Runs a call once for any number of equal ones."""

    def __init__(self, calls: IdempotentCalls) -> None:
        self._calls = calls

    async def run(self, call: IdempotentCall, running: Running, out: Outgoing) -> None:
        """Answer from the first call's record, or run and keep a 2xx together with its effect.

        Whatever is not a 2xx frees the key: nothing was made, and a corrected call may use it.
        """
        found = await self._calls.open(call)
        if isinstance(found, StoredAnswer):
            await replay(found, out)
            return
        recording = Recording(out)
        try:
            await running(recording.send)
        except BaseException:
            await self._calls.abandon(found)
            raise
        await self._settle(found, recording)
        if not recording.is_sent:
            await out.answer(recording.status, without_length(recording), recording.body)

    async def run_upload(self, call: IdempotentCall, running: Running, out: Outgoing) -> None:
        """Do the same for a call whose content is known only once its handler has read it: see `claim`.

        A call that ends before is answered as it is, and keeps nothing.
        """
        late = Late(self._calls, call)
        token = LATE.set(late)
        recording = Recording(out)
        try:
            await running(recording.send)
        except AnsweredBefore:
            pass
        except BaseException:
            if late.started is not None:
                await self._calls.abandon(late.started)
            raise
        finally:
            LATE.reset(token)
        if late.answer is not None:
            await replay(late.answer, out)
            return
        if late.started is not None:
            await self._settle(late.started, recording)
        await out.answer(recording.status, without_length(recording), recording.body)

    async def _settle(self, started: Started, recording: Recording) -> None:
        if 200 <= recording.status < 300:  # noqa: PLR2004
            await self._calls.settle(started, stored(recording))
        else:
            await self._calls.abandon(started)


class Late:
    """An upload under an Idempotency-Key, and what became of its claim."""

    __slots__ = ("answer", "call", "calls", "started")

    def __init__(self, calls: IdempotentCalls, call: IdempotentCall) -> None:
        self.calls = calls
        self.call = call
        self.started: Started | None = None
        self.answer: StoredAnswer | None = None


LATE: ContextVar[Late | None] = ContextVar("opora_late_claim", default=None)
"""The upload that the running task serves."""


async def claim(content: bytes) -> None:
    """Say what an upload holds, before it has any effect; does nothing without an Idempotency-Key.

    Raises AnsweredBefore where the first answer is given again, and what refuses a key.
    """
    late = LATE.get()
    if late is None:
        return
    whole = hashlib.sha256(late.call.fingerprint + content).digest()
    found = await late.calls.open(replace(late.call, fingerprint=whole))
    if isinstance(found, StoredAnswer):
        late.answer = found
        raise AnsweredBefore
    late.started = found


def stored(recording: Recording) -> StoredAnswer:
    """Return what is kept of an answer: status, the headers worth repeating, body."""
    kept = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in recording.headers if name in KEPT_HEADERS
    )
    return StoredAnswer(recording.status, kept, recording.body)


async def replay(answer: StoredAnswer, out: Outgoing) -> None:
    """Send a kept answer."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await out.answer(answer.status, [*headers, REPLAYED], answer.body)


def without_length(recording: Recording) -> list[tuple[bytes, bytes]]:
    """Return the recorded headers less the length, which sending counts anew."""
    return [pair for pair in recording.headers if pair[0] != b"content-length"]
