"""Notes of tokens in Redis, held to their contract and to the names that other services read."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from opora.adapters.memory.token_notes import GuardedTokenNotes, NoTokenNotes
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.token_notes import RedisTokenNotes
from opora.core.kernel.errors import Unavailable
from opora.testing.token_notes import TokenNotesContract, a_note

pytestmark = pytest.mark.anyio


@pytest.fixture
async def connection(anyio_backend, redis_url):
    connection = RedisConnection(redis_url, timeout_s=5.0)
    yield connection
    await connection.close()


class TestRedisTokenNotes(TokenNotesContract):
    """Behind the guard, as they are used."""

    @pytest.fixture(autouse=True)
    async def _store(self, connection, redis_prefix):
        self.notes = GuardedTokenNotes(RedisTokenNotes(connection, prefix=f"{redis_prefix}auth:jwt:"))


async def test_other_services_read_a_note_by_the_jti_and_it_goes_with_the_token(connection, redis_prefix):
    notes = RedisTokenNotes(connection, prefix=f"{redis_prefix}auth:jwt:")
    note = a_note(uuid4().int >> 80)
    await notes.keep(note)
    key = f"{redis_prefix}auth:jwt:{note.token_id}"
    read = json.loads(await connection.call("GET", key))
    assert read == {
        "user_id": note.user_id,
        "email": "anna@example.org",
        "scopes": ["exports:read", "profiles:read"],
        "roles": ["client"],
        "tier": "free",
        "email_verified": True,
        "session_id": 5,
        "granted": ["exports:read", "profiles:read"],
        "exp": int(note.expires_at.timestamp()),
    }
    for name in (key, f"{redis_prefix}auth:jwts:{note.user_id}"):
        assert abs(await connection.call("PEXPIRETIME", name) / 1000 - note.expires_at.timestamp()) < 1
    await notes.renew(note)
    assert await connection.call("PTTL", key) > 0


async def test_a_flush_loses_the_notes_and_nothing_else(private_redis):
    connection = RedisConnection(private_redis.url, timeout_s=5.0)
    notes = RedisTokenNotes(connection)
    note = a_note(3)
    await notes.keep(note)
    assert await connection.call("EXISTS", f"auth:jwt:{note.token_id}") == 1
    await connection.call("FLUSHALL")
    assert list(await notes.of(3)) == []
    await notes.renew(note)
    assert list(await notes.of(3)) == []
    await connection.close()


class Silent(NoTokenNotes):
    """A store that does not answer until it does."""

    asked = 0
    is_down = True

    async def keep(self, note):
        self.asked += 1
        if self.is_down:
            raise Unavailable


async def test_a_store_that_does_not_answer_is_left_in_peace():
    clock, store = [0.0], Silent()
    notes = GuardedTokenNotes(store, lambda: clock[0])
    note = a_note(3, expires_at=datetime.now(UTC))
    for _ in range(20):
        with pytest.raises(Unavailable):
            await notes.keep(note)
    assert store.asked == 3
    store.is_down = False
    with pytest.raises(Unavailable):
        await notes.keep(note)
    clock[0] += 1.1
    await notes.keep(note)
    await notes.keep(note)
    assert store.asked == 5


async def test_without_a_store_nothing_is_kept():
    notes = NoTokenNotes()
    note = a_note(3)
    await notes.keep(note)
    await notes.renew(note)
    await notes.drop(3, note.token_id)
    assert list(await notes.of(3)) == []
