"""On Redis Cluster a command takes keys of one slot: all that Opora says to Redis is looked at for that."""

from binascii import crc_hqx
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opora.adapters.redis.bus import RedisBus
from opora.adapters.redis.cluster import keys_of, slot_of
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.rate_stats import RedisRateStats
from opora.adapters.redis.rates import RedisRateGate
from opora.adapters.redis.token_notes import RedisTokenNotes
from opora.core.access.model.notes import TokenNote
from opora.core.access.model.rates import Admission, RatePolicy
from opora.core.access.rules.names import key_name, key_rights_name, rights_name, session_name, token_name, user_name
from opora.events.redis_streams import dead_letters
from opora.testing.bus import a_message

pytestmark = pytest.mark.anyio
SLOTS = 16_384
POLICIES = (RatePolicy("minute", 100, 60), RatePolicy("day", 1000, 86_400))


def slot(key: str) -> int:
    """Return a key's slot as the specification of Redis Cluster has it."""
    opened, _, rest = key.partition("{")
    inner, closed, _ = rest.partition("}")
    return crc_hqx((inner if opened != key and closed and inner else key).encode(), 0) % SLOTS


def test_the_slots_are_those_of_the_specification() -> None:
    assert [slot(key) for key in ("123456789", "{user1000}.following", "foo{}{bar}")] == [12739, 3443, 8363]
    assert slot("{user1000}.following") == slot("{user1000}.followers")


@pytest.mark.parametrize("key", ["123456789", "{user1000}.x", "foo{}{bar}", "foo{{bar}}zap", "a{b", "a}b{c}", "я{ё}"])
def test_a_command_is_sent_where_the_specification_says(key: str) -> None:
    assert slot_of(key) == slot_of(key.encode()) == slot(key)


class Recorded(RedisConnection):
    """Says what it is told to, and keeps the keys of each command."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout_s=2)
        self.keys: list[list[str]] = []

    def call(self, *parts: Any) -> Awaitable[Any]:
        self.keys.append([str(key) for key in keys_of(parts)])
        return super().call(*parts)

    def crossing(self) -> list[list[str]]:
        """Return the commands whose keys lie in several slots."""
        return [keys for keys in self.keys if len({slot(key) for key in keys}) > 1]


@pytest.fixture
async def recorded(anyio_backend: str, redis_url: str) -> AsyncIterator[Recorded]:
    connection = Recorded(redis_url)
    yield connection
    await connection.close()


async def test_a_person_is_asked_about_in_one_script_of_one_slot(recorded: Recorded, redis_prefix: str) -> None:
    gate = RedisRateGate(recorded, prefix=redis_prefix)
    names = (user_name(3), token_name(3, "8f"), rights_name(3, 2), session_name(3, 9))
    asked = Admission(user_name(3), POLICIES, 1, names, user_name(3), datetime.now(UTC))
    assert (await gate.admit(asked)).allowed
    assert recorded.crossing() == [] and max(map(len, recorded.keys)) == 7
    await gate.end_before(user_name(3), datetime.now(UTC) + timedelta(minutes=1), 60)
    assert (await gate.admit(asked)).revoked


async def test_a_key_that_took_the_place_of_another_stays_within_the_slots_and_is_refused_when_it_is_revoked(
    recorded: Recorded, redis_prefix: str
) -> None:
    gate = RedisRateGate(recorded, prefix=redis_prefix)
    asked = Admission(key_name(7), POLICIES, 1, (key_name(9), key_rights_name(9, 1)))
    assert slot(f"{{{key_name(7)}}}") != slot(f"{{{key_name(9)}}}")
    first = await gate.admit(asked)
    assert first.allowed and len(first.verdicts) == len(POLICIES)
    await gate.deny(key_name(9), 60)
    assert (await gate.admit(asked)).revoked
    await gate.lift(key_name(9))
    await gate.deny(key_name(7), 60)
    assert (await gate.admit(asked)).allowed, "the older one was revoked, not this"
    await gate.lift(key_name(7))
    assert recorded.crossing() == []


async def test_figures_and_notes_stay_within_the_slots(recorded: Recorded, redis_prefix: str) -> None:
    stats = RedisRateStats(recorded, prefix=redis_prefix)
    stats.count(key_name(7), True)
    await stats.figures()
    notes = RedisTokenNotes(recorded, prefix=f"{redis_prefix}jwt:")
    until = datetime.now(UTC) + timedelta(minutes=5)
    for number in range(5):
        await notes.keep(a_note(f"jti-{number}", until))
    assert len(await notes.of(3)) == 5
    assert recorded.crossing() == []


async def test_events_lie_in_one_slot_with_their_dead_letters(recorded: Recorded, redis_prefix: str) -> None:
    stream = f"{redis_prefix}events"
    receipt = await RedisBus(recorded, stream, 1000).publish([a_message(), a_message()])
    assert await RedisBus(recorded, stream, 1000).keeps(receipt.mark)
    assert recorded.keys == [[stream]] * 3
    assert slot(dead_letters(stream, "crm")) == slot(stream)


async def test_keys_of_two_slots_in_one_command_are_found(recorded: Recorded, redis_prefix: str) -> None:
    two = [f"{redis_prefix}{{a}}", f"{redis_prefix}{{b}}"]
    planted = [("MGET", *two), ("EVAL", "return 1", 2, *two, "argument")]
    for command in planted:
        await recorded.call(*command)
    await recorded.call("EVAL", "return 1", 1, *two)
    assert recorded.crossing() == [two, two]


def a_note(token_id: str, until: datetime) -> TokenNote:
    return TokenNote(
        token_id=token_id, user_id=3, session_id=None, email="a@b.c", scopes=(), granted=(), roles=(), tier="free",
        email_verified=False, expires_at=until,
    )  # fmt: skip
