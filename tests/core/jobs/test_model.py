"""What a leased job says of the event that it serves."""

from uuid import UUID

from opora.core.jobs.model import Claim

DIED = UUID(int=7)


def claim(**payload: object) -> Claim:
    """Return the first attempt at a job."""
    return Claim(id=UUID(int=1), kind="texts.give_up", payload=payload, attempt=1, attempts_max=5, lease_id="lease")


def test_a_job_knows_what_its_event_says_and_one_of_no_event_knows_nothing() -> None:
    assert claim(event={"subject": "9"}).event == {"subject": "9"}
    assert claim(count=3).event == {}


def test_a_death_concerns_those_whose_kind_of_job_it_was() -> None:
    dead = claim(event={"subject": str(DIED), "kind": "exports.render"})
    assert dead.death(["exports.render", "exports.tidy"]) == DIED
    assert dead.death(["numbers.import"]) is None
    assert claim().death(["exports.render"]) is None
