"""Signing keys by command."""

from cli.conftest import Opora


def test_the_first_key_is_made_published_and_told(opora: Opora, monkeypatch) -> None:
    monkeypatch.setenv("OPORA_SIGNING_ALGORITHM", "EdDSA")
    made = opora("signing-keys", "rotate", "--json")
    assert made.code == 0 and made.json["state"] == "pending" and made.json["algorithm"] == "EdDSA"
    assert made.json["activates_at"] and "private" not in made.out
    again = opora("signing-keys", "rotate")
    assert again.code != 0 and "waits" in again.err
    listed = opora("signing-keys", "list", "--json")
    assert made.json["kid"] in {one["kid"] for one in listed.json["results"]}
    assert made.json["kid"] in opora("signing-keys", "list").out


def test_a_key_signs_at_once_or_in_place_of_one_that_got_out(opora: Opora, monkeypatch) -> None:
    monkeypatch.setenv("OPORA_SIGNING_ALGORITHM", "ES256")
    first = opora("signing-keys", "rotate", "--now", "--json").json
    assert first["state"] == "active"
    assert "signs now" in opora("signing-keys", "rotate", "--purpose", "identity", "--after", "0").out
    assert "signs from" in opora("signing-keys", "rotate", "--purpose", "identity").out
    second = opora("signing-keys", "rotate", "--withdraw", "--json").json
    states = {one["kid"]: one for one in opora("signing-keys", "list", "--json").json["results"]}
    assert states[first["kid"]]["state"] == "retired" and states[first["kid"]]["retires_at"]
    assert states[second["kid"]]["state"] == "active"
