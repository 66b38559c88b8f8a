"""A small service behind the whole edge, with ports that live in memory."""

import pytest

from api.stand import Stand


@pytest.fixture
def stand() -> Stand:
    """The service, and what its ports were asked."""
    return Stand()
