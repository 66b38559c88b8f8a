"""Keeps out of a process what a library would import only because it is installed; decision record 0013 has figures."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

ORM_FOR_LITESTAR = "advanced_alchemy.service"
"""`litestar.pagination` takes a class of its own from here where it can; with it comes SQLAlchemy, which serves only
migrations."""
RICH = "rich"
"""4 MB: `structlog` would draw tracebacks with it, values of variables and all; httpx has a command that colours."""


@contextmanager
def without(module: str) -> Iterator[None]:
    """Have every import of a module raise ImportError within the block, unless it is loaded already.

    None in `sys.modules` does so by the language's own word (The import system, 5.3.1). Afterwards it can be imported
    as ever; what was imported within has taken its own way of doing without.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # what the import system reads as "not to be found"
    try:
        yield
    finally:
        if sys.modules.get(module) is None:
            sys.modules.pop(module, None)
