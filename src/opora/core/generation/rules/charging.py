"""What a text takes of its owner's plan: features by name, held before it is written and settled with its end."""

from collections.abc import Mapping

from opora.core.billing.errors.quotas import UpgradeRequired
from opora.core.billing.model.plans import Plan
from opora.core.billing.model.quotas import QuotaPolicy
from opora.core.generation.model.engines import Usage
from opora.core.generation.model.texts import CHAT, TOKENS_MAX, Text
from opora.core.generation.rules.asking import held_tokens
from opora.core.jobs.model import Priority

NAMED = frozenset({"post", "article", "summary", CHAT})
"""The functions that plans know by name; texts of every other prompt are one's own."""
OWN = "own"
REQUESTS = "generate.requests"
TOKENS = "generate.tokens"
PRIORITY = "generate.priority"
LONGEST = "generate.max_tokens"
PRIORITIES = {"low": Priority.LOW, "normal": Priority.NORMAL, "high": Priority.HIGH}


def function(name: str) -> str:
    """Return the feature of texts made by a prompt, or of conversations."""
    return f"generate.{name if name in NAMED else OWN}"


def wanted(text: Text) -> Mapping[str, int]:
    """Return what is held for a text before it is written."""
    return {function(text.function): 1, REQUESTS: 1, TOKENS: held_tokens(text.wish)}


def used(usage: Usage) -> Mapping[str, int]:
    """Return what a served text took: the request, and the tokens that were read and written for it."""
    return {REQUESTS: 1, TOKENS: usage.total_tokens}


def refuse_longer(plan: Plan, text: Text, policy: QuotaPolicy) -> None:
    """Raise UpgradeRequired for a text longer than the plan's texts may be."""
    longest = int(plan.options.get(LONGEST, TOKENS_MAX))
    if text.wish.max_tokens > longest:
        raise UpgradeRequired(
            f"Texts of the plan {plan.code} have at most {longest} tokens.",
            feature=LONGEST,
            plan=plan.code,
            upgrade_url=policy.upgrade_url,
        )


def priority(plan: Plan) -> Priority:
    """Return how urgent the plan makes its texts."""
    return PRIORITIES.get(str(plan.options.get(PRIORITY)), Priority.NORMAL)
