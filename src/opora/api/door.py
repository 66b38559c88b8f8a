"""Lets callers in: credentials to a caller, the caller against its limits, strangers with bad keys held off."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import monotonic

from opora.api import headers as request_headers
from opora.api import rate_headers
from opora.api.answers import Outgoing
from opora.api.calls import Call
from opora.api.errors import CredentialRevoked, RateLimited, TooManyFailures
from opora.api.headers import Head
from opora.api.metrics import RequestMetrics
from opora.api.policy import Access
from opora.api.routes import RouteFacts
from opora.api.versions import notice
from opora.core.access.model.callers import Caller, Credentials, address_subject
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.rates import Admission, Decision, RatePolicy, Verdict
from opora.core.access.model.tokens import looks_like_token
from opora.core.access.ports.rates import RateGate, RateStats
from opora.core.access.rules.stepup import COMMON, StepUpPolicy, refuse_stale
from opora.core.kernel.errors import PermissionDenied, Unauthenticated, Unavailable
from opora.core.kernel.model import Origin
from opora.core.kernel.ports import Clock

Authenticating = Callable[[Credentials, Origin], Awaitable[Caller]]
"""What the use case Authenticate is: anonymous for no credentials, Unauthenticated for bad ones."""

AUTH_FAILURES = RatePolicy("auth_failures", quota=100, window_s=60)
ANONYMOUS = Credentials()
OUR_KEYS = KeyFormat()
WAIT_MAX_S = 366 * 86_400.0
"""What is said of a call that costs more than its quota, whose wait is without end."""
RECENT_S = 0.25
"""How long a caller is taken for who they just were. Revocation is asked of the rate gate every time all the same."""
REMEMBERED_MAX = 10_000
"""How many addresses and good credentials are remembered; past it, memory starts afresh."""


Proof = tuple[bytes | None, bytes | None, str, bool]
"""What came as proof, from where, and whether Basic counts as one."""


class Known:
    """A caller as last met, with the question the rate gate is asked about them; `until_s` is monotonic time."""

    __slots__ = ("admission", "caller", "is_somebody", "until_s")

    def __init__(self, caller: Caller, until_s: float) -> None:
        self.caller = caller
        self.until_s = until_s
        self.is_somebody = caller.actor.user_id is not None or caller.actor.key_id is not None
        epoch_subject = None if caller.issued_at is None else f"user:{caller.actor.user_id}"
        self.admission = Admission(
            caller.limit_subject, caller.policies, 1, caller.revocation, epoch_subject, caller.issued_at
        )


class Door:
    """Stands before every route that is not exempt."""

    def __init__(
        self,
        authenticate: Authenticating,
        rates: RateGate,
        clock: Clock,
        metrics: RequestMetrics,
        failures: RatePolicy = AUTH_FAILURES,
        stats: RateStats | None = None,
        step_up: StepUpPolicy = COMMON,
        forget: Callable[[Caller], None] | None = None,
        key_format: KeyFormat = OUR_KEYS,
    ) -> None:
        self._authenticate = authenticate
        self._rates = rates
        self._clock = clock
        self._metrics = metrics
        self._failures = failures
        self._stats = stats
        self._step_up = step_up
        self._forget = forget
        self._key_format = key_format
        self._held_until_s: dict[str, float] = {}
        self._good: set[Credentials] = set()
        self._recent: dict[Proof, Known] = {}

    async def admit(self, call: Call, head: Head, facts: RouteFacts, out: Outgoing) -> Caller:
        """Return the caller, charged; raises Unauthenticated, RateLimited, TooManyFailures or Unavailable.

        The answer's limit headers are set on `out` even when the call is refused.
        """
        found = head.found
        proof = (found.get(b"authorization"), found.get(b"x-api-key"), call.address, facts.takes_basic)
        known = self._recent.get(proof)
        if known is None or known.until_s < monotonic():
            known = await self._meet(proof, call, head, facts, out)
        decision = await self._charge(known, facts)
        if decision.revoked:
            known, decision = await self._look_again(proof, known, decision, call, head, facts)
        if decision.revoked:
            if facts.policy.access is not Access.PUBLIC:
                raise CredentialRevoked
            known = Known(await self._authenticate(ANONYMOUS, call.origin()), 0.0)
            decision = await self._charge(known, facts)
        caller = call.known = known.caller
        out.limits = rate_headers.headers(decision)
        out.is_private = known.is_somebody
        if caller.notice is not None:
            out.extra += notice(*caller.notice)
        if decision.degraded:
            self._metrics.degraded += 1
        if not decision.allowed:
            raise self._limited(decision)
        return caller

    def ask_proof(self, caller: Caller, facts: RouteFacts) -> None:
        """Raise StepUpNeeded where the route wants a fresher proof of who is asking than the caller's token is."""
        if facts.policy.step_up:
            refuse_stale(caller.proof, self._clock.now(), self._step_up)

    async def _look_again(
        self, proof: Proof, known: Known, refused: Decision, call: Call, head: Head, facts: RouteFacts
    ) -> tuple[Known, Decision]:
        """Find out anew who is asking, past all that is remembered: the refused may have other rights now, or none."""
        self._recent.pop(proof, None)
        if self._forget is None:
            return known, refused
        self._forget(known.caller)
        sent = request_headers.credentials(head, takes_basic=facts.takes_basic) or ANONYMOUS
        try:
            again = Known(await self._authenticate(sent, call.origin()), monotonic() + RECENT_S)
        except (Unauthenticated, PermissionDenied, Unavailable):
            return known, refused
        decision = await self._charge(again, facts)
        if not decision.revoked:
            self._recent[proof] = again
        return again, decision

    async def _meet(self, proof: Proof, call: Call, head: Head, facts: RouteFacts, out: Outgoing) -> Known:
        """Find out who is asking, and remember it for RECENT_S."""
        origin = call.origin()
        if proof[0] is None and proof[1] is None:
            known = Known(await self._authenticate(ANONYMOUS, origin), monotonic() + RECENT_S)
        else:
            try:
                sent = request_headers.credentials(head, takes_basic=facts.takes_basic) or ANONYMOUS
                # A gateway that does not say for whom it asks is not made to answer for its clients' mistakes.
                counts = not call.is_of_gateway or call.address != call.peer
                known = await self._identify(sent, origin, out, counts=counts)
            except (Unauthenticated, PermissionDenied):
                if facts.policy.access is not Access.PUBLIC:
                    raise
                return Known(await self._authenticate(ANONYMOUS, origin), 0.0)
        if len(self._recent) >= REMEMBERED_MAX:
            self._recent.clear()
        self._recent[proof] = known
        return known

    async def _identify(self, sent: Credentials, origin: Origin, out: Outgoing, *, counts: bool) -> Known:
        left_s = self._held_for_s(origin.address) if counts else 0.0
        if left_s and sent not in self._good and not self._proves_itself(sent):
            raise self._too_many(left_s, out)
        try:
            caller = await self._authenticate(sent, origin)
        except Unauthenticated:
            if left_s:
                raise self._too_many(left_s, out) from None
            if counts:
                await self._count_failure(origin.address, out)
            raise
        if len(self._good) >= REMEMBERED_MAX:
            self._good.clear()
        self._good.add(sent)
        return Known(caller, monotonic() + RECENT_S)

    def _held_for_s(self, address: str) -> float:
        """Return how long the failures of an address are refused as too many, and what can be guessed not looked up."""
        left_s = self._held_until_s.get(address, 0.0) - monotonic()
        if left_s <= 0:
            self._held_until_s.pop(address, None)
        return max(left_s, 0.0)

    def _proves_itself(self, sent: Credentials) -> bool:
        """Tell whether the text is ours by its form, and so cannot be guessed and is cheap to check.

        Strangers behind one address keep nobody out who comes with a new token or a key.
        """
        return (sent.bearer is not None and looks_like_token(sent.bearer)) or any(
            text is not None and self._key_format.parse(text) for text in (sent.bearer, sent.api_key)
        )

    async def _count_failure(self, address: str, out: Outgoing) -> None:
        decision = await self._rates.admit(Admission(address_subject(address), (self._failures,)))
        out.limits = rate_headers.headers(decision)
        if not decision.allowed:
            wait_s = max(verdict.retry_after_s for verdict in decision.verdicts)
            if len(self._held_until_s) > REMEMBERED_MAX:
                self._held_until_s.clear()
            self._held_until_s[address] = monotonic() + wait_s
            raise self._too_many(wait_s, out)

    async def _charge(self, known: Known, facts: RouteFacts) -> Decision:
        admission = known.admission if facts.cost == 1 else replace(known.admission, cost=facts.cost)
        if not facts.is_charged:
            # A gateway asks on behalf of a call that is charged where it lands, unless it says otherwise.
            return await self._rates.peek(admission)
        decision = await self._rates.admit(admission)
        if self._stats is not None and not decision.revoked:
            self._stats.count(admission.subject, decision.allowed)
        return decision

    def _limited(self, decision: Decision) -> RateLimited:
        spent = [verdict for verdict in decision.verdicts if not verdict.allowed]
        worst: Verdict = max(spent, key=lambda verdict: verdict.retry_after_s)
        return RateLimited(
            f"The limit {worst.policy.name} of {worst.policy.quota} in {worst.policy.window_s} s is spent.",
            limit=worst.policy.quota,
            remaining=worst.remaining,
            reset_at=self._at(worst.reset_after_s),
            retry_after_s=round(min(worst.retry_after_s, WAIT_MAX_S), 3),
            violated_policies=[verdict.policy.name for verdict in spent],
        )

    def _too_many(self, wait_s: float, out: Outgoing) -> TooManyFailures:
        held = Verdict(self._failures, allowed=False, remaining=0, reset_after_s=wait_s, retry_after_s=wait_s)
        out.limits = rate_headers.headers(Decision((held,)))
        return TooManyFailures(
            limit=self._failures.quota, remaining=0, reset_at=self._at(wait_s), retry_after_s=round(wait_s, 3)
        )

    def _at(self, after_s: float) -> str:
        return rate_headers.reset_at(self._clock.now(), after_s)
