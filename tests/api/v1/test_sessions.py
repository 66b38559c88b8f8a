"""One's sessions over HTTP."""

import pytest

from core.access.stage import PASSWORD

pytestmark = pytest.mark.anyio


async def entered(service, email="anna@example.org"):
    """Log in once more and return a client with the token."""
    answer = await service.client().post("/auth/login", json={"email": email, "password": PASSWORD})
    return service.client(token=answer.json()["access_token"])


@pytest.fixture
async def anna(service, stage):
    """Anna, signed in at two places."""
    await stage.a_person()
    return await entered(service), await entered(service)


async def listed(client):
    answer = await client.get("/auth/sessions")
    assert answer.status_code == 200
    return {one["id"]: one for one in answer.json()["results"]}


async def test_people_see_where_they_are_signed_in_and_which_place_this_is(anna):
    here, there = anna
    mine, theirs = await listed(here), await listed(there)
    assert mine.keys() == theirs.keys() and len(mine) == 2
    (current,) = (one for one in mine.values() if one["current"])
    assert not theirs[current["id"]]["current"]
    assert current.keys() == {"id", "address", "user_agent", "created_at", "last_used_at", "expires_at", "current"}
    assert current["address"] == "192.0.2.1" and current["user_agent"].startswith("python-httpx")


async def test_a_session_is_ended_from_another_and_its_tokens_are_refused(anna):
    here, there = anna
    (other,) = (id for id, one in (await listed(here)).items() if not one["current"])
    assert (await here.delete(f"/auth/sessions/{other}")).status_code == 204
    assert (await there.get("/users/me")).status_code == 401
    assert other not in await listed(here)
    again = await here.delete(f"/auth/sessions/{other}")
    assert (again.status_code, again.json()["code"]) == (404, "no_such_session")


async def test_anothers_session_is_not_there(anna, service, stage):
    here, _ = anna
    await stage.a_person(email="boris@example.org")
    boris = await entered(service, "boris@example.org")
    for session_id in await listed(here):
        refused = await boris.delete(f"/auth/sessions/{session_id}")
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_session")
    assert len(await listed(boris)) == 1 and len(await listed(here)) == 2


async def test_all_sessions_end_at_once_and_one_may_come_in_again_in_the_same_second(anna, service, stage):
    here, _ = anna
    assert (await here.post("/auth/logout-all")).status_code == 204
    for client in anna:
        assert (await client.get("/users/me")).status_code == 401
    fresh = await entered(service)
    assert (await fresh.get("/users/me")).status_code == 200
    assert len(await listed(fresh)) == 1
    assert (await stage.noted("topic", "outbox"))[-2:] == ["user.sessions_ended", "user.logged_in"]
    assert "session.all_ended" in await stage.noted("action", "audit_log")


async def test_a_key_has_no_sessions_and_ends_none(anna, service, stage):
    keyed = await service.keyed("admin")
    answers = [
        await keyed.get("/auth/sessions"),
        await keyed.delete("/auth/sessions/1"),
        await keyed.post("/auth/logout-all"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "no_such_user")}
    assert len(await listed(anna[0])) == 2
