"""A secret planted in a log line is found, whatever its kind; what a command prints for its caller is no log line."""

import pytest

from servers.canaries import leaks

PLANTED = [
    "opk_live_" + "a" * 49,
    "opr_" + "b" * 43,
    "opt_" + "c" * 43,
    "opc_" + "d" * 64,
    "opu_" + "e" * 50,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "whsec_" + "f" * 43,
    "correct horse battery",
    "4509 123456",
]


@pytest.mark.parametrize("secret", PLANTED)
@pytest.mark.parametrize(
    "line",
    [
        '{"event":"refused","level":"warning","why":"SECRET was sent"}',
        "2030-01-01T00:00:00Z [error    ] fault            why=SECRET",
        '  File "x.py", line 1, in f: SECRET',
    ],
)
def test_a_planted_secret_is_found_in_a_log_line(secret: str, line: str) -> None:
    assert leaks(f"well\n{line.replace('SECRET', secret)}\nwell") == [line.replace("SECRET", secret)]


@pytest.mark.parametrize("secret", PLANTED)
def test_what_is_printed_for_a_person_is_no_log_line(secret: str) -> None:
    assert leaks(f"Your key, shown this once: {secret}") == []
    assert leaks('{"event":"request","level":"info","route":"/api/v1/users/me","key_id":7}') == []
