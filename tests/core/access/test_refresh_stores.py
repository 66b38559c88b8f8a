"""Refreshing under race on each relational store."""

import asyncio

import pytest

from core.access.stage import HERE, PASSWORD, Stage

pytestmark = pytest.mark.anyio


async def test_fifty_parallel_refreshes_of_one_token_make_one_row_and_one_successor(database, unit, threads):
    stage = Stage(database, unit, threads)
    await stage.ensure_signing_key()
    await stage.a_person()
    first = await stage.log_in("anna@example.org", PASSWORD, HERE)
    pairs = await asyncio.gather(*(stage.refresh(first.refresh_token, HERE) for _ in range(50)))
    assert len({pair.refresh_token for pair in pairs}) == 1
    assert len({pair.access_token for pair in pairs}) == 50
    assert await database.read.fetch_value("SELECT count(*) FROM refresh_tokens") == 2
    assert "user.refresh_token_reused" not in await stage.noted("topic", "outbox")
    assert (await stage.refresh(pairs[0].refresh_token, HERE)).refresh_token != pairs[0].refresh_token
