"""Renews what is generated of the clients and the collection: `make sdk`."""

import json
import sys
from pathlib import Path

from generator.trees import trees

SDK = Path(__file__).parents[1]
DOCUMENT = SDK.parents[1] / "tests" / "api" / "openapi.json"


def main() -> None:
    """Write every generated file to its place, or under the folder that is named."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else SDK
    for name, text in trees(json.loads(DOCUMENT.read_text(encoding="utf-8"))).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
