"""The answers of the bank's own description as examples, and the schemas of its forms with files."""

from collections.abc import Mapping
from typing import Any

from opora.api.details import BINARY, details

LEASE = {"id": 789, "description": "Договор аренды", "category": "Договоры"}
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

UPLOAD_FORM: Mapping[str, Any] = {
    "type": "object",
    "required": ["file", "description"],
    "additionalProperties": False,
    "properties": {
        "file": {**BINARY, "description": "A PDF, a DOCX, a PNG or a JPEG; told by its content, not by its name."},
        "description": {"type": "string", "minLength": 1, "maxLength": 1000},
        "category": {
            "type": "string",
            "description": "The name, the code or the id of a category; or say callcopy_id.",
        },
        "callcopy_id": {"type": "integer", "minimum": 1, "description": "The id of a category."},
        "actual_date": {"type": "string", "format": "date", "description": "From when the document holds."},
        "actual_end_date": {"type": "string", "format": "date", "description": "Until when it holds."},
    },
}
UPLOADED = {
    **LEASE,
    "callcopy_id": 2,
    "status": "pending",
    "upload_date": "2023-10-25",
    "uploaded_at": "2023-10-25T09:30:00Z",
    "file_name": "lease.pdf",
    "media_type": "application/pdf",
    "size": 48213,
    "sha256": DIGEST,
    "pages": 2,
    "actual_date": None,
    "actual_end_date": None,
    "plan_maturity_date": "2023-11-01",
    "fact_maturity_date": None,
}
UPLOAD = details(form=UPLOAD_FORM, examples={"201": UPLOADED}, refusals=(404, 415), may_be_there=True)
CLIENTS_DOCUMENTS = details(
    examples={
        "200": {
            "documents": [
                {**LEASE, "upload_date": "2023-10-25", "status": "processed"},
                {
                    "id": 790,
                    "description": "Справка о доходах",
                    "category": "Финансы",
                    "upload_date": "2023-10-26",
                    "status": "pending",
                },
            ],
            "count": 2,
            "count_exact": True,
            "next": None,
            "previous": None,
        }
    }
)
DESCRIBE = details(
    asked={"description": "Обновленный договор аренды"},
    examples={
        "200": {"document_id": 789, "updated_field": "description", "new_value": "Обновленный договор аренды"},
    },
    refusals=(409,),
)
DELETE = details(examples={"200": {"message": "Document 789 deleted successfully"}}, refusals=(409,))

SEARCH = details(
    examples={
        "200": {
            "results": [
                {
                    **LEASE,
                    "callcopy_id": 2,
                    "user_id": 123,
                    "worker_id": 456,
                    "status": "processed",
                    "upload_date": "2023-10-25",
                    "uploaded_at": "2023-10-25T09:30:00Z",
                    "plan_maturity_date": "2023-11-01",
                    "fact_maturity_date": "2023-10-31",
                    "overdue": False,
                    "held": False,
                }
            ],
            "count": 1,
            "count_exact": True,
            "next": None,
            "previous": None,
        }
    }
)
MOVE = details(
    asked={"status": "archived", "worker_id": 456},
    examples={"200": {"document_id": 789, "new_status": "archived", "updated_by": 456}},
    refusals=(409,),
)
BATCH_FORM: Mapping[str, Any] = {
    "type": "object",
    "required": ["documents", "files"],
    "additionalProperties": False,
    "properties": {
        "documents": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "A JSON list: what each file is, in the order of the files.",
            "contentSchema": {
                "type": "array",
                "maxItems": 500,
                "items": {
                    "type": "object",
                    "required": ["user_id", "description"],
                    "properties": {
                        "user_id": {"type": "integer", "minimum": 1},
                        "description": {"type": "string", "minLength": 1, "maxLength": 1000},
                        "callcopy_id": {"type": "integer", "minimum": 1},
                        "category": {"type": "string"},
                        "actual_date": {"type": "string", "format": "date"},
                        "actual_end_date": {"type": "string", "format": "date"},
                    },
                },
            },
        },
        "files": {"type": "array", "maxItems": 500, "items": BINARY},
    },
}
BATCH = details(
    form=BATCH_FORM,
    examples={
        "200": {
            "processed_count": 2,
            "failed_count": 0,
            "document_ids": [790, 791],
            "items": [
                {"index": 0, "status": "created", "document_id": 790},
                {"index": 1, "status": "created", "document_id": 791},
            ],
        }
    },
    refusals=(415,),
)
