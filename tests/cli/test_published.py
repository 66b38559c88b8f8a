"""`opora openapi` and `opora problems`: what the service publishes, printed without starting it."""

from cli.conftest import Opora


def test_the_openapi_document_is_printed(opora: Opora) -> None:
    document = opora("openapi").json
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/profiles/generate" in document["paths"]


def test_every_problem_is_printed_with_its_status_and_title(opora: Opora) -> None:
    found = {one["code"]: one for one in opora("problems", "--json").json}
    assert found["no_such_key"] == {"code": "no_such_key", "status": 404, "title": "No API key has this id."}
    assert "no_such_key" in opora("problems").out
