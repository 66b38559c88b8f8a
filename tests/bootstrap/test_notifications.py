"""Notices are wired whole."""

from opora.bootstrap import contexts
from opora.core.notifications.model.kinds import KINDS


def test_every_check_that_a_kind_names_is_brought_by_a_context() -> None:
    brought = {name for context in contexts.ALL for name in context.relevance}
    assert {kind.relevance for kind in KINDS.values() if kind.relevance} <= brought
