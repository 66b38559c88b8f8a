"""Every generated file by its place under `deploy/sdk`."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from generator import postman, python, typescript
from generator.document import Document


def formatted(text: str) -> str:
    """Lay Python out as the house does, and drop the imports that it does not need."""
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--isolated", "--line-length", "120", "--target-version", "py312", "--quiet", "-"]
    kept = subprocess.run(  # noqa: S603 - a program of the development tools
        [*ruff, "check", "--fix-only", "--select", "F401", *settings],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return subprocess.run(  # noqa: S603 - as above
        [*ruff, "format", *settings], input=kept.stdout, capture_output=True, text=True, check=True
    ).stdout


def trees(read: Mapping[str, Any]) -> dict[str, str]:
    """Write all that follows from an API document."""
    document = Document(read)
    return {
        "python/opora_client/models.py": formatted(python.models(document)),
        "python/opora_client/calls.py": formatted(python.calls(document, waits=False)),
        "python/opora_client/async_calls.py": formatted(python.calls(document, waits=True)),
        "typescript/src/models.ts": typescript.models(document),
        "typescript/src/calls.ts": typescript.calls(document),
        "postman/opora.postman_collection.json": postman.collection(document),
        "postman/local.postman_environment.json": postman.environment(),
    }
