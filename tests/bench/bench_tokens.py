"""What it costs to know who is asking: a token, warm and cold, beside PyJWT; a key beside a bcrypt hash a request."""

import asyncio
import json
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime

import bcrypt
import jwt

from bench.figures import Figure, at_least, at_most, duration, seconds_per_call
from opora.adapters.crypto.digests import PepperedDigests
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import SealedKeyMaker
from opora.adapters.crypto.threads import BoundedThreads
from opora.adapters.crypto.tokens import JwtTokens
from opora.adapters.memory.key_cache import CachedKeyLookup
from opora.core.access.model.keys import ImportedKey, KeyDigest, KeyRecord
from opora.core.access.model.keytext import Environment, KeyFormat
from opora.core.access.model.tokens import Algorithm, SigningKeyState
from opora.core.access.ports.keys import KeyLookup
from opora.core.access.rules.keys import Allow, decide
from opora.core.access.rules.tokens import TokenPolicy, claims_for
from opora.testing.access import a_key, a_session, a_user

BCRYPT_COST = 12
WARM_GOAL_S = 5e-6


def finished[T](call: Coroutine[object, object, T]) -> T:
    """Return what a coroutine returns that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise RuntimeError("it waited")


class OneKey(KeyLookup):
    """A store of one key."""

    def __init__(self, record: KeyRecord) -> None:
        self._record = record

    async def find(self, digests: Sequence[KeyDigest]) -> KeyRecord | None:
        return self._record

    async def by_id(self, key_id: int) -> KeyRecord | None:
        return self._record

    async def imported(self, lookup_prefix: str) -> Sequence[ImportedKey]:
        return []


async def ring_and_token(threads: BoundedThreads, now: datetime) -> tuple[JwtTokens, str]:
    """Make a ring with one RSA key of 4096 bits, and a token it signed."""
    seal, policy = AesSeal(bytes(32)), TokenPolicy()
    key = (await SealedKeyMaker(seal, threads).make(Algorithm.RS256, now)).move(SigningKeyState.ACTIVE)
    ring = JwtTokens(policy, seal, threads)
    ring.take([key])
    user, session = a_user(created_at=now), a_session(created_at=now)
    return ring, await ring.issue(claims_for(user, session, "one", now, policy))


def token_figures() -> list[Figure]:
    """Check one token again and again, remembered and not, and as PyJWT does with a parsed key."""
    threads, now = BoundedThreads(), datetime.now(UTC)
    ring, text = asyncio.run(ring_and_token(threads, now))
    public = jwt.PyJWK.from_json(json.dumps(ring.jwks()["keys"][0])).key  # type: ignore[index]

    def cold() -> None:
        ring._remembered.clear()
        ring.verify(text, now)

    ways = {
        "warm": lambda: ring.verify(text, now),
        "cold": cold,
        "pyjwt": lambda: jwt.decode(text, public, algorithms=["RS256"], audience="opora", issuer="opora"),
    }
    seconds = seconds_per_call(ways)
    threads.close()
    warm_s = seconds["warm"]
    return [
        Figure(
            "token check, warm",
            duration(warm_s),
            f"PyJWT RS256-4096: {duration(seconds['pyjwt'])}",
            warm_s / seconds["pyjwt"],
            "≤ 5 µs",
            warm_s <= WARM_GOAL_S,
        ),
        at_most("token check, cold", seconds["cold"], "PyJWT RS256-4096", seconds["pyjwt"], 1.0),
    ]


def key_figures() -> list[Figure]:
    """Check one key again and again: form, checksum, digest, memory and policy; and as a bcrypt hash a request does."""
    key_format, digests = KeyFormat(), PepperedDigests({"p1": bytes(32)})
    text = key_format.compose(Environment.LIVE, bytes(range(32))).text
    held_s = time.monotonic()
    keys = CachedKeyLookup(OneKey(KeyRecord(a_key(), "hmac-sha256:p1")), lambda: held_s)
    asyncio.run(keys.find(digests.candidates(text)))  # warm, and so for as long as the clock is held
    now, hashed = datetime.now(UTC), bcrypt.hashpw(text[:72].encode(), bcrypt.gensalt(BCRYPT_COST))

    def ours() -> None:
        if key_format.parse(text) is None:
            raise RuntimeError("the key does not parse")
        record = finished(keys.find(digests.candidates(text)))
        if record is None or not isinstance(decide(record, now, "203.0.113.9"), Allow):
            raise RuntimeError("the key was refused")

    ways = {"ours": ours, "bcrypt": lambda: bcrypt.checkpw(text.encode(), hashed)}
    seconds = seconds_per_call(ways, rounds=3)
    return [at_least("key check, warm", seconds["ours"], f"bcrypt({BCRYPT_COST})", seconds["bcrypt"], 1000)]


def figures() -> list[Figure]:
    """Every row of this topic."""
    return [*token_figures(), *key_figures()]
