"""Limits, denials and epochs on Redis: all that a call is asked in one script, in one round trip."""

import asyncio
import hashlib
from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opora.adapters.redis.connection import RedisConnection, Refused
from opora.core.access.model.rates import Admission, Decision
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules import rates
from opora.core.kernel.errors import Unavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
REVOKED, CHARGED = 0, 1


def tag(name: str) -> str:
    """Return whose a name is: `user:3/jti:…` and `user:3` are both user:3's.

    It stands in braces in every key, so that on Redis Cluster all keys of a subject lie in one slot: a script takes no
    others. Names of another subject (of a key that took the place of an older one, whose limit it goes on with) are
    asked for beside it.
    """
    return name.partition("/")[0]


def cell_key(subject: str, policy: str) -> str:
    """Return where a cell is kept; a policy's name has no colon, so no cell is taken for a denial."""
    return f"rl:{{{subject}}}:{policy}"


def denial_key(name: str) -> str:
    """Return the key that exists while a name is denied."""
    return f"rl:{{{tag(name)}}}:deny:{name}"


def epoch_key(subject: str) -> str:
    """Return where a subject's epoch is kept."""
    return f"rl:{{{tag(subject)}}}:epoch:{subject}"


def microseconds(at: datetime) -> int:
    """Return an instant as whole microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


class Script:
    """A Lua script the server knows by its digest, and is told in full when it has forgotten it."""

    def __init__(self, connection: RedisConnection, file_name: str) -> None:
        self._connection = connection
        self._text = Path(__file__).with_name(file_name).read_text(encoding="utf-8")
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: list[str], *arguments: str | int) -> Any:
        """Run it; raises Unavailable when the server does not answer or refuses."""
        try:
            return await self._connection.call("EVALSHA", self._digest, len(keys), *keys, *arguments)
        except Refused as refusal:
            if not str(refusal).startswith("NOSCRIPT"):
                raise Unavailable("Redis refuses") from refusal
        return await answered(self._connection.call("EVAL", self._text, len(keys), *keys, *arguments))


async def answered(answer: Awaitable[Any]) -> Any:
    """Return the answer; a refusal of the server (loading, out of memory, read-only) counts as no answer."""
    try:
        return await answer
    except Refused as refusal:
        raise Unavailable("Redis refuses") from refusal


class RedisRateGate(RateGate):
    """Cells as three doubles that expire when they say nothing any more; the time is the server's."""

    def __init__(self, connection: RedisConnection, *, prefix: str = "") -> None:
        """Put `prefix` before every key, where the server is shared with others; it may hold no braces."""
        self._connection = connection
        self._prefix = prefix
        self._judge = Script(connection, "admit.lua")
        self._keep_epoch = Script(connection, "epoch.lua")

    def admit(self, admission: Admission) -> Coroutine[Any, Any, Decision]:
        """See RateGate."""
        return self._ask(admission, "1")

    def peek(self, admission: Admission) -> Coroutine[Any, Any, Decision]:
        """See RateGate."""
        return self._ask(admission, "0")

    async def deny(self, name: str, ttl_s: int) -> None:
        """See RateGate."""
        await answered(self._connection.call("SET", self._prefix + denial_key(name), "1", "EX", ttl_s))

    async def lift(self, name: str) -> None:
        """See RateGate."""
        await answered(self._connection.call("DEL", self._prefix + denial_key(name)))

    async def end_before(self, subject: str, epoch: datetime, ttl_s: int) -> None:
        """See RateGate."""
        await self._keep_epoch([self._prefix + epoch_key(subject)], microseconds(epoch), ttl_s * 1000)

    async def _is_denied(self, names: list[str]) -> bool:
        held = [answered(self._connection.call("EXISTS", self._prefix + denial_key(name))) for name in names]
        return any(await asyncio.gather(*held))

    async def _ask(self, admission: Admission, charge: str) -> Decision:
        policies, subject, prefix = admission.policies, admission.subject, self._prefix
        names = admission.revocation
        others = [name for name in names if tag(name) != subject]
        if others:
            own = replace(admission, revocation=tuple([name for name in names if tag(name) == subject]))
            denied, decision = await asyncio.gather(self._is_denied(others), self._ask(own, charge))
            return Decision((), revoked=True) if denied else decision
        keys = [prefix + denial_key(name) for name in names]
        arguments: list[str | int] = [len(keys), "", admission.cost, charge]
        if admission.epoch_subject is not None and admission.issued_at is not None:
            keys.append(prefix + epoch_key(admission.epoch_subject))
            arguments[1] = microseconds(admission.issued_at)
        for policy in policies:
            keys.append(prefix + cell_key(subject, policy.name))
            arguments += (policy.interval_us, policy.tolerance_us, policy.step_us)
        if not keys:
            return Decision(())
        answer = await self._judge(keys, *arguments)
        state = answer[0]
        if state == REVOKED:
            return Decision((), revoked=True)
        now_us, taken, cost = answer[1], state == CHARGED, admission.cost
        if len(policies) == 1:  # nearly always: half the price of the general way
            return Decision((rates.verdict(policies[0], answer[2], answer[3], now_us, cost, taken=taken),))
        figures = zip(policies, answer[2::2], answer[3::2], strict=True)
        return Decision(tuple([rates.verdict(*figure, now_us, cost, taken=taken) for figure in figures]))
