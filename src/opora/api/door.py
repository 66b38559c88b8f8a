"""Lets callers in: credentials to a caller, the caller against its limits, strangers with bad keys held off."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from opora.api import headers as request_headers
from opora.api import rate_headers
from opora.api.addresses import limit_name
from opora.api.answers import Outgoing
from opora.api.calls import Call
from opora.api.errors import RateLimited, TooManyFailures
from opora.api.headers import Head
from opora.api.metrics import RequestMetrics
from opora.api.policy import Access
from opora.api.routes import RouteFacts
from opora.api.versions import notice
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.rates import Admission, Decision, RatePolicy, Verdict
from opora.core.access.ports.rates import RateGate
from opora.core.kernel.errors import Unauthenticated
from opora.core.kernel.model import Origin
from opora.core.kernel.ports import Clock

Authenticating = Callable[[Credentials, Origin], Awaitable[Caller]]
"""What the use case Authenticate is: anonymous for no credentials, Unauthenticated for bad ones."""

AUTH_FAILURES = RatePolicy("auth_failures", quota=100, window_s=60)
ANONYMOUS = Credentials()
HELD_MAX = 10_000
"""How many addresses and good credentials are remembered; past it, memory starts afresh."""


class Revoked(Unauthenticated):
    """The credential was revoked."""

    code = "credential_revoked"


class Door:
    """Stands before every route that is not exempt."""

    def __init__(
        self,
        authenticate: Authenticating,
        rates: RateGate,
        clock: Clock,
        metrics: RequestMetrics,
        failures: RatePolicy = AUTH_FAILURES,
    ) -> None:
        self._authenticate = authenticate
        self._rates = rates
        self._clock = clock
        self._metrics = metrics
        self._failures = failures
        self._held_until_s: dict[str, float] = {}
        self._good: set[Credentials] = set()

    async def admit(self, call: Call, head: Head, facts: RouteFacts, out: Outgoing) -> Caller:
        """Return the caller, charged; raises Unauthenticated, RateLimited, TooManyFailures or Unavailable.

        The answer's limit headers are set on `out` even when the call is refused.
        """
        origin = Origin(call.address, request_headers.user_agent(head), call.request_id)
        call.origin = origin
        sent = request_headers.credentials(head)
        is_public = facts.policy.access is Access.PUBLIC
        if sent is None:
            caller = await self._authenticate(ANONYMOUS, origin)
        else:
            caller = await self._identify(sent, origin, is_public=is_public)
        decision = await self._charge(caller, facts)
        if decision.revoked:
            self._good.discard(sent or ANONYMOUS)
            if not is_public:
                raise Revoked
            caller = await self._authenticate(ANONYMOUS, origin)
            decision = await self._charge(caller, facts)
        call.caller = caller
        self._mark(caller, decision, out)
        if not decision.allowed:
            raise self._limited(decision)
        return caller

    async def _identify(self, sent: Credentials, origin: Origin, *, is_public: bool) -> Caller:
        held_until_s = self._held_until_s.get(origin.address) if self._held_until_s else None
        if held_until_s is not None and sent not in self._good:
            self._refuse_held(origin.address, held_until_s)
        try:
            caller = await self._authenticate(sent, origin)
        except Unauthenticated:
            await self._count_failure(origin.address)
            if is_public:
                return await self._authenticate(ANONYMOUS, origin)
            raise
        if len(self._good) > HELD_MAX:
            self._good.clear()
        self._good.add(sent)
        return caller

    def _refuse_held(self, address: str, until_s: float) -> None:
        """Refuse without a look-up while the address is held; one behind the same address with a good key passes."""
        left_s = until_s - monotonic()
        if left_s <= 0:
            del self._held_until_s[address]
            return
        raise self._too_many(left_s)

    async def _count_failure(self, address: str) -> None:
        decision = await self._rates.admit(Admission(f"address:{limit_name(address)}", (self._failures,)))
        if not decision.allowed:
            wait_s = max(verdict.retry_after_s for verdict in decision.verdicts)
            if len(self._held_until_s) > HELD_MAX:
                self._held_until_s.clear()
            self._held_until_s[address] = monotonic() + wait_s
            raise self._too_many(wait_s)

    async def _charge(self, caller: Caller, facts: RouteFacts) -> Decision:
        subject = caller.limit_subject
        if subject.startswith("address:") and ":" in subject[8:]:
            subject = f"address:{limit_name(subject[8:])}"
        issued_at = caller.issued_at
        epoch_subject = None if issued_at is None else f"user:{caller.actor.user_id}"
        admission = Admission(subject, caller.policies, facts.cost, caller.revocation, epoch_subject, issued_at)
        if facts.policy.access is Access.INTERNAL:
            # The gateway asks on behalf of a call that is charged where it lands.
            return await self._rates.peek(admission)
        return await self._rates.admit(admission)

    def _mark(self, caller: Caller, decision: Decision, out: Outgoing) -> None:
        out.extra += rate_headers.headers(decision)
        if decision.degraded:
            self._metrics.degraded += 1
        if caller.notice is not None:
            out.extra += notice(*caller.notice)
        out.is_private = caller.actor.user_id is not None or caller.actor.key_id is not None

    def _limited(self, decision: Decision) -> RateLimited:
        spent = [verdict for verdict in decision.verdicts if not verdict.allowed]
        worst: Verdict = max(spent, key=lambda verdict: verdict.retry_after_s)
        return RateLimited(
            f"The limit {worst.policy.name} of {worst.policy.quota} in {worst.policy.window_s} s is spent.",
            limit=worst.policy.quota,
            remaining=worst.remaining,
            reset_at=self._at(worst.reset_after_s),
            retry_after_s=worst.retry_after_s,
            violated_policies=[verdict.policy.name for verdict in spent],
        )

    def _too_many(self, wait_s: float) -> TooManyFailures:
        return TooManyFailures(
            limit=self._failures.quota, remaining=0, reset_at=self._at(wait_s), retry_after_s=round(wait_s, 3)
        )

    def _at(self, after_s: float) -> str:
        moment: datetime = self._clock.now().astimezone(UTC) + timedelta(seconds=after_s)
        return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
