"""What the tests of letters share."""

from pathlib import Path

import pytest

from servers.mail import Certificates


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Certificates of this test alone."""
    return Certificates(tmp_path)
