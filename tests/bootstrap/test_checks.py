"""The last looks that kinds of notices name are there when the worker asks for them."""

from pathlib import Path

import anyio
import pytest

from api.program import Program
from opora.bootstrap import contexts
from opora.core.notifications.model.kinds import KINDS
from opora.core.notifications.usecases.firing import RelevanceChecks

pytestmark = pytest.mark.anyio


async def test_every_check_that_a_kind_names_is_wired(tmp_path: Path) -> None:
    async with Program.over(tmp_path) as program:
        with anyio.fail_after(20):
            found = await program.container.get(RelevanceChecks)
    named = {kind.relevance for kind in KINDS.values() if kind.relevance}
    assert named <= found.checks.keys()
    brought = {name: check for context in contexts.ALL for name, check in context.relevance.items()}
    assert {name: type(check) for name, check in found.checks.items()} == brought
