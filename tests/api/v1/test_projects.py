"""Projects, providers and areas over HTTP."""

from collections.abc import AsyncIterator

import pytest

from api.program import Program
from api.v1.campaigns import API, Campaigns

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def campaigns(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Campaigns]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield await Campaigns.over(program)


async def test_a_project_goes_from_its_making_to_its_restoring(campaigns: Campaigns) -> None:
    admin = campaigns.admin
    made = await admin.post(f"{API}/projects", json={"name": "Осень", "description": "Звонки"})
    assert made.status_code == 201
    path = made.headers["location"]
    project = made.json()
    assert path == f"{API}/projects/{project['id']}"
    assert (project["status"], project["is_deleted"], project["zone_mode"]) == ("active", False, "number")
    assert (await admin.get(path)).json() == project
    changed = await admin.patch(path, json={"status": "paused", "holidays": ["2027-01-01"], "in_progress_max": 5})
    assert changed.json() | {"updated_at": ""} == project | {
        "status": "paused",
        "holidays": ["2027-01-01"],
        "in_progress_max": 5,
        "updated_at": "",
    }
    replaced = await admin.put(path, json={"name": "Зима"})
    assert (replaced.json()["name"], replaced.json()["description"], replaced.json()["status"]) == (
        "Зима",
        "",
        "active",
    )
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get(path)).json()["code"] == "no_such_project"
    assert (await admin.delete(path)).status_code == 404
    deleted = (await admin.get(f"{API}/projects/deleted")).json()["results"]
    assert [(one["id"], one["status"], one["is_deleted"]) for one in deleted] == [(project["id"], "deleted", True)]
    assert (await admin.post(f"{path}/restore")).json()["is_deleted"] is False
    again = await admin.post(f"{path}/restore")
    assert (again.status_code, again.json()["code"]) == (409, "project_not_deleted")
    assert (await admin.get(f"{API}/projects/deleted")).json()["count"] == 0
    told = await campaigns.actions(entity_type="project", entity_id=str(project["id"]))
    assert told == ["project.restored", "project.deleted", "project.updated", "project.updated", "project.created"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a", "timezone": "Mars/Olympus"}, "timezone"),
        ({"name": "a", "attempts_max": 0}, "attempts_max"),
        ({"name": "a", "in_progress_max": 0}, "in_progress_max"),
        ({"name": "a", "status": "deleted"}, "status"),
        ({"name": "a", "zone_mode": "moon"}, "zone_mode"),
        ({"name": "a", "holidays": ["2027-02-30"]}, "holidays.0"),
        ({"name": "a", "id": 7}, "id"),
        ({"name": "a", "created_by": "user:1"}, "created_by"),
    ],
)
async def test_a_project_out_of_bounds_is_refused_by_field(
    campaigns: Campaigns, body: dict[str, object], field: str
) -> None:
    answer = await campaigns.admin.post(f"{API}/projects", json=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


async def test_a_week_is_replaced_whole_and_read_as_it_was_set(campaigns: Campaigns) -> None:
    path = f"{API}/projects/{await campaigns.project()}/schedules"
    assert (await campaigns.admin.get(path)).json() == {"items": []}
    week = [
        {"weekday": 0, "start_time": "09:00", "end_time": "18:00", "is_active": True},
        {"weekday": 4, "start_time": "22:00", "end_time": "02:00", "is_active": False},
        {"weekday": 6, "start_time": "00:00", "end_time": "24:00", "is_active": True},
    ]
    assert (await campaigns.admin.put(path, json={"items": week})).json() == {"items": week}
    assert (await campaigns.admin.get(path)).json() == {"items": week}
    shorter = await campaigns.admin.put(path, json={"items": [week[0] | {"start_time": "09:00:00"}]})
    assert shorter.json() == {"items": [week[0]]}


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"weekday": 7, "start_time": "09:00", "end_time": "18:00"}, "items.0.weekday"),
        ({"weekday": 0, "start_time": "25:00", "end_time": "18:00"}, "items.0.start_time"),
        ({"weekday": 0, "start_time": "09:00", "end_time": "09:60"}, "items.0.end_time"),
        ({"weekday": 0, "start_time": "09:00", "end_time": "09:00"}, "items.0"),
        ({"weekday": 0, "start_time": "24:00", "end_time": "09:00"}, "items.0"),
    ],
)
async def test_hours_that_cannot_be_are_refused_by_entry(
    campaigns: Campaigns, item: dict[str, object], field: str
) -> None:
    path = f"{API}/projects/{await campaigns.project()}/schedules"
    answer = await campaigns.admin.put(path, json={"items": [item]})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


async def test_providers_and_areas_are_made_changed_linked_and_kept_while_in_use(campaigns: Campaigns) -> None:
    admin, project = campaigns.admin, await campaigns.project()
    for kind, first, change in (
        (
            "providers",
            {"name": "МТС", "type": "mobile", "contact_info": {"email": "a@b.example"}},
            {"status": "inactive"},
        ),
        ("geo", {"country_code": "RU", "region": "Калужская область"}, {"timezone": "Europe/Moscow"}),
    ):
        made = await admin.post(f"{API}/{kind}", json=first)
        assert made.status_code == 201
        assert made.json().items() >= first.items()
        path, id = made.headers["location"], made.json()["id"]
        assert (await admin.patch(path, json=change)).json().items() >= (first | change).items()
        assert (await admin.get(path)).json().items() >= (first | change).items()
        listed = (await admin.get(f"{API}/{kind}", params={"q": "МТС" if kind == "providers" else "калуж"})).json()
        assert [one["id"] for one in listed["results"]] == [id]
        name = "provider_id" if kind == "providers" else "geo_id"
        link = f"{API}/projects/{project}/{kind}"
        codes = [(await admin.post(link, json={name: id})).status_code for _ in range(2)]
        assert codes == [201, 200]
        assert [one["id"] for one in (await admin.get(link)).json()["results"]] == [id]
        kept = await admin.delete(path)
        assert (kept.status_code, kept.json()["code"]) == (
            409,
            "provider_in_use" if kind == "providers" else "geo_in_use",
        )
        assert (await admin.delete(f"{link}/{id}")).status_code == 204
        assert (await admin.delete(f"{link}/{id}")).json()["code"] == "not_linked"
        assert (await admin.delete(path)).status_code == 204
        assert (await admin.get(path)).status_code == 404
        assert (await admin.post(link, json={name: id})).status_code == 404


async def test_a_manager_sees_what_was_granted_or_made(campaigns: Campaigns) -> None:
    mine, theirs = await campaigns.project(), await campaigns.project()
    user_id, manager = await campaigns.manager()
    number, _ = await campaigns.number(mine), await campaigns.number(theirs)
    assert (await manager.get(f"{API}/projects")).json()["count"] == 0
    codes = [
        (await campaigns.admin.post(f"{API}/projects/{mine}/managers", json={"user_id": user_id})).status_code
        for _ in range(2)
    ]
    assert codes == [201, 200]
    own = await campaigns.project(manager)
    assert {one["id"] for one in (await manager.get(f"{API}/projects")).json()["results"]} == {mine, own}
    listed = (await manager.get(f"{API}/phone-numbers")).json()
    assert ([one["id"] for one in listed["results"]], listed["count"]) == ([number["id"]], 1)
    assert (await manager.post(f"{API}/projects/{mine}/managers", json={"user_id": user_id})).status_code == 403
    assert (await campaigns.admin.delete(f"{API}/projects/{mine}/managers/{user_id}")).status_code == 204
    assert (await campaigns.admin.delete(f"{API}/projects/{mine}/managers/{user_id}")).json()["code"] == "not_granted"
    assert (await manager.get(f"{API}/projects/{mine}")).status_code == 404


async def test_anothers_project_is_not_there_by_id_filter_phone_or_deed(campaigns: Campaigns) -> None:
    theirs = await campaigns.project()
    _, manager = await campaigns.manager()
    other = await campaigns.number(theirs)
    refused = [
        await manager.get(f"{API}/projects/{theirs}"),
        await manager.patch(f"{API}/projects/{theirs}", json={"name": "x"}),
        await manager.delete(f"{API}/projects/{theirs}"),
        await manager.post(f"{API}/projects/{theirs}/restore"),
        await manager.get(f"{API}/projects/{theirs}/schedules"),
        await manager.put(f"{API}/projects/{theirs}/schedules", json={"items": []}),
        await manager.get(f"{API}/projects/{theirs}/conversion"),
        await manager.post(f"{API}/projects/{theirs}/recalculate-conversion"),
        await manager.get(f"{API}/projects/{theirs}/managers"),
        await manager.get(f"{API}/phone-numbers/{other['id']}"),
        await manager.patch(f"{API}/phone-numbers/{other['id']}", json={"status": "in_progress"}),
        await manager.get(f"{API}/softphone/number/{other['phone_number']}"),
        await manager.post(f"{API}/phone-numbers", json={"phone_number": "+79991112233", "project_id": theirs}),
        await manager.post(f"{API}/phone-numbers/claim", json={"project_id": theirs, "limit": 5}),
        await manager.post(f"{API}/suppression-list", json={"phone_number": "+79991112233", "project_id": theirs}),
    ]
    assert {answer.status_code for answer in refused} == {404}
    for query in ({"project_id": theirs}, {"phone": other["phone_number"]}, {"project_id": theirs, "status": "new"}):
        empty = (await manager.get(f"{API}/phone-numbers", params=query)).json()
        assert (empty["results"], empty["count"]) == ([], 0)
    bulk = await manager.post(
        f"{API}/phone-numbers/bulk-update", json={"ids": [other["id"]], "set": {"status": "suppressed"}}
    )
    assert [(one["id"], one["code"]) for one in bulk.json()["errors"]] == [(other["id"], "no_such_number")]


async def test_only_an_active_manager_can_be_granted_a_project(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    answer = await campaigns.admin.post(f"{API}/projects/{project}/managers", json={"user_id": 10**9})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_managers_role")


async def test_figures_state_what_the_rate_is_of(campaigns: Campaigns) -> None:
    project = await campaigns.open_project()
    path = f"{API}/projects/{project}/conversion"
    fresh = (await campaigns.admin.get(path)).json()
    assert (fresh["total_numbers"], fresh["conversion_rate"], fresh["history"]) == (0, None, [])
    ids = [(await campaigns.number(project))["id"] for _ in range(5)]
    for id, status in zip(ids, ("success", "failed", "no_answer"), strict=False):
        assert (await campaigns.change(id, status="in_progress")).status_code == 200
        assert (await campaigns.change(id, status=status)).status_code == 200
    counted = (await campaigns.admin.post(f"{API}/projects/{project}/recalculate-conversion")).json()
    expected = {
        "total_numbers": 5,
        "processed_numbers": 3,
        "success_numbers": 1,
        "failed_numbers": 1,
        "conversion_rate": 33.33,
    }
    assert counted.items() >= expected.items()
    shown = (await campaigns.admin.get(path)).json()
    assert shown == counted
    assert len(shown["history"]) == 1 and shown["history"][0].items() >= expected.items()


async def test_lists_are_narrowed_by_what_is_asked_for(campaigns: Campaigns) -> None:
    admin = campaigns.admin
    project = await campaigns.project(name="Сирень", status="paused")
    provider = (await admin.post(f"{API}/providers", json={"name": "Незабудка", "status": "inactive"})).json()["id"]
    area = (await admin.post(f"{API}/geo", json={"country_code": "ZZ", "city": "Китеж"})).json()["id"]
    for path, query, id in (
        ("projects", {"status": "paused", "q": "сиРЕНЬ"}, project),
        ("providers", {"status": "inactive", "q": "незабуд"}, provider),
        ("geo", {"country_code": "ZZ", "q": "китеж"}, area),
    ):
        found = (await admin.get(f"{API}/{path}", params=query)).json()
        assert [one["id"] for one in found["results"]] == [id]
        none = await admin.get(f"{API}/{path}", params={**query, "q": "%"})
        assert none.json()["count"] == 0
    managers = await admin.get(f"{API}/projects/{project}/managers")
    assert managers.json()["results"] == []
