"""When a call of an engine is repeated, and how long before: pure rules over the retry budget and the job's rounds."""

from dataclasses import replace

from opora.core.generation.model.engines import CallPolicy, RetryBudget
from opora.core.generation.model.texts import TextPolicy
from opora.core.jobs.model import RetryPolicy
from opora.core.jobs.rules import retry_delay_s

RETRY_AFTER_MAX_S = 3600.0


def credited(budget: RetryBudget, policy: CallPolicy) -> RetryBudget:
    """Return the budget after a first call."""
    return replace(budget, tokens=min(budget.tokens + policy.budget_ratio, policy.budget_max))


def spent(budget: RetryBudget) -> RetryBudget:
    """Return the budget after a repetition."""
    return replace(budget, tokens=budget.tokens - 1)


def pause_s(
    tries: int, retry_after_s: float | None, fraction: float, budget: RetryBudget, policy: CallPolicy
) -> float | None:
    """Seconds before the same engine is called again after so many tries; None where it is not.

    Full jitter (Brooker, 2015), not less than the engine asked for. A longer wish than `cap_s` is for the next engine,
    or for the job's next round.
    """
    if tries >= policy.tries_max or budget.tokens < 1:
        return None
    wait_s = retry_delay_s(tries, RetryPolicy(policy.base_s, policy.cap_s), fraction)
    if retry_after_s is None:
        return wait_s
    return max(wait_s, retry_after_s) if retry_after_s <= policy.cap_s else None


def round_delay_s(rounds: int, retry_after_s: float, fraction: float, policy: TextPolicy) -> float | None:
    """Seconds until the next round of a text whose last one found no engine; None where it is given up."""
    if rounds >= policy.rounds_max:
        return None
    wait_s = retry_delay_s(rounds, RetryPolicy(policy.base_s, policy.cap_s), fraction)
    return max(wait_s, min(retry_after_s, RETRY_AFTER_MAX_S))
