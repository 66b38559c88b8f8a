"""What must hold of projects, providers and areas, and what is told of changes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from opora.core.access.model.changes import KEEP
from opora.core.kernel.errors import PermissionDenied
from opora.core.kernel.model import SYSTEM, Actor
from opora.core.kernel.rules import is_of_now, is_signed_webhook, webhook_key, webhook_signature
from opora.core.numbers.errors.projects import InvalidGeo, InvalidProject, InvalidProvider
from opora.core.numbers.model.numbers import NumberChanges, NumberStatus
from opora.core.numbers.model.projects import EVERY_PROJECT, Geo, Project, ProjectReach, Provider
from opora.core.numbers.rules import changing, suppressing
from opora.core.numbers.rules.projects import refuse_bad_geo, refuse_bad_project, refuse_bad_provider
from opora.core.numbers.rules.reach import reach
from opora.testing.numbers import a_project, a_provider, an_area


def test_every_field_of_a_project_out_of_bounds_is_named() -> None:
    refuse_bad_project(a_project(1, in_progress_max=1))
    holidays = tuple(date(2027, 1, 1) + timedelta(days=day) for day in range(401))
    bad: Project = a_project(1, name=" ", timezone="Mars", attempts_max=0, in_progress_max=0, holidays=holidays)
    with pytest.raises(InvalidProject) as refusal:
        refuse_bad_project(bad)
    assert set(refusal.value.errors) == {"name", "timezone", "attempts_max", "in_progress_max", "holidays"}


def test_every_field_of_a_provider_and_of_an_area_out_of_bounds_is_named() -> None:
    provider: Provider = a_provider(1, name="", contact_info={f"{place}": "" for place in range(51)})
    with pytest.raises(InvalidProvider) as of_provider:
        refuse_bad_provider(provider)
    assert set(of_provider.value.errors) == {"name", "contact_info"}
    area: Geo = an_area(1, country_code=" ", timezone="Mars")
    with pytest.raises(InvalidGeo) as of_area:
        refuse_bad_geo(area)
    assert set(of_area.value.errors) == {"country_code", "timezone"}
    refuse_bad_provider(a_provider(1))
    refuse_bad_geo(an_area(1, timezone="Europe/Moscow"))


def test_a_caller_reaches_what_they_were_granted_or_made_and_who_may_all() -> None:
    assert reach(SYSTEM) == reach(Actor(scopes=frozenset({"projects:read_all"}))) == EVERY_PROJECT
    assert reach(Actor(user_id=3)) == reach(Actor(user_id=3, key_id=7)) == ProjectReach(3)
    assert reach(Actor(key_id=7)) == ProjectReach(0, "key:7")


def test_an_entry_of_every_project_is_for_those_who_see_them_all() -> None:
    suppressing.refuse_beyond_reach(None, EVERY_PROJECT)
    suppressing.refuse_beyond_reach(4, ProjectReach(3))
    with pytest.raises(PermissionDenied):
        suppressing.refuse_beyond_reach(None, ProjectReach(3))


def test_the_audit_log_is_told_what_was_set_but_no_result() -> None:
    changes = NumberChanges(status=NumberStatus.FAILED, result_data={"name": "Анна"}, geo_id=None)
    assert changing.words(changes) == {"status": "failed", "result_data": "…", "geo_id": None}
    assert changing.words(replace(changes, status=KEEP, result_data=KEEP)) == {"geo_id": None}


def test_a_signature_of_the_standards_own_example_fits() -> None:
    key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body, stamp = b'{"test": 2432232314}', 1614265330
    signed = webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", stamp, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    headers = ("msg_p5jXN8AQM9LWM0D4loKWxJek", str(stamp), signed)
    assert is_signed_webhook(key, headers, body, stamp + 300)
    assert not is_signed_webhook(key, headers, body, stamp + 301)
    assert not is_signed_webhook(key, headers, body, stamp - 301)


@pytest.mark.parametrize("stamp", ["", "+1", "01", "1.0", "1e9", "١", "9" * 13])
def test_a_stamp_is_whole_seconds_and_nothing_else(stamp: str) -> None:
    assert not is_of_now(stamp, 1.0)
