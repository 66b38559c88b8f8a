"""The published form of the contract, and the pages that show it."""

import re

import msgspec
import pytest

from api.stand import OddController, Stand, ThingController, alive
from opora.api import catalogue, openapi
from opora.api.edge import wrap
from opora.api.http import application
from opora.api.v1.reference import ASSETS, ReferenceController
from opora.core.kernel.errors import DomainError, NotFound

pytestmark = pytest.mark.anyio


@pytest.fixture
def documented() -> Stand:
    """The service with its reference."""
    stand = Stand()
    stand.litestar = application([ThingController, OddController], [alive, ReferenceController])
    stand.app = wrap(stand.litestar, stand.parts)
    return stand


async def test_the_document_says_what_the_edge_does(documented: Stand) -> None:
    async with documented.client() as client:
        found = (await client.get("/openapi.json")).json()
        assert (await client.get("/api/v1/openapi.json")).json() == found
    assert found["openapi"].startswith("3.1")
    make = found["paths"]["/api/v1/things"]["post"]
    assert make["operationId"] == "post_things"
    assert make["security"] == [{"bearer": ["things:write"]}, {"api_key": ["things:write"]}]
    assert make["responses"].keys() == {"201", "400", "401", "403", "409", "413", "415", "422", "429", "503"}
    assert [parameter["name"] for parameter in make["parameters"]] == ["Idempotency-Key"]
    assert found["components"]["schemas"]["NewThing"]["additionalProperties"] is False
    assert found["components"]["schemas"]["Part"]["additionalProperties"] is False
    assert "additionalProperties" not in found["components"]["schemas"]["Thing"]
    refusal = found["components"]["responses"]["Refusal429"]
    assert refusal["content"].keys() == {"application/problem+json"}
    assert found["components"]["securitySchemes"].keys() == {"bearer", "api_key"}


async def test_every_path_parameter_is_named_for_its_record_and_every_reference_leads_somewhere(
    documented: Stand,
) -> None:
    found = openapi.schema(documented.litestar)
    for path in found["paths"]:
        assert all(name.endswith("_id") for name in re.findall(r"{([^}]+)}", path)), path
    text = msgspec.json.encode(found).decode()
    for reference in set(re.findall(r'"\$ref":"#/([^"]+)"', text)):
        node = found
        for part in reference.split("/"):
            node = node[part]
    assert not re.search(r'"(?:minimum|maximum|maxLength)":\d+\.', text)


def test_operation_ids_are_unique(documented: Stand) -> None:
    found = openapi.schema(documented.litestar)
    names = [one["operationId"] for item in found["paths"].values() for one in item.values()]
    assert len(names) == len(set(names))


def test_a_snapshot_of_the_document_is_the_same_at_every_start(documented: Stand) -> None:
    again = application([ThingController, OddController], [alive, ReferenceController])
    assert openapi.snapshot(documented.litestar) == openapi.snapshot(again)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_a_viewer_loads_nothing_from_elsewhere(documented: Stand, path: str) -> None:
    async with documented.client() as client:
        page = await client.get(path)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert linked
        for address in linked:
            assert address.startswith("/docs/assets/")
            asset = await client.get(address)
            assert asset.status_code == 200
            assert asset.headers["content-type"].split(";")[0] == ASSETS[address.rpartition("/")[2]]
    assert "<script>" not in page.text


async def test_only_the_viewers_files_are_given_out(documented: Stand) -> None:
    async with documented.client() as client:
        for name in ("README.md", "..%2fedge.py", "%2e%2e", "x.js"):
            assert (await client.get(f"/docs/assets/{name}")).status_code == 404
        icon = await client.get("/favicon.ico")
    assert icon.content.startswith(b"\x89PNG")


async def test_the_type_of_a_problem_may_lead_to_the_service_itself(documented: Stand) -> None:
    async with documented.client() as client:
        known, unknown = await client.get("/problems/rate_limited"), await client.get("/problems/nothing")
        odd = await client.get("/problems/%3Cscript%3E")
    assert known.headers["content-type"] == "text/html; charset=utf-8"
    assert "Retry-After" in known.text
    assert "Подождите" in known.text
    assert 'href="/guide/problems/rate_limited"' in known.text
    assert (unknown.status_code, odd.status_code) == (404, 404)


async def test_policies_are_listed_for_the_docs(documented: Stand) -> None:
    table = {(one.method, one.path): one.policy.access for one in documented.app.routes.operations}
    assert table["GET", "/api/v1/things"] == "scopes"
    assert table["GET", "/openapi.json"] == "exempt"
    assert table["GET", "/api/v1/odd/internal"] == "internal"


def test_every_code_has_one_meaning_a_status_and_advice() -> None:
    found = catalogue.codes()
    assert {"validation_failed", "not_found", "database_unavailable", "key_unknown"} <= found.keys()
    for code, kind in found.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
        assert (catalogue.status(kind) == 500) == (code == "internal_error")
        assert catalogue.page(kind)


def test_pages_that_are_there_are_kept(tmp_path: pytest.TempPathFactory) -> None:
    folder = tmp_path / "problems"  # type: ignore[operator]
    assert len(catalogue.write(folder)) == len(catalogue.codes())
    (folder / "not_found.md").write_text("by hand")
    (folder / "gone.md").unlink()
    assert catalogue.write(folder) == [folder / "gone.md"]
    assert (folder / "not_found.md").read_text() == "by hand"
    assert "[`not_found`](not_found.md)" in (folder / "README.md").read_text()


def test_two_errors_with_one_code_are_found() -> None:
    class Twin(NotFound):
        """Stands for a second meaning."""

        code = "gone"

    Twin.__module__ = "opora.twin"
    try:
        with pytest.raises(catalogue.TwoMeanings, match="gone"):
            catalogue.codes()
    finally:
        Twin.__module__ = "elsewhere"
    assert issubclass(Twin, DomainError)
