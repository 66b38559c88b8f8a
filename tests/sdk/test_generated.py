"""What is generated is what the API document says today, well typed and formatted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from generator.document import Document, Unclear
from generator.trees import trees

from architecture.trees import REPOSITORY

SDK = REPOSITORY / "deploy" / "sdk"
PYTHON = SDK / "python"
DOCUMENT = json.loads((REPOSITORY / "tests" / "api" / "openapi.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "text"), trees(DOCUMENT).items(), ids=lambda one: one if len(one) < 80 else "")
def test_what_is_kept_is_what_the_document_says(name: str, text: str) -> None:
    assert (SDK / name).read_text(encoding="utf-8") == text, "run `make sdk`"


def test_a_change_of_the_document_changes_the_clients() -> None:
    changed = json.loads(json.dumps(DOCUMENT))
    changed["components"]["schemas"]["Alive"]["properties"]["since"] = {"type": "string", "format": "date-time"}
    parted = {name for name, text in trees(changed).items() if text != (SDK / name).read_text(encoding="utf-8")}
    assert "python/opora_client/models.py" in parted


def test_every_operation_is_a_method_of_the_client() -> None:
    calls = (PYTHON / "opora_client" / "calls.py").read_text(encoding="utf-8")
    document = Document(DOCUMENT)
    assert len(document.operations) == sum(len(item) for item in DOCUMENT["paths"].values())
    streamed = sum(one.has_events and one.answer.kind != "events" for one in document.operations)
    assert calls.count("self._sender.send_") == len(document.operations) + streamed


def planted(path: str, **changes: Any) -> dict[str, Any]:
    """Give the document with one operation more."""
    found: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    operation = json.loads(json.dumps(found["paths"]["/health"]["get"])) | changes
    found["paths"][path] = {"get": operation}
    return found


def test_what_the_generator_has_no_name_or_form_for_stops_it() -> None:
    with pytest.raises(Unclear, match="health"):
        Document(planted("/api/v1/health"))
    with pytest.raises(Unclear, match="text/yaml"):
        Document(planted("/api/v1/papers", requestBody={"content": {"text/yaml": {"schema": {}}}}))


def run(*arguments: str, folder: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_python_client_and_the_generator_are_strictly_typed(tmp_path: Path) -> None:
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path}"]
    run("mypy", *options, "opora_client", "../generator", folder=PYTHON)


def test_the_python_client_is_formatted_and_linted_as_the_program_is() -> None:
    run("ruff", "check", "--no-cache", ".", folder=SDK)
    run("ruff", "format", "--no-cache", "--check", ".", folder=SDK)


def test_a_client_needs_no_more_than_it_names() -> None:
    """The client is another distribution: it may not lean on the program beside it."""
    loaded = (
        "import sys; sys.path.insert(0, '.'); import opora_client; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'opora', 'litestar', 'sqlalchemy', 'anyio'}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", loaded], cwd=PYTHON, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert ended.stdout.strip() == "['anyio']"
