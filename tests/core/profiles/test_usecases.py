import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.profiles import SqlProfileViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import Actor, PageRequest
from opora.core.profiles.errors import InvalidGeneration, NoSuchProfile
from opora.core.profiles.model.exports import EVERYONES
from opora.core.profiles.model.kept import ProfileFilter
from opora.core.profiles.model.requests import GenerationRequest
from opora.core.profiles.rules.keeping import KeepingPolicy
from opora.core.profiles.usecases.profiles import EXPIRE, DeleteProfile, ExpireProfiles, GenerateProfiles

pytestmark = pytest.mark.anyio

ME, YOU = Actor(user_id=3, key_id=7), Actor(user_id=4)


class Stopped:
    def __init__(self):
        self.at = datetime.now(UTC)

    def now(self):
        return self.at


@pytest.fixture
def clock():
    return Stopped()


@pytest.fixture
def generate(sqlite_unit, workshop, clock):
    return GenerateProfiles(sqlite_unit, workshop, clock, SystemRandomness(), KeepingPolicy())


@pytest.fixture
def views(sqlite_database):
    return SqlProfileViews(sqlite_database)


async def ids_seen(views):
    page = await views.page(EVERYONES, ProfileFilter(), PageRequest(limit=200))
    return {json.loads(one)["id"] for one in page.items}


async def topics(database):
    return [row["topic"] for row in await database.read.fetch("SELECT topic FROM outbox ORDER BY id")]


async def actions(database):
    rows = await database.read.fetch("SELECT action, entity_id, key_id FROM audit_log ORDER BY id")
    return [(row["action"], row["entity_id"], row["key_id"]) for row in rows]


async def test_people_that_are_not_kept_leave_no_trace(generate, sqlite_database, views):
    made = await generate(ME, GenerationRequest(count=3, seed=1))
    assert made.ids is None
    assert len(made.profiles) == 3
    assert await ids_seen(views) == set()
    assert await topics(sqlite_database) == []


async def test_kept_people_are_recorded_announced_and_audited_once_a_batch(generate, sqlite_database, views):
    made = await generate(ME, GenerationRequest(count=3, seed=1, persist=True))
    assert await ids_seen(views) == set(made.ids)
    assert await topics(sqlite_database) == ["profile.generated"]
    assert await actions(sqlite_database) == [("profile.generated", str(made.ids[0]), 7)]
    rows = await sqlite_database.read.fetch("SELECT seed, position, source_key FROM profiles ORDER BY id")
    assert [tuple(row) for row in rows] == [(1, 0, "key:7"), (1, 1, "key:7"), (1, 2, "key:7")]


async def test_the_same_seed_gives_the_same_people_whether_kept_or_not(generate):
    plain = await generate(ME, GenerationRequest(count=2, seed=5, index=10))
    kept = await generate(YOU, GenerationRequest(count=12, seed=5, persist=True))
    assert kept.profiles[10:] == plain.profiles


async def test_a_seed_of_ones_own_is_told_and_differs(generate):
    first, second = [await generate(ME, GenerationRequest()) for _ in range(2)]
    assert first.recipe.seed != second.recipe.seed
    assert 0 <= first.recipe.seed < 2**53
    again = await generate(ME, GenerationRequest(seed=first.recipe.seed))
    assert again.profiles == first.profiles


async def test_a_refused_request_keeps_nothing(generate, views):
    with pytest.raises(InvalidGeneration):
        await generate(ME, GenerationRequest(count=101, persist=True))
    assert await ids_seen(views) == set()


async def test_a_profile_is_deleted_once_and_by_its_owner(generate, sqlite_unit, sqlite_database, clock, views):
    made = await generate(ME, GenerationRequest(persist=True))
    delete = DeleteProfile(sqlite_unit, clock)
    with pytest.raises(NoSuchProfile):
        await delete(YOU, made.ids[0])
    await delete(ME, made.ids[0])
    with pytest.raises(NoSuchProfile):
        await delete(ME, made.ids[0])
    assert await ids_seen(views) == set()
    assert (await topics(sqlite_database))[-1] == "profile.deleted"
    assert (await actions(sqlite_database))[-1] == ("profile.deleted", str(made.ids[0]), 7)


async def claimed(unit: SqlUnitOfWork) -> Claim:
    async with unit() as tx:
        job = await tx.jobs.add(NewJob(kind=EXPIRE))
        await tx._connection.execute(
            "UPDATE jobs SET state = 'running', attempt = 1, lease_id = 'mine', lease_until = later(60) WHERE id = :id",
            id=job,
        )
    return Claim(id=job, kind=EXPIRE, payload={}, attempt=1, attempts_max=5, lease_id="mine")


async def test_profiles_past_their_time_are_deleted_by_the_job(generate, sqlite_unit, sqlite_database, clock, views):
    lasting = await generate(ME, GenerationRequest(persist=True, ttl_seconds=86_400))
    for_good = await generate(ME, GenerationRequest(persist=True))
    clock.at -= timedelta(hours=1)
    for _ in range(6):
        await generate(ME, GenerationRequest(count=100, persist=True, ttl_seconds=60))
    clock.at += timedelta(hours=1)
    claim = await claimed(sqlite_unit)
    await ExpireProfiles(sqlite_unit, clock)(claim)
    assert await ids_seen(views) == {*lasting.ids, *for_good.ids}
    assert (await topics(sqlite_database))[-2:] == ["profile.expired"] * 2
    done = await sqlite_database.read.fetch_one("SELECT state, result FROM jobs WHERE id = :id", id=claim.id)
    assert tuple(done) == ("succeeded", '{"expired":600}')


async def test_a_lost_lease_ends_the_expiry_without_a_result(sqlite_unit, clock):
    claim = Claim(id=uuid4(), kind=EXPIRE, payload={}, attempt=1, attempts_max=5, lease_id="nobodys")
    with pytest.raises(DomainError):
        await ExpireProfiles(sqlite_unit, clock)(claim)


async def test_what_is_kept_without_a_time_of_its_own_lives_as_long_as_the_policy_says(
    generate: GenerateProfiles, sqlite_database: Database
) -> None:
    mortal = replace(generate, policy=KeepingPolicy(ttl_seconds=600))
    made = [await one(ME, GenerationRequest(persist=True, ttl_seconds=given)) for one, given in (
        (generate, None), (mortal, None), (mortal, 60),
    )]  # fmt: skip
    lives = "SELECT count(*) FROM profiles WHERE id = :id AND expires_at > created_at"
    assert [await sqlite_database.read.fetch_value(lives, id=one.ids[0]) for one in made] == [0, 1, 1]
