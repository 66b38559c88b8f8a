"""Wires what every context stands on."""

from opora.bootstrap.context import Context
from opora.core.kernel import usecases

CONTEXT = Context(use_cases=usecases.USE_CASES)
