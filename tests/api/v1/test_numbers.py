"""Phone numbers over HTTP: added, listed, changed, claimed, suppressed."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api.program import Program
from api.v1.campaigns import API, Campaigns

pytestmark = pytest.mark.anyio
NUMBERS = f"{API}/phone-numbers"
LIST = f"{API}/suppression-list"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def campaigns(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Campaigns]:
    async with Program.over(tmp_path_factory.mktemp("home")) as program:
        yield await Campaigns.over(program)


async def test_a_number_is_kept_in_one_form_whatever_its_spelling(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    made = await campaigns.admin.post(NUMBERS, json={"phone_number": "8 (495) 123-45-67", "project_id": project})
    assert made.status_code == 201
    assert made.json()["phone_number"] == "+74951234567"
    assert (made.json()["status"], made.json()["attempts"], made.json()["project_id"]) == ("new", 0, project)
    shown = (await campaigns.admin.get(made.headers["location"])).json()
    assert shown == made.json() | {"operator": None, "region": None, "timezones": ["Europe/Moscow"]}
    again = await campaigns.admin.post(NUMBERS, json={"phone_number": "+74951234567", "project_id": project})
    assert (again.status_code, again.json()["code"]) == (409, "number_exists")
    assert "number.updated" not in await campaigns.actions()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"phone_number": "nobody"}, 422, "invalid_phone"),
        ({"phone_number": "+7 200 000 00 00"}, 422, "invalid_phone"),
        ({"phone_number": "7.91612E+10"}, 422, "invalid_phone"),
        ({"phone_number": "+79161110000", "project_id": 10**15}, 404, "no_such_project"),
        ({"phone_number": "+79161110000", "provider_id": 10**15}, 404, "no_such_provider"),
        ({"phone_number": "+79161110000", "geo_id": 2**62}, 404, "no_such_geo"),
        ({"phone_number": "+79161110000", "status": "success"}, 422, "validation_failed"),
        ({"phone_number": ""}, 422, "validation_failed"),
        ({"phone_number": "9" * 65}, 422, "validation_failed"),
        ({"phone_number": 79161110000}, 422, "validation_failed"),
    ],
)
async def test_what_is_no_number_to_be_added_is_refused(
    campaigns: Campaigns, body: dict[str, object], status: int, code: str
) -> None:
    project = await campaigns.project()
    answer = await campaigns.admin.post(NUMBERS, json={"project_id": project, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_number_of_no_project_is_for_those_who_see_every_project(campaigns: Campaigns) -> None:
    number = await campaigns.number(None)
    assert number["project_id"] is None
    _, manager = await campaigns.manager()
    assert (await manager.get(f"{NUMBERS}/{number['id']}")).status_code == 404
    refused = await manager.post(NUMBERS, json={"phone_number": campaigns.phone()})
    assert refused.status_code == 404
    assert 0 not in {one["id"] for one in (await campaigns.admin.get(f"{API}/projects")).json()["results"]}


async def test_many_are_added_at_once_and_each_bad_one_is_told_of_by_its_place(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    await campaigns.admin.post(LIST, json={"phone_number": "+79031230004", "project_id": project})
    items = [
        {"phone_number": "+79031230001", "project_id": project},
        {"phone_number": "nobody", "project_id": project},
        {"phone_number": "8 903 123-00-01", "project_id": project},
        {"phone_number": "+79031230002", "project_id": 10**12},
        {"phone_number": "+79031230003", "project_id": project, "provider_id": 10**12},
        {"phone_number": "+79031230004", "project_id": project},
        {"phone_number": "79031230005.0", "project_id": project},
    ]
    answer = await campaigns.admin.post(f"{NUMBERS}/bulk", json={"items": items})
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in ("created", "duplicates", "invalid", "suppressed")} == {
        "created": 2,
        "duplicates": 1,
        "invalid": 3,
        "suppressed": 1,
    }
    assert [(one["index"], one["code"]) for one in told["errors"]] == [
        (1, "invalid_phone"),
        (2, "number_exists"),
        (3, "no_such_project"),
        (4, "no_such_provider"),
        (5, "number_suppressed"),
    ]
    listed = (await campaigns.admin.get(NUMBERS, params={"project_id": project})).json()
    assert (listed["count"], listed["count_exact"]) == (2, True)


async def test_one_that_cannot_even_be_read_is_told_of_by_its_place_too(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    items: list[object] = [
        {"phone_number": "", "project_id": project},
        {"phone_number": "+79031240001", "project_id": project},
        {"phone_number": "9" * 65, "project_id": project},
        {"phone_number": "nobody", "project_id": project},
        {"phone_number": "+79031240002", "project_id": 0},
        {"phone_number": "+79031240002", "project_id": project, "colour": "red"},
        {"project_id": project},
        {"phone_number": 5, "project_id": project},
        {"phone_number": "+79031240002", "project_id": project},
    ]
    answer = await campaigns.admin.post(f"{NUMBERS}/bulk", json={"items": items})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["created"], told["invalid"], told["duplicates"]) == (2, 7, 0)
    codes = [(place, "validation_failed") for place in (0, 2, 4, 5, 6, 7)]
    assert [(one["index"], one["code"]) for one in told["errors"]] == sorted([*codes, (3, "invalid_phone")])
    assert "phone_number" in told["errors"][0]["detail"]
    listed = (await campaigns.admin.get(NUMBERS, params={"project_id": project})).json()
    assert listed["count"] == 2
    none = (await campaigns.admin.post(f"{NUMBERS}/bulk", json={"items": items[:1]})).json()
    assert (none["created"], none["invalid"], [one["index"] for one in none["errors"]]) == (0, 1, [0])


@pytest.mark.parametrize("body", [{"items": []}, {"items": 5}, {"items": [5]}, {"items": [5], "more": 1}, [], {}])
async def test_what_is_no_list_of_numbers_is_refused_whole(campaigns: Campaigns, body: object) -> None:
    answer = await campaigns.admin.post(f"{NUMBERS}/bulk", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"note": "a\u202eb"}, "result_data.note"),
        ({"lines": ["a", {"b": "\u0000"}]}, "result_data.lines.1.b"),
        ({"a\u2066": 1}, "result_data"),
    ],
)
async def test_result_data_that_turns_text_around_is_refused_and_not_kept(
    campaigns: Campaigns, data: dict[str, object], place: str
) -> None:
    number = await campaigns.number(await campaigns.project())
    path = f"{NUMBERS}/{number['id']}"
    answer = await campaigns.admin.patch(path, json={"result_data": data})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [place])
    assert (await campaigns.admin.get(path)).json()["result_data"] is None
    kept = {"note": "one\n\ttwo", "лист": [1, None, True, {"a": "ё"}]}
    assert (await campaigns.admin.patch(path, json={"result_data": kept})).json()["result_data"] == kept


async def test_thousands_are_taken_at_once_but_no_more_than_fifty(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    items = [{"phone_number": f"+7926{place:07}", "project_id": project} for place in range(50_001)]
    refused = await campaigns.admin.post(f"{NUMBERS}/bulk", json={"items": items})
    assert refused.status_code == 422
    taken = await campaigns.admin.post(f"{NUMBERS}/bulk", json={"items": items[:3000]})
    assert taken.json() == {"created": 3000, "duplicates": 0, "invalid": 0, "suppressed": 0, "errors": []}
    wish = {"filter": {"project_id": project}, "set": {"status": "suppressed"}}
    changed = await campaigns.admin.post(f"{NUMBERS}/bulk-update", json=wish)
    assert changed.json() == {"updated": 3000, "refused": 0, "errors": []}
    page = (await campaigns.admin.get(NUMBERS, params={"project_id": project, "status": "suppressed"})).json()
    assert (page["count"], page["count_exact"]) == (3000, True)


async def test_a_list_goes_on_by_cursor_and_says_how_many_there_are(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    ids = [(await campaigns.number(project))["id"] for _ in range(5)]
    query = {"project_id": project, "limit": 2}
    found: list[int] = []
    url: str | None = f"{NUMBERS}?project_id={project}&limit=2"
    while url:
        page = (await campaigns.admin.get(url)).json()
        assert (page["count"], page["count_exact"], page["previous"]) == (5, True, None)
        found += [one["id"] for one in page["results"]]
        url = page["next"]
    assert found == ids[::-1]
    second = (await campaigns.admin.get(NUMBERS, params={**query, "page": 2})).json()
    assert [one["id"] for one in second["results"]] == ids[::-1][2:4]
    assert second["previous"] is not None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"page": 0},
        {"page": 201},
        {"cursor": "forged"},
        {"status": "gone"},
        {"project_id": -1},
        {"project_id": 2**63},
        {"phone": "%"},
        {"phone": ""},
        {"phone": "' OR 1=1"},
        {"created_after": "0001-01-01T00:00:00Z"},
        {"created_after": "2026-01-01T00:00:00"},
    ],
)
async def test_a_list_that_cannot_be_asked_for_is_refused(campaigns: Campaigns, query: dict[str, str]) -> None:
    answer = await campaigns.admin.get(NUMBERS, params=query)
    assert answer.status_code in {400, 422}


async def test_a_status_moves_by_the_table_and_no_other_way(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    id = (await campaigns.number(project))["id"]
    refused = await campaigns.change(id, status="success")
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_move")
    assert refused.json()["allowed"] == ["in_progress", "suppressed"]
    begun = (await campaigns.change(id, status="in_progress")).json()
    assert (begun["attempts"], begun["lease_until"] is not None) == (1, True)
    failed = (await campaigns.change(id, status="failed", cause="busy", result_data={"note": "занято"})).json()
    assert (failed["status"], failed["cause"], failed["result_data"]) == ("failed", "busy", {"note": "занято"})
    assert failed["next_call_at"] > failed["updated_at"]
    await campaigns.change(id, status="in_progress")
    final = (await campaigns.change(id, status="failed", cause="refused")).json()
    assert (final["next_call_at"], final["lease_until"]) == (None, None)
    spent = await campaigns.change(id, status="in_progress")
    assert (spent.status_code, spent.json()["allowed"]) == (409, ["suppressed"])
    assert (await campaigns.change(id, status="suppressed")).status_code == 200
    assert (await campaigns.change(id, status="in_progress")).json()["allowed"] == []
    told = await campaigns.actions(entity_type="phone_number", entity_id=str(id))
    assert told == ["number.status_changed"] * 5


async def test_attempts_end(campaigns: Campaigns) -> None:
    project = await campaigns.project(attempts_max=1)
    id = (await campaigns.number(project))["id"]
    await campaigns.change(id, status="in_progress")
    assert (await campaigns.change(id, status="no_answer")).json()["next_call_at"] is None
    assert (await campaigns.change(id, status="in_progress")).status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "body"),
        ({"cause": "busy"}, "cause"),
        ({"status": "in_progress", "cause": "busy"}, "cause"),
        ({"result_data": {"x": "y" * 16_400}}, "result_data"),
        ({"status": "gone"}, "status"),
        ({"attempts": 0}, "attempts"),
        ({"phone_number": "+79161234567"}, "phone_number"),
    ],
)
async def test_a_change_out_of_bounds_is_refused_by_field(
    campaigns: Campaigns, changes: dict[str, object], field: str
) -> None:
    id = (await campaigns.number(await campaigns.project()))["id"]
    answer = await campaigns.change(id, **changes)  # type: ignore[arg-type]
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert (await campaigns.read(id))["status"] == "new"


async def test_many_change_in_one_transaction_and_those_that_may_not_are_named(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    ids = [(await campaigns.number(project))["id"] for _ in range(3)]
    await campaigns.change(ids[0], status="suppressed")
    wish = {"ids": [*ids, 10**12], "set": {"status": "in_progress"}}
    told = (await campaigns.admin.post(f"{NUMBERS}/bulk-update", json=wish)).json()
    assert (told["updated"], told["refused"]) == (2, 2)
    assert {(one["id"], one["code"]) for one in told["errors"]} == {
        (ids[0], "illegal_move"),
        (10**12, "no_such_number"),
    }
    by_filter = {"filter": {"project_id": project, "status": "in_progress"}, "set": {"status": "no_answer"}}
    assert (await campaigns.admin.post(f"{NUMBERS}/bulk-update", json=by_filter)).json()["updated"] == 2
    for bad in ({"set": {"status": "new"}}, {"ids": ids, "filter": {}, "set": {"status": "new"}}, {"ids": ids}):
        assert (await campaigns.admin.post(f"{NUMBERS}/bulk-update", json=bad)).status_code == 422
    missing = {"ids": ids, "set": {"provider_id": 10**12}}
    assert (await campaigns.admin.post(f"{NUMBERS}/bulk-update", json=missing)).json()["code"] == "no_such_provider"


async def test_numbers_are_claimed_once_within_hours_and_limits(campaigns: Campaigns) -> None:
    closed = await campaigns.project()
    await campaigns.number(closed)
    claim = f"{NUMBERS}/claim"
    none = (await campaigns.admin.post(claim, json={"project_id": closed, "limit": 5})).json()
    assert none == {"results": [], "none_reason": "outside_calling_hours"}
    empty = await campaigns.open_project()
    none = (await campaigns.admin.post(claim, json={"project_id": empty, "limit": 5})).json()
    assert none == {"results": [], "none_reason": "nothing_due"}
    project = await campaigns.open_project(in_progress_max=3)
    ids = {(await campaigns.number(project))["id"] for _ in range(5)}
    first = (await campaigns.admin.post(claim, json={"project_id": project, "limit": 2})).json()["results"]
    second = (await campaigns.admin.post(claim, json={"project_id": project, "limit": 2})).json()["results"]
    assert (len(first), len(second)) == (2, 1)
    assert len({one["id"] for one in first + second} & ids) == 3
    assert {(one["status"], one["attempts"]) for one in first} == {("in_progress", 1)}
    full = (await campaigns.admin.post(claim, json={"project_id": project, "limit": 2})).json()
    assert full["none_reason"] == "in_progress_max_reached"
    await campaigns.admin.patch(f"{API}/projects/{project}", json={"status": "paused"})
    paused = (await campaigns.admin.post(claim, json={"project_id": project, "limit": 2})).json()
    assert paused["none_reason"] == "project_paused"
    for limit in (0, 1001):
        refused = await campaigns.admin.post(claim, json={"project_id": project, "limit": limit})
        assert refused.status_code == 422


async def test_a_number_whose_zone_is_unknown_or_wide_waits_for_hours_that_fit_everywhere(campaigns: Campaigns) -> None:
    project = await campaigns.project()
    now = campaigns.program.clock.now()
    around = now + timedelta(hours=3)  # Moscow's clock
    start, end = (around - timedelta(hours=1)).hour, (around + timedelta(hours=2)).hour
    week = [{"weekday": day, "start_time": f"{start:02}:00", "end_time": f"{end:02}:00"} for day in range(7)]
    await campaigns.admin.put(f"{API}/projects/{project}/schedules", json={"items": week})
    fixed = await campaigns.number(project, "+74951110001")
    mobile = await campaigns.number(project, "+79161110001")
    assert len((await campaigns.read(mobile["id"]))["timezones"]) > 10
    claimed = await campaigns.admin.post(f"{NUMBERS}/claim", json={"project_id": project, "limit": 5})
    assert [one["id"] for one in claimed.json()["results"]] == [fixed["id"]]


async def test_a_number_on_the_list_of_those_never_called_leaves_its_campaign(campaigns: Campaigns) -> None:
    project = await campaigns.open_project()
    number = await campaigns.number(project)
    body = {"phone_number": number["phone_number"], "project_id": project, "reason": "asked"}
    added = await campaigns.admin.post(LIST, json=body)
    assert added.status_code == 201
    assert (await campaigns.admin.get(added.headers["location"])).json() == added.json()
    assert (await campaigns.read(number["id"]))["status"] == "suppressed"
    again = await campaigns.admin.post(LIST, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "suppression_exists")
    query = {"phone_number": number["phone_number"], "project_id": project}
    assert (await campaigns.admin.delete(LIST, params=query)).status_code == 204
    assert (await campaigns.admin.delete(LIST, params=query)).status_code == 404
    assert (await campaigns.read(number["id"]))["status"] == "suppressed"


async def test_a_number_never_called_in_any_project_is_for_those_who_see_them_all(campaigns: Campaigns) -> None:
    project, phone = await campaigns.project(), campaigns.phone()
    everywhere = await campaigns.admin.post(LIST, json={"phone_number": phone})
    path = everywhere.headers["location"]
    assert everywhere.json()["project_id"] is None
    refused = await campaigns.admin.post(NUMBERS, json={"phone_number": phone, "project_id": project})
    assert (refused.status_code, refused.json()["code"]) == (409, "number_suppressed")
    _, manager = await campaigns.manager()
    assert (await manager.post(LIST, json={"phone_number": phone})).json()["code"] == "invalid_suppression"
    assert (await manager.delete(path)).status_code == 403
    assert (await manager.get(path)).status_code == 200
    theirs = await campaigns.admin.post(LIST, json={"phone_number": phone, "project_id": project})
    assert (await manager.get(theirs.headers["location"])).status_code == 404
    listed = (await manager.get(LIST, params={"phone_number": phone})).json()
    assert [one["id"] for one in listed["results"]] == [everywhere.json()["id"]]
    assert (await campaigns.admin.get(LIST, params={"project_id": project})).json()["count"] == 1
    for entry in (path, theirs.headers["location"]):
        assert (await campaigns.admin.delete(entry)).status_code == 204
        assert (await campaigns.admin.delete(entry)).json()["code"] == "no_such_suppression"
    await campaigns.number(project, phone)
