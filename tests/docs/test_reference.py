"""The pages of docs/reference and docs/problems say what the code says; `make docs` writes them anew."""

import pytest

from docs import reference, tables
from docs.pages import REPOSITORY
from opora.api import advice, catalogue
from opora.core.access.model.scopes import ROLE_SCOPES, SCOPES

PAGES = reference.pages()
PROBLEMS = REPOSITORY / "docs" / "problems"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "run `make docs`"


def test_every_page_follows_from_the_code() -> None:
    assert {file.name for file in reference.FOLDER.iterdir()} == PAGES.keys()


def test_every_scope_and_role_is_described() -> None:
    for name in (*SCOPES, *ROLE_SCOPES):
        assert f"\n| `{name}` | " in PAGES["scopes.md"]


def test_every_scope_that_a_call_asks_for_can_be_granted() -> None:
    asked = {scope for one in reference.operations() for scope in one.policy.scopes}
    assert asked <= SCOPES.keys()


def test_every_table_is_drawn_with_what_it_refers_to() -> None:
    assert not tables.undrawn()
    assert "    document_categories ||--o{ documents : category_id" in PAGES["tables.md"]
    assert "    users |o--o{ documents : worker_id" in PAGES["tables.md"]


def test_every_event_is_described_once_with_its_fields() -> None:
    topics = [one.topic for one in reference.events()]
    assert len(topics) == len(set(topics))
    for topic in topics:
        assert PAGES["events.md"].count(f"\n| `{topic}` | ") == 1
    assert "| `profile.generated` |" in PAGES["events.md"]
    assert "| `ids`, `source_key`, `locale` |" in PAGES["events.md"]


def test_every_port_and_each_of_its_methods_carries_a_promise() -> None:
    found = [port for of_context in reference.ports().values() for port in of_context]
    assert {"Clock", "JobQueue", "RateGate", "ProfileRepository", "AuditLog"} <= {port.__name__ for port in found}
    for port in found:
        assert reference.first_line(port), port
        if not reference.bundle(port):
            for name, method in reference.methods(port):
                assert reference.first_line(method), f"{port.__name__}.{name}"


@pytest.mark.parametrize("code", catalogue.codes())
def test_the_page_of_a_problem_says_what_the_service_answers(code: str) -> None:
    assert (PROBLEMS / f"{code}.md").read_text(encoding="utf-8") == catalogue.page(catalogue.codes()[code])


def test_advice_is_given_on_problems_there_are() -> None:
    assert advice.BY_CODE.keys() <= catalogue.codes().keys()


def test_every_call_has_a_row_of_who_may_make_it() -> None:
    for one in reference.operations():
        assert PAGES["access.md"].count(f"\n| `{one.method} {one.path}` | ") == 1
    row = "| `GET /api/v1/users` | `users:read` | 401 | 403 | 403 | 403 | 403 | yes |"
    assert row in PAGES["access.md"]
    assert "| `POST /api/v1/auth/login` | nothing | yes | yes | yes | yes | yes | yes |" in PAGES["access.md"]
