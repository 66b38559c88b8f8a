"""Source trees as the rules read them: the program's own, and small false ones that break a rule on purpose."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROGRAM = REPOSITORY / "src" / "opora"


@cache
def parsed(file: Path) -> ast.Module:
    """Parse a file once a run."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Give every module under a folder by its path relative to it, with `/` between the parts."""
    for file in sorted(root.rglob("*.py")):
        yield file.relative_to(root).as_posix(), file


def planted(root: Path, files: Mapping[str, str]) -> Path:
    """Write a false tree: texts by relative path, and an empty `__init__.py` in every folder that lacks one."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for folder in {parent for file in root.rglob("*.py") for parent in file.parents if parent.is_relative_to(root)}:
        if not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text('"""A package."""\n')
    return root
