"""Clients and lists over HTTP: who says what of a person, and what everybody may choose from."""

import httpx
import pytest

from api.v1.bank import Bank
from api.v1.banking_fixtures import anna, anyio_backend, bank, boris, olga, refused, root

pytestmark = pytest.mark.anyio
__all__ = ("anna", "anyio_backend", "bank", "boris", "olga", "root")

ANNA = {
    "last_name": "Юрьева",
    "first_name": "Анна",
    "middle_name": "Львовна",
    "birthday": "1990-02-03",
    "sex": "female",
    "address": "170100, г. Тверь, ул. Советская, 1",
    "inn": "500100732259",
}
LISTS = "/api/v1/documents"


def profile(bank: Bank, name: str, side: str = "dbo") -> str:
    return f"/api/v1/{side}/users/{bank.ids[name]}/profile"


async def test_a_client_says_who_they_are(bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    empty = (await anna.get(profile(bank, "anna"))).json()
    assert (empty["last_name"], empty["birthday"], empty["version"]) == ("", None, 0)
    answer = await anna.patch(profile(bank, "anna"), json=ANNA)
    assert answer.status_code == 200
    assert ANNA.items() <= answer.json().items()
    moved = await anna.patch(profile(bank, "anna"), json={"address": "г. Клин", "sex": None})
    assert moved.json() == {**answer.json(), **{"address": "г. Клин", "sex": None}, **changed(moved)}
    assert (await olga.get(profile(bank, "anna", "abs"))).json() == moved.json()


def changed(answer: httpx.Response) -> dict[str, object]:
    """Return what every change changes."""
    return {name: answer.json()[name] for name in ("updated_at", "version")}


async def test_the_bank_says_how_a_client_stands(bank: Bank, boris: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    said = {"financial_position_id": 2, "user_type_id": 1, "last_name": "Орлов"}
    answer = await olga.patch(profile(bank, "boris", "abs"), json=said)
    assert said.items() <= answer.json().items()
    assert refused(await boris.patch(profile(bank, "boris"), json={"financial_position_id": 1})) == (
        403,
        "not_yours_to_say",
    )
    wrong = await olga.patch(profile(bank, "boris", "abs"), json={"financial_position_id": 99, "user_type_id": 99})
    assert set(wrong.json()["errors"]) == {"financial_position_id", "user_type_id"}


async def test_a_strangers_profile_is_not_there(bank: Bank, anna: httpx.AsyncClient, boris: httpx.AsyncClient) -> None:
    assert refused(await anna.get(profile(bank, "boris"))) == (404, "no_such_client")
    assert refused(await anna.patch(profile(bank, "boris"), json={"address": "?"})) == (404, "no_such_client")
    assert refused(await anna.patch(profile(bank, "boris", "abs"), json={})) == (403, "insufficient_scope")


@pytest.mark.parametrize("wrong", [{"inn": "500100732250"}, {"inn": "12345678901"}, {"birthday": "2199-01-01"}])
async def test_a_profile_holds_no_nonsense(bank: Bank, anna: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    answer = await anna.patch(profile(bank, "anna"), json=wrong)
    assert (refused(answer), list(answer.json()["errors"])) == ((422, "invalid_client"), list(wrong))


async def test_a_profile_in_the_audit_log_shows_fields_and_no_values(
    bank: Bank, anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    await anna.patch(profile(bank, "anna"), json={"inn": "7707083893"})
    query = {"entity_type": "client", "entity_id": str(bank.ids["anna"])}
    log = await root.get("/api/v1/audit-log", params=query)
    assert "inn" in log.text
    assert "7707083893" not in log.text


async def test_everybody_reads_the_lists(anna: httpx.AsyncClient) -> None:
    categories = (await anna.get(f"{LISTS}/categories")).json()["results"]
    assert {"id": 2, "name": "Договоры"}.items() <= categories[1].items()
    statuses = {one["code"]: one["next"] for one in (await anna.get(f"{LISTS}/statuses")).json()["results"]}
    assert statuses["in_review"] == ["approved", "needs_info", "rejected"]
    operations = (await anna.get(f"{LISTS}/operation-statuses")).json()["results"]
    assert {"id": 4, "code": "revoked", "name": "Отозвано"} in operations
    assert (await anna.get(f"{LISTS}/financial-positions")).json()["count"] == 3
    assert (await anna.get(f"{LISTS}/user-types")).json()["count"] == 5


async def test_an_admin_adds_a_category(anna: httpx.AsyncClient, root: httpx.AsyncClient) -> None:
    said = {"name": "Акты", "code": "deeds", "processing_days": 2, "retention_days": 30}
    answer = await root.post(f"{LISTS}/categories", json=said)
    assert (answer.status_code, answer.headers["location"]) == (201, f"{LISTS}/categories")
    assert said.items() <= answer.json().items()
    assert refused(await root.post(f"{LISTS}/categories", json={"name": "АКТЫ"})) == (409, "category_taken")
    nameless = await root.post(f"{LISTS}/categories", json={"name": "Письма"})
    assert nameless.json()["code"] == f"category-{nameless.json()['id']}"
    assert refused(await anna.post(f"{LISTS}/categories", json=said)) == (403, "insufficient_scope")
    wrong = await root.post(
        f"{LISTS}/categories", json={"name": " ", "processing_days": 3_651, "retention_days": 36_501}
    )
    assert (refused(wrong)[1], set(wrong.json()["errors"])) == (
        "invalid_category",
        {"name", "processing_days", "retention_days"},
    )
