"""Key digests under a ring of peppers, seals and refresh texts."""

import hashlib
import hmac
import re

import pytest

from opora.adapters.crypto.digests import PepperedDigests
from opora.adapters.crypto.refresh import DerivedRefreshSecrets
from opora.adapters.crypto.sealing import AesSeal, SealBroken

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


def test_a_digest_is_the_hmac_of_the_key_under_the_pepper():
    digest = PepperedDigests({"p1": OLD}).written("opk_live_x")
    assert digest.scheme == "hmac-sha256:p1"
    assert digest.value == hmac.new(OLD, b"opk_live_x", hashlib.sha256).digest()


def test_the_last_pepper_writes_and_every_pepper_is_read():
    before, after = PepperedDigests({"p1": OLD}), PepperedDigests({"p1": OLD, "p2": NEW})
    assert after.written("key").scheme == "hmac-sha256:p2"
    assert list(after.candidates("key")) == [after.written("key"), before.written("key")]


@pytest.mark.parametrize("peppers", [{}, {"p1": b"short"}])
def test_no_pepper_or_a_short_one_is_refused(peppers):
    with pytest.raises(ValueError):
        PepperedDigests(peppers)


def test_a_seal_opens_only_in_its_place_and_only_whole():
    seal = AesSeal(OLD)
    sealed = seal.seal(b"private", "kid")
    assert seal.open(sealed, "kid") == b"private"
    assert seal.seal(b"private", "kid") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for text, place in ((sealed, "other"), (changed, "kid"), (sealed[:5], "kid"), (b"\x02" + sealed[1:], "kid")):
        with pytest.raises(SealBroken):
            seal.open(text, place)
    with pytest.raises(SealBroken):
        AesSeal(NEW).open(sealed, "kid")


def test_a_successor_can_be_told_again_and_no_two_are_alike():
    secrets = DerivedRefreshSecrets(OLD)
    first = secrets.first(5)
    assert re.fullmatch(r"opr_[0-9A-Za-z]{43}", first)
    assert secrets.successor(first, 5, 2) == secrets.successor(first, 5, 2)
    texts = [
        first,
        secrets.first(5),
        secrets.successor(first, 5, 2),
        secrets.successor(first, 5, 3),
        secrets.successor(first, 6, 2),
        DerivedRefreshSecrets(NEW).successor(first, 5, 2),
    ]
    assert len(set(texts)) == len(texts)
    assert secrets.digest(first) == hashlib.sha256(first.encode()).digest()
