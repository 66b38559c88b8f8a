"""What jobs and telephones do with numbers, over a real store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from core.numbers.desk import PHONE, Desk, TurnedClock
from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.calls import SqlCallViews
from opora.adapters.sql.numbers.conversions import SqlConversionViews
from opora.adapters.sql.numbers.listings import SqlProjectViews
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import SYSTEM, Actor, PageRequest
from opora.core.numbers.errors.numbers import NoSuchNumber, TooManyNumbers
from opora.core.numbers.errors.projects import NoSuchGeo, NoSuchProject, NoSuchProvider
from opora.core.numbers.model.calls import CallEventType, CallResult
from opora.core.numbers.model.numbers import (
    Cause,
    GivenNumber,
    NumberChanges,
    NumberFilter,
    NumberStatus,
)
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules.phones import PhonePolicy
from opora.core.numbers.rules.registry import joined, ranges_of
from opora.core.numbers.usecases.adding import BRINGS_MAX, AddNumber, AddNumbers
from opora.core.numbers.usecases.calls import LookUpCaller
from opora.core.numbers.usecases.claims import SweepCalls, settle
from opora.core.numbers.usecases.conversion import (
    CountingPolicy,
    RecalculateAll,
    RecalculateConversion,
    ShowConversion,
    TidyNumbers,
)
from opora.core.numbers.usecases.directories import (
    CreateGeo,
    CreateProvider,
    DeleteGeo,
    DeleteProvider,
    UpdateGeo,
    UpdateProvider,
)
from opora.core.numbers.usecases.numbers import ShowNumber, UpdateNumber, UpdateNumbers
from opora.core.numbers.usecases.projects import DeleteProject
from opora.core.numbers.usecases.registry import LoadRegistry, RezoneNumbers
from opora.core.numbers.usecases.suppressions import SuppressNumber

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(unit: SqlUnitOfWork, database: Database) -> Desk:
    return Desk(unit, database, TurnedClock())


async def test_what_nobody_ended_is_given_up_after_its_lease_and_not_called_at_once(desk: Desk) -> None:
    project = await desk.project()
    claimed, called, other = await desk.number(project), await desk.number(project), await desk.number(project)
    assert len((await desk.claim(SYSTEM, project, 2)).numbers) == 2
    await desk.tell(other, CallEventType.STARTED, "c1")
    sweep = SweepCalls(desk.unit, desk.clock, desk.policy)
    assert await desk.run(sweep) == {"calls": 0, "claims": 0}
    desk.clock.at += timedelta(minutes=16)
    assert await desk.run(sweep) == {"calls": 1, "claims": 2}
    for number in (claimed, called, other):
        after = await desk.read(number)
        assert (after.status, after.cause, after.attempts) == (NumberStatus.NO_ANSWER, Cause.LOST, 1)
        assert after.next_call_at > desk.clock.at
    assert (await desk.claim(SYSTEM, project, 5)).numbers == ()
    await desk.tell(other, CallEventType.RESULT, "c1", result=CallResult.SUCCESS)
    assert (await desk.read(other)).status is NumberStatus.SUCCESS
    assert await desk.run(sweep) == {"calls": 0, "claims": 0}


async def test_a_call_of_a_number_that_is_never_to_be_called_moves_nothing(desk: Desk) -> None:
    number = await desk.number(await desk.project())
    update = UpdateNumber(desk.unit, desk.registry, desk.clock, desk.policy)
    await update(SYSTEM, number.id, NumberChanges(status=NumberStatus.SUPPRESSED))
    before = await desk.read(number)
    await desk.tell(number, CallEventType.STARTED, "c1")
    assert await desk.read(number) == before


async def test_a_second_call_that_nobody_answered_counts_though_the_status_stays(desk: Desk) -> None:
    number = await desk.number(await desk.project())
    for call_id in ("c1", "c2"):
        await desk.tell(number, CallEventType.RESULT, call_id, result=CallResult.NO_ANSWER)
        assert (await desk.read(number)).status is NumberStatus.NO_ANSWER
    assert (await desk.read(number)).attempts == 2


async def test_an_event_of_an_unknown_number_or_of_a_deleted_project_is_kept_and_moves_nothing(desk: Desk) -> None:
    project = await desk.project()
    number = await desk.number(project)
    stranger = replace(number, phone=74951234567)
    assert await desk.tell(stranger, CallEventType.STARTED, "c1")
    assert await desk.tell(stranger, CallEventType.ENDED, "c1")
    assert await desk.tell(number, CallEventType.STARTED, "c2", project_id=project + 1)
    assert (await desk.read(number)).status is NumberStatus.NEW
    assert await desk.tell(number, CallEventType.STARTED, "c3", project_id=project)
    await DeleteProject(desk.unit, desk.clock)(SYSTEM, project)
    assert await desk.tell(number, CallEventType.RESULT, "c3", result=CallResult.SUCCESS)
    desk.clock.at += timedelta(hours=1)
    sweep = await desk.run(SweepCalls(desk.unit, desk.clock, desk.policy))
    assert sweep == {"calls": 2, "claims": 1}
    assert await desk.database.read.fetch_value("SELECT count(*) FROM call_events") == 5


async def test_the_pop_up_leaves_out_a_project_that_was_deleted_meanwhile(desk: Desk) -> None:
    here, there = await desk.project(), await desk.project()
    number = await desk.number(here)
    given = GivenNumber(phone_number=f"+{number.phone}", project_id=there)
    await AddNumber(desk.unit, desk.registry, desk.clock, PhonePolicy())(SYSTEM, given)
    read = desk.database.read
    look_up = LookUpCaller(SqlNumberViews(read), SqlProjectViews(read), SqlCallViews(read), PhonePolicy())
    assert len((await look_up(SYSTEM, f"+{number.phone}")).matches) == 2
    await DeleteProject(desk.unit, desk.clock)(SYSTEM, there)
    assert [project.id for _, project in (await look_up(SYSTEM, f"8{str(number.phone)[1:]}")).matches] == [here]


async def test_a_new_registry_and_a_new_zone_of_an_area_reach_the_numbers_that_are_there(desk: Desk) -> None:
    project = await desk.project()
    area = await CreateGeo(desk.unit, desk.clock)(SYSTEM, {"country_code": "RU"})
    free, placed = await desk.number(project), await desk.number(project, geo_id=area.id)
    assert free.zone_set == placed.zone_set != 0
    ranges = joined(ranges_of(["916;0000000;9999999;1;МТС;г. Москва\n"], "DEF.csv"))
    assert await LoadRegistry(desk.unit, desk.clock)(SYSTEM, ranges) == 1
    rezone = RezoneNumbers(desk.unit, desk.registry)
    assert await desk.run(rezone, version=1) == {"changed": 2}
    assert await desk.run(rezone, version=1) == {"changed": 0}
    assert (await desk.registry.plan()).find(free.phone) == ranges[0]
    assert (await desk.number(project)).zone_set == (await desk.read(free)).zone_set
    await UpdateGeo(desk.unit, desk.clock)(SYSTEM, area.id, {"timezone": "Asia/Omsk"})
    assert await desk.run(rezone, geo_id=area.id) == {"changed": 1}
    assert (await desk.read(placed)).zone_set != (await desk.read(free)).zone_set
    moved = await UpdateNumber(desk.unit, desk.registry, desk.clock, desk.policy)(
        SYSTEM, free.id, NumberChanges(geo_id=area.id)
    )
    assert moved.zone_set == (await desk.read(placed)).zone_set
    back = await UpdateNumber(desk.unit, desk.registry, desk.clock, desk.policy)(
        SYSTEM, free.id, NumberChanges(geo_id=None)
    )
    assert back.zone_set == free.zone_set or back.geo_id is None


async def test_figures_are_counted_by_the_clock_kept_and_thinned(desk: Desk) -> None:
    project, other = await desk.project(), await desk.project()
    await desk.number(project)
    every = RecalculateAll(desk.unit, desk.clock, CountingPolicy())
    assert await desk.run(every) == {"projects": 2}
    assert await desk.run(every) == {"projects": 0}
    show = ShowConversion(SqlProjectViews(desk.database.read), SqlConversionViews(desk.database.read), desk.clock)
    for _ in range(3):
        desk.clock.at += timedelta(hours=1)
        await RecalculateConversion(desk.unit, desk.clock)(SYSTEM, project)
    newest, history = await show(SYSTEM, project, 10)
    assert (newest.total_numbers, newest.conversion_rate, len(history)) == (1, None, 4)
    desk.clock.at += timedelta(days=400)
    tidied = await desk.run(TidyNumbers(desk.unit, desk.clock, CountingPolicy()))
    assert tidied == {"folded": 1, "events": 0, "figures": 3}
    newest, history = await show(SYSTEM, project, 10)
    assert (newest.total_numbers, len(history)) == (1, 1)
    views = SqlConversionViews(desk.database.read)
    assert sum((await views.counts(project, EVERY_PROJECT)).values()) == 1
    assert sum((await views.counts(10**9, EVERY_PROJECT)).values()) == 0
    assert (await views.history(other, EVERY_PROJECT, PageRequest())).count == 1
    for use_case in (RecalculateConversion(desk.unit, desk.clock), lambda who, one: show(who, one, 1)):
        with pytest.raises(NoSuchProject):
            await use_case(SYSTEM, 10**9)  # type: ignore[operator]


async def test_old_events_go_and_the_calls_they_told_of_stay(desk: Desk) -> None:
    number = await desk.number(await desk.project())
    await desk.tell(number, CallEventType.RESULT, "c1", result=CallResult.FAILED, cause=Cause.BUSY)
    desk.clock.at += timedelta(days=366)
    tidied = await desk.run(TidyNumbers(desk.unit, desk.clock, CountingPolicy()))
    assert tidied["events"] == 1
    calls = await SqlCallViews(desk.database.read).of_numbers([number.id], EVERY_PROJECT, 5)
    assert [(call.call_id, call.result) for call in calls] == [("c1", CallResult.FAILED)]


async def test_directories_and_numbers_that_are_not_there_are_named(desk: Desk) -> None:
    unit, clock = desk.unit, desk.clock
    project = await desk.project()
    number = await desk.number(project)
    add = AddNumbers(unit, desk.registry, clock, PhonePolicy())
    change = UpdateNumber(unit, desk.registry, clock, desk.policy)
    for refusal, call in (
        (NoSuchProvider, UpdateProvider(unit, clock)(SYSTEM, 99, {"name": "x"})),
        (NoSuchProvider, DeleteProvider(unit, clock)(SYSTEM, 99)),
        (NoSuchGeo, UpdateGeo(unit, clock)(SYSTEM, 99, {"region": "x"})),
        (NoSuchGeo, DeleteGeo(unit, clock)(SYSTEM, 99)),
        (NoSuchNumber, change(SYSTEM, 10**9, NumberChanges(status=NumberStatus.IN_PROGRESS))),
        (NoSuchGeo, change(SYSTEM, number.id, NumberChanges(geo_id=99))),
        (NoSuchProvider, change(SYSTEM, number.id, NumberChanges(provider_id=99))),
        (NoSuchNumber, ShowNumber(SqlNumberViews(desk.database.read), desk.registry)(SYSTEM, 10**9)),
        (TooManyNumbers, add(SYSTEM, [])),
    ):
        with pytest.raises(refusal):
            await call
    area = await CreateGeo(unit, clock)(SYSTEM, {"country_code": "RU"})
    assert (await UpdateGeo(unit, clock)(SYSTEM, area.id, {"region": "x"})).timezone is None
    stranger = Actor(user_id=10**6)
    outcome = await add(stranger, [GivenNumber(phone_number="+79160000000")])
    assert [fault.code for fault in outcome.errors] == ["no_such_project"]
    update = UpdateNumbers(unit, desk.registry, clock, desk.policy)
    with pytest.raises(TooManyNumbers):
        await update(SYSTEM, [], NumberChanges(geo_id=None))
    moved = await update(SYSTEM, [number.id], NumberChanges(geo_id=area.id, provider_id=None))
    assert (moved.updated, (await desk.read(number)).geo_id) == (1, area.id)
    assert (await update(stranger, NumberFilter(), NumberChanges(geo_id=None))).updated == 0


async def test_a_registry_over_many_numbers_is_brought_to_all_of_them(desk: Desk) -> None:
    project = await desk.project()
    given = [GivenNumber(phone_number=f"+7916{place:07}", project_id=project) for place in range(5001)]
    outcome = await AddNumbers(desk.unit, desk.registry, desk.clock, PhonePolicy())(SYSTEM, given)
    assert outcome.created == 5001
    ranges = joined(ranges_of(["916;0000000;9999999;1;МТС;г. Москва\n"], "DEF.csv"))
    await LoadRegistry(desk.unit, desk.clock)(SYSTEM, ranges)
    assert await desk.run(RezoneNumbers(desk.unit, desk.registry)) == {"changed": 5001}


async def test_many_callers_who_add_the_same_numbers_at_once_keep_each_once(desk: Desk) -> None:
    project = await desk.project()
    add = AddNumbers(desk.unit, desk.registry, desk.clock, PhonePolicy())
    spelled = [f"+{PHONE + place}" for place in range(300)]
    wanted = [
        [GivenNumber(phone_number=one, project_id=project) for one in order] for order in (spelled, spelled[::-1])
    ]
    outcomes = await asyncio.gather(*(add(SYSTEM, given) for given in wanted * 2))
    assert sum(one.created for one in outcomes) == 300
    assert sum(one.duplicates for one in outcomes) == 900
    async with desk.unit() as tx:
        assert (await tx.tally.of(project))[NumberStatus.NEW] == 300


@dataclass
class Crowded:
    """A unit of work beside which somebody else was quicker, as often as is said."""

    unit: SqlUnitOfWork
    times: int

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[NumberTx]:
        async with self.unit() as tx:
            yield tx
            if self.times:
                self.times -= 1
                raise Stale


async def test_numbers_are_brought_anew_while_others_are_quicker_but_not_for_ever(desk: Desk) -> None:
    project = await desk.project()
    given = [GivenNumber(phone_number=f"+{PHONE + 5000}", project_id=project)]
    with pytest.raises(Stale):
        await AddNumbers(Crowded(desk.unit, BRINGS_MAX), desk.registry, desk.clock, PhonePolicy())(SYSTEM, given)
    add = AddNumbers(Crowded(desk.unit, BRINGS_MAX - 1), desk.registry, desk.clock, PhonePolicy())
    assert (await add(SYSTEM, given)).created == 1


async def test_numbers_of_a_project_that_goes_meanwhile_are_left_as_they_are(desk: Desk) -> None:
    project = await desk.project()
    number = await desk.number(project)
    await desk.tell(number, CallEventType.STARTED, "c1")
    seen = await desk.read(number)
    await DeleteProject(desk.unit, desk.clock)(SYSTEM, project)
    async with desk.unit() as tx:
        await settle(tx, [(replace(seen, status=NumberStatus.NEW), SYSTEM)], desk.clock, desk.policy)
    async with desk.unit() as tx:
        (kept,) = await tx.numbers.several([number.id], EVERY_PROJECT) or [seen]
    assert kept.status is seen.status


async def test_of_many_each_keeps_its_provider_and_area_and_a_barred_one_says_so(desk: Desk) -> None:
    project = await desk.project()
    add = AddNumbers(desk.unit, desk.registry, desk.clock, PhonePolicy())
    provider = (await CreateProvider(desk.unit, desk.clock)(SYSTEM, {"name": "a", "contact_info": {}})).id
    area = (await CreateGeo(desk.unit, desk.clock)(SYSTEM, {"country_code": "RU", "timezone": "Asia/Omsk"})).id
    barred = await desk.number(project)
    await SuppressNumber(desk.unit, desk.clock, PhonePolicy())(SYSTEM, f"+{barred.phone}", project, "asked")
    given = [
        GivenNumber(phone_number=f"+{PHONE + 2000}", project_id=project, provider_id=provider),
        GivenNumber(phone_number=f"+{barred.phone}", project_id=project),
        GivenNumber(phone_number=f"+{PHONE + 1000}", project_id=project, geo_id=area),
        GivenNumber(phone_number=f"+{PHONE + 2000}", project_id=project),
    ]
    outcome = await add(SYSTEM, given)
    assert [(fault.index, fault.code) for fault in outcome.errors] == [(1, "number_suppressed"), (3, "number_exists")]
    wanted = NumberFilter(project_id=project, status=NumberStatus.NEW)
    page = await SqlNumberViews(desk.database.read).page(EVERY_PROJECT, wanted, PageRequest(5))
    kept = {one.phone: (one.provider_id, one.geo_id) for one in page.items}
    assert kept == {PHONE + 2000: (provider, None), PHONE + 1000: (None, area)}
    (place,) = [one for one in page.items if one.geo_id]
    assert await SqlNumberViews(desk.database.read).timezones(place.zone_set) == ("Asia/Omsk",)
