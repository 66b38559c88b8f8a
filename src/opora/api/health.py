"""Whether the process lives, and whether what it depends on answers: each check bounded to a second."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter

CHECK_TIMEOUT_S = 1.0
OK, DEGRADED, FAILING, NOT_CONFIGURED = "ok", "degraded", "failing", "not_configured"

Check = Callable[[], Awaitable[Mapping[str, object] | None]]
"""Asks one dependency: returns facts worth showing (a `status` of its own among them, if it has one), or raises."""
Result = dict[str, object]


class HealthChecks:
    """The named checks of a running service.

    `not_configured` names what this set-up does without, `spared` what requests go on without: its failure is told, and
    takes no process out of service.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        not_configured: frozenset[str] = frozenset(),
        spared: frozenset[str] = frozenset(),
        timeout_s: float = CHECK_TIMEOUT_S,
    ) -> None:
        self.timeout_s = timeout_s
        self.checks = dict(checks)
        self.not_configured = not_configured
        self.spared = spared

    async def one(self, name: str) -> Result:
        """Return a check's outcome; its error is shown by kind only, as its text may name hosts and users."""
        check = self.checks.get(name)
        if check is None:
            return {"status": NOT_CONFIGURED}
        started_s = perf_counter()
        try:
            async with asyncio.timeout(self.timeout_s):
                facts = await check()
        except Exception as error:  # any failure is the finding
            return {"status": FAILING, "error": type(error).__name__}
        latency_ms = round((perf_counter() - started_s) * 1000, 2)
        return {"status": OK, "latency_ms": latency_ms, **(facts or {})}

    async def all(self) -> tuple[bool, dict[str, Result]]:
        """Return whether everything answers that requests need, and each outcome by name."""
        names = [*self.checks, *sorted(self.not_configured - self.checks.keys())]
        found = await asyncio.gather(*(self.one(name) for name in names))
        results = dict(zip(names, found, strict=True))
        for name in self.spared & results.keys():
            if results[name]["status"] == FAILING:
                results[name]["status"] = DEGRADED
        return all(result["status"] != FAILING for result in results.values()), results
