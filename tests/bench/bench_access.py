"""What it costs in processor time to find out on every call whose token it is: against the same route left bare."""

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from time import process_time
from typing import Any

from litestar import get
from litestar.params import FromPath

from bench.bench_edge import HEADERS, Thing, Wall, bare, driver
from bench.figures import Figure, duration
from opora.adapters.crypto.identities import JwtIdentities, SigningRings
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import SealedKeyMaker
from opora.adapters.crypto.threads import BoundedThreads
from opora.adapters.crypto.tokens import JwtTokens
from opora.adapters.memory.key_news import SharedKeyNews
from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.adapters.memory.rates import MemoryRateGate
from opora.adapters.memory.token_standings import CachedStandings
from opora.api import logs, policy
from opora.api.edge import EdgeParts, wrap
from opora.api.http import application
from opora.core.access.model.scopes import Role
from opora.core.access.model.tokens import Algorithm, SigningKeyState, TokenStanding
from opora.core.access.ports.tokens import TokenStandings
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.tokens import TokenPolicy, claims_for
from opora.core.access.usecases.authenticate import Authenticate
from opora.testing.access import a_session, a_user

CALLS = 200
ROUNDS = 15
GOAL_S = 0.5e-3


class Standing(TokenStandings):
    """A store that answers at once: what its statement costs, PostgreSQL bears."""

    async def find(self, user_id: int, session_id: int | None, token_id: str) -> TokenStanding | None:
        return TokenStanding(user_id, frozenset({Role.CLIENT}), is_active=True, epoch_at=None, revoked=False)

    async def refused(self, token_id: str) -> bool:
        return False


async def signed(threads: BoundedThreads) -> tuple[JwtTokens, SigningRings, str]:
    """Make an RSA key of 4096 bits, and a token of now."""
    now, seal, token_policy = datetime.now(UTC), AesSeal(bytes(32)), TokenPolicy()
    key = (await SealedKeyMaker(seal, threads).make(Algorithm.RS256, now)).move(SigningKeyState.ACTIVE)
    tokens = JwtTokens(token_policy, seal, threads)
    rings = SigningRings(tokens, JwtIdentities("opora", seal))
    rings.take([key])
    claims = claims_for(a_user(created_at=now), a_session(created_at=now), "one", now, token_policy)
    return tokens, rings, await tokens.issue(claims)


def guarded(tokens: JwtTokens, rings: SigningRings, standings: TokenStandings) -> Any:
    """Return the route behind the whole edge, with the program's own way of knowing a token."""

    @get("/things/{thing_id:int}", opt=policy.needs("profiles:read"))
    async def thing(thing_id: FromPath[int]) -> Thing:
        return Thing(thing_id)

    async def nothing_new() -> None:
        """Find no news."""

    authenticate = Authenticate(
        None,  # type: ignore[arg-type]  # no key is asked for
        None,  # type: ignore[arg-type]
        tokens,
        rings,
        SharedKeyNews(nothing_new),
        standings,
        CallerPolicy(base_per_min=50_000_000),
        Wall(),
    )
    return wrap(application([thing]), EdgeParts(authenticate, GuardedRateGate(MemoryRateGate()), Wall()))


def cpu_s(way: Callable[[], object]) -> float:
    """Return the processor seconds of one call."""
    begun = process_time()
    way()
    return (process_time() - begun) / CALLS


def forgetful(app: Any, tokens: JwtTokens) -> Any:
    """Return the application that meets every caller for the first time: the signature is checked on each call."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        app.door._recent.clear()
        tokens._remembered.clear()
        await app(scope, receive, send)

    return run


def figures() -> list[Figure]:
    """Measure the bare route, the guarded one, and the guarded one that forgets everybody, in turn."""
    logs.configure(as_json=True, stream=io.StringIO())
    threads = BoundedThreads()
    tokens, rings, text = asyncio.run(signed(threads))
    app = guarded(tokens, rings, CachedStandings(Standing()))
    headers = [*HEADERS, (b"authorization", f"Bearer {text}".encode())]
    ways = {
        "bare": driver(bare(), HEADERS),
        "warm": driver(app, headers),
        "anew": driver(forgetful(app, tokens), headers),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(ROUNDS):
        for name, way in ways.items():
            found[name].append(cpu_s(way))
    threads.close()
    seconds = {name: median(times) for name, times in found.items()}
    return [
        over("access check of a token, warm: parse, limits, revocation, log", seconds["warm"], seconds["bare"]),
        over("the same with RS256-4096 checked on every call", seconds["anew"], seconds["bare"]),
    ]


def over(path: str, ours_s: float, bare_s: float) -> Figure:
    """Build the row of what a call costs over the bare route."""
    more_s = ours_s - bare_s
    told = f"bare Litestar route: {duration(bare_s)} CPU"
    return Figure(path, f"+{duration(more_s)} CPU", told, more_s / bare_s, "≤ 0.5 ms over it", more_s <= GOAL_S)


if __name__ == "__main__":
    print(*figures(), sep="\n")
