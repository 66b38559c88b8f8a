"""The answers that the bank's own description gives stand in the OpenAPI document, word for word."""

from typing import Any

import pytest

from api.operations import DOCUMENT

WORDS: dict[tuple[str, str, str], Any] = {
    ("get", "/dbo/users/{user_id}/documents", "200"): {
        "documents": [
            {
                "id": 789,
                "description": "Договор аренды",
                "category": "Договоры",
                "upload_date": "2023-10-25",
                "status": "processed",
            },
            {
                "id": 790,
                "description": "Справка о доходах",
                "category": "Финансы",
                "upload_date": "2023-10-26",
                "status": "pending",
            },
        ]
    },
    ("patch", "/dbo/documents/{document_id}", "200"): {
        "document_id": 789,
        "updated_field": "description",
        "new_value": "Обновленный договор аренды",
    },
    ("delete", "/dbo/documents/{document_id}", "200"): {"message": "Document 789 deleted successfully"},
    ("get", "/abs/documents", "200"): {
        "results": [{"id": 789, "description": "Договор аренды", "worker_id": 456, "plan_maturity_date": "2023-11-01"}]
    },
    ("put", "/abs/documents/{document_id}/status", "200"): {
        "document_id": 789,
        "new_status": "archived",
        "updated_by": 456,
    },
    ("post", "/abs/documents/batch", "200"): {"processed_count": 2, "failed_count": 0, "document_ids": [790, 791]},
}


def holds(found: Any, said: Any) -> bool:
    """Tell whether everything that was said is found; more may be."""
    if isinstance(said, dict):
        return all(name in found and holds(found[name], value) for name, value in said.items())
    if isinstance(said, list):
        return len(found) == len(said) and all(holds(one, other) for one, other in zip(found, said, strict=True))
    return bool(found == said)


@pytest.mark.parametrize(("method", "path", "status"), WORDS)
def test_an_answer_of_the_banks_description_is_the_example(method: str, path: str, status: str) -> None:
    operation = DOCUMENT["paths"][f"/api/v1{path}"][method]
    (media,) = operation["responses"][status]["content"].values()
    assert holds(media["example"], WORDS[method, path, status])


def test_requests_of_the_banks_description_are_examples() -> None:
    paths = DOCUMENT["paths"]
    described = paths["/api/v1/dbo/documents/{document_id}"]["patch"]["requestBody"]["content"]["application/json"]
    moved = paths["/api/v1/abs/documents/{document_id}/status"]["put"]["requestBody"]["content"]["application/json"]
    assert described["example"] == {"description": "Обновленный договор аренды"}
    assert moved["example"] == {"status": "archived", "worker_id": 456}
