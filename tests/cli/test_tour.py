"""`opora tour`: it walks to the end where the service keeps its contract, and stops where it does not."""

import pytest

from cli.conftest import Opora
from cli.model_service import Model, serving
from opora.cli.exits import Exit


def test_walks_document_0_to_its_end(opora: Opora) -> None:
    model = Model()
    with serving(model) as url:
        ended = opora("tour", "--url", url, "--key", "maker", "--json")
    assert ended.code == Exit.OK
    steps = ended.json["steps"]
    assert ended.json["ok"]
    assert [step["status"] for step in steps] == [200, 201, 201, 201, 200, 200, 202, 200, 200, 204, 404, 201, 429]
    assert steps[2]["shown"] == "Анна Иванова, 1990-02-03, Тверь"
    assert "Retry-After: 12" in steps[-1]["shown"]


def test_each_step_is_shown(opora: Opora) -> None:
    with serving(Model()) as url:
        ended = opora("tour", "--url", url, "--key", "maker")
    assert "Make 100 people and keep them\n     POST /api/v1/profiles/generate → 201" in ended.out
    assert "opk_test_1…" in ended.out
    assert ended.out.endswith("13 steps, all as the contract says.\n")


def test_a_key_that_was_given_makes_the_keys(opora: Opora) -> None:
    model = Model()
    with serving(model) as url:
        opora("tour", "--url", url, "--key", "maker")
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
