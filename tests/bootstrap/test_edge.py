"""What the HTTP edge is given by the settings."""

from pathlib import Path

import pytest

from opora.api import sentry
from opora.bootstrap.edge import reporter
from opora.bootstrap.sources import read


@pytest.mark.filterwarnings("ignore::DeprecationWarning:sentry_sdk")  # what the library does inside
def test_faults_are_told_to_sentry_only_where_its_address_is_set(tmp_path: Path, env: dict[str, str]) -> None:
    pytest.importorskip("sentry_sdk")
    assert reporter(read(env, tmp_path)) is None
    told = reporter(read({**env, "OPORA_SENTRY_DSN": "https://public@127.0.0.1/1"}, tmp_path))
    assert told is sentry.report
