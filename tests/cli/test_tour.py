"""`opora tour`: it walks to the end where the service keeps its contract, and stops where it does not."""

import json
import re
from pathlib import Path

import pytest

from cli.conftest import Opora
from cli.model_service import Model, serving
from e2e.running import Installation
from opora.cli.exits import Exit


def test_walks_document_0_to_its_end(opora: Opora) -> None:
    model = Model()
    with serving(model) as url:
        ended = opora("tour", "--url", url, "--key", "maker", "--json")
    assert ended.code == Exit.OK
    steps = ended.json["steps"]
    assert ended.json["ok"]
    assert [step["status"] for step in steps] == [
        200,
        201,
        201,
        201,
        200,
        200,
        202,
        200,
        200,
        204,
        404,
        201,
        429,
        204,
        204,
    ]
    assert steps[2]["shown"] == "Анна Иванова, 1990-02-03, Тверь"
    assert "Retry-After: 12" in steps[-3]["shown"]
    assert [step["call"] for step in steps[-2:]] == [f"DELETE /api/v1/admin/api-keys/{id}" for id in (2, 1)]
    assert set(ended.json["left_out"]) == {"1", "2", "3", "4"}


def test_what_the_rights_do_not_allow_is_left_out_unless_it_was_asked_for(opora: Opora) -> None:
    with serving(Model()) as url:
        told = opora("tour", "--url", url, "--key", "maker")
        asked = opora("tour", "--url", url, "--key", "maker", "--story", "4")
    assert told.code == Exit.OK
    assert "Document 4: a paper between client, bank and contract\n     left out:" in told.out
    assert asked.code == Exit.SOFTWARE
    assert "POST /api/v1/users answered 403" in asked.err
    assert "opora keys create --scope admin" in asked.err


def test_walks_every_story_of_a_real_service(opora: Opora, tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home").migrated()
    try:
        url = installation.serve()
        ended = opora("tour", "--url", url, "--json")
        keys = json.loads(installation.command("keys", "list", "--json").stdout)["results"]
    finally:
        installation.end()
    assert ended.code == Exit.OK, ended.err
    assert ended.json["left_out"] == {}
    shown = {step["about"]: step["shown"] for step in ended.json["steps"]}
    assert shown["Its history"].startswith("pending → in_review → approved")
    assert re.search(r"/file\?expires=\d+&signature=\w{6}…$", shown["The client sees what is linked to the contract"])
    assert shown["The bank's own system takes it over (ABS)"].startswith("status: processed, ABS: ")
    assert {one["status"] for one in keys if one["label"].startswith("tour")} == {"revoked"}
    assert shown["The same time is not given twice"] == "code: slot_taken"
    assert shown["The client cancels"] == "status: cancelled"
    assert shown["Add 3 numbers"] == "created: 3"
    assert shown["Subscribe: the plan is paid from the balance"] == "plan: standard"
    assert shown["It is fetched"] == "status: completed"
    assert shown["What is left of the balance"] == "0 RUB, in minor units"


def test_each_step_is_shown(opora: Opora) -> None:
    with serving(Model()) as url:
        ended = opora("tour", "--url", url, "--key", "maker")
    assert "Make 100 people and keep them\n     POST /api/v1/profiles/generate → 201" in ended.out
    assert "opk_test_1…" in ended.out
    assert ended.out.endswith("15 steps, all as the contract says.\n")


def test_a_key_that_was_given_makes_the_keys(opora: Opora) -> None:
    model = Model()
    with serving(model) as url:
        opora("tour", "--url", url, "--key", "maker", "--story", "0")
    made = [
        who for call, who in zip(model.calls, model.credentials, strict=True) if call == "POST /api/v1/admin/api-keys"
    ]
    assert made == ["maker", "maker"]


def test_an_admin_signs_in_to_make_them(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_ADMIN_EMAIL", "admin@example.org")
    monkeypatch.setenv("OPORA_ADMIN_PASSWORD", "correct horse battery")
    model = Model()
    with serving(model) as url:
        assert opora("tour", "--url", url).code == Exit.OK
    assert model.calls[1] == "POST /api/v1/auth/login"
    assert "Bearer token" in model.credentials


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("GET /health/ready", 503),
        ("POST /api/v1/admin/api-keys", 403),
        ("POST /api/v1/profiles/generate", 500),
        ("GET /api/v1/profiles/99", 200),
        ("GET /api/v1/exports/e-1/download", 409),
    ],
)
def test_stops_at_the_step_that_is_not_as_it_should_be(opora: Opora, call: str, status: int) -> None:
    with serving(Model(otherwise={call: status})) as url:
        ended = opora("tour", "--url", url, "--key", "maker")
    assert ended.code == Exit.SOFTWARE
    assert f"{call} answered {status}" in ended.err


def test_a_service_that_is_not_there_is_unavailable(opora: Opora) -> None:
    ended = opora("tour", "--url", "http://127.0.0.1:1", "--key", "maker")
    assert ended.code == Exit.UNAVAILABLE
    assert "opora serve" in ended.err
    assert opora("tour", "--url", "ftp://nowhere").code == Exit.USAGE
