"""Access tokens: read by an independent library, refused in every forged form."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from opora.adapters.crypto.sealing import AesSeal, SealBroken
from opora.adapters.crypto.signing_keys import SealedKeyMaker, base64url, thumbprint, unbase64url
from opora.adapters.crypto.threads import BoundedThreads
from opora.adapters.crypto.tokens import REMEMBERED_MAX, JwtTokens
from opora.core.access.errors import SigningKeyMissing, TokenExpired, TokenInvalid, TokenMalformed
from opora.core.access.model.tokens import Algorithm, SigningKeyState
from opora.core.access.rules.tokens import TokenPolicy, claims_for
from opora.core.kernel.errors import Unauthenticated
from opora.testing.access import HOUR, NOON, SECOND, a_session, a_user

pytestmark = pytest.mark.anyio

POLICY = TokenPolicy()
SEAL = AesSeal(bytes(32))
CLAIMS = claims_for(a_user(), a_session(), "one", NOON, POLICY)


@pytest.fixture(scope="module")
def threads():
    threads = BoundedThreads()
    yield threads
    threads.close()


def a_ring(threads, *keys):
    ring = JwtTokens(POLICY, SEAL, threads)
    ring.take(keys)
    return ring


async def a_pair(threads, algorithm=Algorithm.ES256):
    made = await SealedKeyMaker(SEAL, threads, rsa_bits=2048).make(algorithm, NOON)
    return made.move(SigningKeyState.ACTIVE)


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_token_is_read_back_by_us_and_by_an_independent_library(threads, algorithm):
    ring = a_ring(threads, await a_pair(threads, algorithm))
    text = await ring.issue(CLAIMS)
    assert ring.verify(text, NOON) == CLAIMS
    (published,) = ring.jwks()["keys"]
    assert published["alg"] == algorithm and published["use"] == "sig" and "d" not in published
    read = jwt.decode(
        text,
        jwt.PyJWK(published).key,
        algorithms=[algorithm.value],
        audience="opora",
        issuer="opora",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert read["sub"] == "3" and read["sid"] == "5" and read["scope"] == " ".join(sorted(CLAIMS.scopes))
    assert jwt.get_unverified_header(text) == {"alg": algorithm.value, "typ": "at+jwt", "kid": published["kid"]}


def test_thumbprints_are_those_of_the_rfcs():
    rsa = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d"
        "0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-cs"
        "FCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }
    assert thumbprint(rsa) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"  # RFC 7638 section 3.1
    ed25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(ed25519) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037 appendix A.3


def forged(text, header=None, claims=None, signature=None):
    parts = text.split(".")
    for place, changes in ((0, header), (1, claims)):
        if changes is not None:
            values = {**json.loads(unbase64url(parts[place])), **changes}
            kept = {name: value for name, value in values.items() if value is not ...}
            parts[place] = base64url(json.dumps(kept).encode())
    if signature is not None:
        parts[2] = signature(".".join(parts[:2]).encode())
    return ".".join(parts)


async def test_no_forgery_is_let_in(threads):
    key = await a_pair(threads, Algorithm.RS256)
    other = await a_pair(threads, Algorithm.RS256)
    ring = a_ring(threads, key)
    text = await ring.issue(CLAIMS)
    public = json.dumps(ring.jwks()).encode()
    stranger = await a_ring(threads, other).issue(CLAIMS)

    def by_public_key(payload):
        return base64url(hmac.new(public, payload, hashlib.sha256).digest())

    forgeries = [
        forged(text, claims={"sub": "1"}),
        forged(text, header={"alg": "none"}),
        forged(text, header={"alg": "none"}, signature=lambda _: "AA"),
        forged(text, header={"alg": "HS256"}, signature=by_public_key),
        forged(text, header={"alg": "PS256"}),
        forged(text, header={"typ": "JWT"}),
        forged(text, header={"typ": ...}),
        forged(text, header={"crit": ["b64"], "b64": False}),
        forged(text, header={"kid": "../../etc/passwd"}),
        forged(text, header={"kid": 7}),
        forged(text, header={"kid": ...}),
        forged(text, signature=lambda _: stranger.split(".")[2]),
        stranger,
        forged(stranger, header={"kid": key.id}),
        text + "==",
        text + "\n",
        " " + text,
        text[:-4],
        text.replace(".", "..", 1),
        "a.b.c",
        "bnVsbA.bnVsbA.bnVsbA",
        base64url(b"[" * 5000) + ".e30.AA",
        "\ud800.a.b",
    ]
    for forgery in forgeries:
        with pytest.raises(Unauthenticated):
            ring.verify(forgery, NOON)
    assert ring.verify(text, NOON) == CLAIMS


async def test_a_token_that_looks_like_ours_but_lacks_a_claim_is_refused(threads):
    pair = await a_pair(threads, Algorithm.EDDSA)
    ring = a_ring(threads, pair)
    text = await ring.issue(CLAIMS)
    key = ring._ring.keys[pair.id].private
    changes = [{name: ...} for name in ("iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "scope")]
    changes += [{"sub": 3}, {"sub": "x"}, {"aud": ["opora"]}, {"exp": "1"}, {"exp": True}, {"exp": 1e400}, {"jti": ""}]
    changes += [{"exp": 10**30}, {"roles": ["god"]}, {"roles": "admin"}, {"sid": 5}]
    for change in changes:
        with pytest.raises(TokenInvalid):
            ring.verify(forged(text, claims=change, signature=lambda payload: base64url(key.sign(payload))), NOON)
    sparse = {"roles": ..., "sid": ..., "auth_time": ..., "amr": ...}
    lean = ring.verify(forged(text, claims=sparse, signature=lambda payload: base64url(key.sign(payload))), NOON)
    assert lean.session_id is None and lean.authenticated_at is None


async def test_an_es256_signature_of_another_length_is_refused(threads):
    ring = a_ring(threads, await a_pair(threads))
    text = await ring.issue(CLAIMS)
    with pytest.raises(TokenInvalid):
        ring.verify(forged(text, signature=lambda _: base64url(bytes(63))), NOON)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=20))
def test_no_bytes_break_the_reader(header, claims, signature):
    ring = JwtTokens(POLICY, SEAL, None)  # type: ignore[arg-type]  # checking needs no thread
    with pytest.raises((TokenMalformed, TokenInvalid)):
        ring.verify(".".join(base64url(part) for part in (header, claims, signature)), NOON)


async def test_a_remembered_token_still_expires_on_time(threads):
    ring = a_ring(threads, await a_pair(threads))
    text = await ring.issue(CLAIMS)
    late = CLAIMS.expires_at - SECOND
    assert ring.verify(text, late) == CLAIMS
    assert ring.verify(text, CLAIMS.expires_at) == CLAIMS  # within the leeway
    with pytest.raises(TokenExpired):
        ring.verify(text, CLAIMS.expires_at + 30 * SECOND)


async def test_what_is_remembered_is_bounded(threads):
    ring = a_ring(threads, await a_pair(threads, Algorithm.EDDSA))
    text = await ring.issue(CLAIMS)
    ring._remembered.update({str(number).encode(): (CLAIMS, NOON) for number in range(REMEMBERED_MAX)})
    assert ring.verify(text, NOON) == CLAIMS
    assert len(ring._remembered) == 1


async def test_a_retired_key_checks_but_signs_no_more_and_a_dropped_one_does_neither(threads):
    old, new = await a_pair(threads), await a_pair(threads, Algorithm.EDDSA)
    ring = a_ring(threads, old)
    by_old = await ring.issue(CLAIMS)
    retired = replace(old.move(SigningKeyState.RETIRED), retires_at=NOON + HOUR)
    ring.take([retired, new])
    by_new = await ring.issue(CLAIMS)
    assert jwt.get_unverified_header(by_new)["kid"] == new.id
    assert ring.verify(by_old, NOON) == ring.verify(by_new, NOON) == CLAIMS
    ring.take([new])
    with pytest.raises(TokenInvalid):
        ring.verify(by_old, NOON)


async def test_without_an_active_key_nothing_is_signed(threads):
    ring = a_ring(threads, await SealedKeyMaker(SEAL, threads).make(Algorithm.ES256, NOON))
    with pytest.raises(SigningKeyMissing):
        await ring.issue(CLAIMS)


async def test_a_private_key_opens_under_its_secret_and_its_name_alone(threads):
    pair = await a_pair(threads)
    for ring, key in (
        (JwtTokens(POLICY, AesSeal(bytes(31) + b"x"), threads), pair),
        (a_ring(threads), replace(pair, id="x")),
    ):
        with pytest.raises(SealBroken):
            ring.take([key])
    assert base64.b64encode(pair.private_sealed) and b"PRIVATE" not in pair.private_sealed


async def test_a_sealed_key_that_signs_no_token_is_named(threads):
    der = X25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    pair = await a_pair(threads)
    with pytest.raises(TypeError, match="signs no token"):
        a_ring(threads, replace(pair, private_sealed=SEAL.seal(der, pair.id)))
