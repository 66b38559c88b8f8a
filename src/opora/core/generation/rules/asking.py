"""What may be asked for, how it is served, and what it may cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from opora.core.generation.errors import InvalidRequest
from opora.core.generation.model.engines import Message, Usage, Wish
from opora.core.generation.model.texts import TOKENS_MAX, Mode, Reach, TextPolicy
from opora.core.kernel.model import Actor

READ_ALL = "admin"
MESSAGES_MAX = 200
CONTENT_MAX = 200_000
STOPS_MAX = 4
STOP_LENGTH_MAX = 100
MODEL_MAX = 100
TEMPERATURE_MAX = 2.0
BYTES_A_TOKEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A text as it is asked for: by `function`, the name of a prompt, or `prompt_id`; `topic` is a variable too."""

    function: str | None = None
    prompt_id: int | None = None
    prompt_version: int | None = None
    topic: str | None = None
    variables: Mapping[str, str | int | float | bool]
    mode: Mode = Mode.AUTO
    max_tokens: int | None = None
    model: str | None = None
    fresh: bool = False


def reach(actor: Actor) -> Reach:
    """Return whose texts the caller may see."""
    return Reach(None) if actor.may(READ_ALL) else Reach(actor.subject)


def refuse_order(order: Order) -> None:
    """Raise InvalidRequest that names every field at fault."""
    errors: dict[str, list[str]] = {}
    if order.function is None and order.prompt_id is None:
        errors["function"] = ["is the name of a prompt, or send prompt_id"]
    if order.function is not None and order.prompt_id is not None and order.topic is not None:
        errors["topic"] = ["stands beside function, or prompt_id does"]
    if order.topic is not None and order.variables.get("topic", order.topic) != order.topic:
        errors["topic"] = ["is given twice, and differently"]
    errors |= _bounds(order.max_tokens, order.model)
    if errors:
        raise InvalidRequest(errors=errors)


def refuse_wish(wish: Wish) -> None:
    """Raise InvalidRequest for a conversation that cannot be asked for."""
    errors = _bounds(wish.max_tokens, wish.model)
    if not 1 <= len(wish.messages) <= MESSAGES_MAX:
        errors["messages"] = [f"are 1 to {MESSAGES_MAX}"]
    elif not any(one.content.strip() for one in wish.messages):
        errors["messages"] = ["say nothing"]
    elif sum(len(one.content) for one in wish.messages) > CONTENT_MAX:
        errors["messages"] = [f"are at most {CONTENT_MAX} characters together"]
    if wish.temperature is not None and not 0 <= wish.temperature <= TEMPERATURE_MAX:
        errors["temperature"] = [f"is 0 to {TEMPERATURE_MAX:g}"]
    if wish.top_p is not None and not 0 < wish.top_p <= 1:
        errors["top_p"] = ["is above 0 and at most 1"]
    if len(wish.stop) > STOPS_MAX or not all(1 <= len(one) <= STOP_LENGTH_MAX for one in wish.stop):
        errors["stop"] = [f"is at most {STOPS_MAX} texts of 1 to {STOP_LENGTH_MAX} characters"]
    if errors:
        raise InvalidRequest(errors=errors)


def _bounds(max_tokens: int | None, model: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if max_tokens is not None and not 1 <= max_tokens <= TOKENS_MAX:
        errors["max_tokens"] = [f"is 1 to {TOKENS_MAX}"]
    if model is not None and not (1 <= len(model) <= MODEL_MAX and model.isprintable()):
        errors["model"] = [f"is a name of 1 to {MODEL_MAX} characters"]
    return errors


def given_values(order: Order) -> dict[str, str | int | float | bool]:
    """Return the variables with the topic among them."""
    return dict(order.variables) | ({} if order.topic is None else {"topic": order.topic})


def served(mode: Mode, max_tokens: int, policy: TextPolicy) -> Mode:
    """Return how a text is served: `auto` waits for a short one and takes a long one on."""
    if mode is not Mode.AUTO:
        return mode
    return Mode.SYNC if max_tokens <= policy.short_tokens_max else Mode.ASYNC


def wait_s(asked_s: float | None, policy: TextPolicy) -> float:
    """Seconds somebody is kept waiting for a text before it is taken on."""
    return policy.wait_s if asked_s is None else min(asked_s, policy.wait_max_s)


def estimated(messages: Sequence[Message], content: str) -> Usage:
    """Return what an engine that did not count may have read and written; never nothing for something.

    Tokens of the usual vocabularies are three bytes of UTF-8 or more on the average of a text, in Russian and English.
    """
    said = sum(tokens(one.content) for one in messages)
    return Usage(said, tokens(content), is_estimated=True)


def tokens(text: str) -> int:
    """Estimate the tokens of a text."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def held_tokens(wish: Wish) -> int:
    """Return how many tokens a text may cost at most by our own count."""
    return sum(tokens(one.content) for one in wish.messages) + wish.max_tokens


def cache_key(prompt_id: int | None, prompt_version: int | None, wish: Wish) -> str:
    """Return a name that equal wishes share, SHA-256 over canonical JSON."""
    told = json.dumps([prompt_id, prompt_version, asdict(wish)], ensure_ascii=False, sort_keys=True)
    return sha256(told.encode()).hexdigest()
