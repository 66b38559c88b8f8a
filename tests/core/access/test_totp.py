"""One-time codes: the vectors of RFC 4226 and RFC 6238, and when a code is taken."""

from base64 import b32decode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.access.rules.totp import (
    RECOVERY_BYTES,
    code_at,
    matching_step,
    otpauth_uri,
    recovery_codes,
    recovery_digest,
    step_of,
)

ASCII = b"1234567890"
SECRET = ASCII * 2
HOTP = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"
TOTP = {
    59: ("94287082", "46119246", "90693936"),
    1111111109: ("07081804", "68084774", "25091201"),
    1111111111: ("14050471", "67062674", "99943326"),
    1234567890: ("89005924", "91819424", "93441116"),
    2000000000: ("69279037", "90698825", "38618901"),
    20000000000: ("65353130", "77737706", "47863826"),
}
LENGTHS = {"sha1": 20, "sha256": 32, "sha512": 64}
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_the_codes_of_rfc_4226_appendix_d():
    assert " ".join(code_at(SECRET, counter) for counter in range(10)) == HOTP


@pytest.mark.parametrize("seconds", TOTP)
def test_the_codes_of_rfc_6238_appendix_b(seconds):
    step = step_of(datetime.fromtimestamp(seconds, UTC))
    found = tuple(code_at((ASCII * 7)[:length], step, digits=8, digest=digest) for digest, length in LENGTHS.items())
    assert found == TOTP[seconds]


@given(st.integers(0, 2**40), st.integers(-5, 5))
def test_a_code_is_taken_within_one_step_either_way_and_never_again(step, away):
    now = datetime.fromtimestamp(min(step, 2**33) * 30 // 30, UTC)
    present = step_of(now)
    code = code_at(SECRET, present + away) if present + away >= 0 else "x"
    found = matching_step(SECRET, code, now, last_step=-1)
    if abs(away) <= 1 and present + away >= 0:
        assert found is not None and matching_step(SECRET, code, now, last_step=found) is None
    else:
        assert found is None or code_at(SECRET, found) == code  # six digits may meet by chance


@pytest.mark.parametrize("text", ["", "12345", "1234567", "٣٣٣٣٣٣", "12 456", "-12345", "abcdef"])
def test_what_is_no_code_is_none(text):
    assert matching_step(SECRET, text, NOON, 0) is None


def test_an_older_code_is_not_taken_after_a_newer_one():
    step = step_of(NOON)
    assert matching_step(SECRET, code_at(SECRET, step - 1), NOON, last_step=step) is None
    assert matching_step(SECRET, code_at(SECRET, step + 1), NOON, last_step=step) == step + 1
    late = NOON + timedelta(seconds=61)
    assert matching_step(SECRET, code_at(SECRET, step), late, last_step=0) is None


def test_the_address_an_authenticator_reads_names_issuer_account_and_secret():
    parts = urlsplit(otpauth_uri(SECRET, "anna@example.org", "Opora & Co"))
    query = {name: value[0] for name, value in parse_qs(parts.query).items()}
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Opora%20%26%20Co:anna@example.org")
    assert b32decode(query["secret"]) == SECRET and query["issuer"] == "Opora & Co"


def test_recovery_codes_carry_all_their_randomness_and_are_found_however_they_are_written_down():
    codes = list(recovery_codes(bytes(range(2 * RECOVERY_BYTES))))
    assert len(set(codes)) == 2 and all(len(code.replace("-", "")) == 24 for code in codes)
    written = codes[0].upper().replace("-", " ")
    assert recovery_digest(written) == recovery_digest(codes[0]) != recovery_digest(codes[1])
