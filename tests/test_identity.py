"""The verifier that other services import: what it takes, what it refuses, and how seldom it asks."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from opora.adapters.crypto.signing_keys import public_jwk, thumbprint
from opora.identity import LOOKS_APART_S, Caller, IdentityRefused, IdentityVerifier, KeysUnavailable

SOURCE = Path(__file__).parents[1] / "src" / "opora" / "identity.py"
PRIVATE = generate_private_key(SECP256R1())
OTHER = generate_private_key(SECP256R1())
NOW = int(time.time())
CLAIMS = {
    "iss": "https://opora.example",
    "aud": "ai",
    "sub": "3",
    "iat": NOW,
    "exp": NOW + 3600,
    "scope": "generate:read generate:write",
    "roles": ["client"],
    "tier": "premium",
    "email_verified": True,
    "user_id": 3,
}


def jwk(private):
    public = public_jwk(private.public_key())
    return {**public, "kid": thumbprint(public), "alg": "ES256", "use": "sig"}


def signed(private=PRIVATE, header=None, **changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not ...}
    headers = {"kid": jwk(private)["kid"], "typ": "opora-identity+jwt", **(header or {})}
    return jwt.encode(claims, private, "ES256", headers)


class Published:
    """A key set, and how often it was read."""

    def __init__(self, *privates):
        self.keys = [jwk(one) for one in privates]
        self.reads = 0
        self.fault = None

    def __call__(self, url):
        self.reads += 1
        if self.fault:
            raise self.fault
        return {"keys": self.keys}


def a_verifier(*privates, **given):
    published = Published(*(privates or (PRIVATE,)))
    verifier = IdentityVerifier("https://opora.example/keys", "ai", fetch=published, **given)
    return verifier, published


def test_an_identity_is_read():
    verifier, published = a_verifier(issuer="https://opora.example")
    caller = verifier.verify(signed())
    scopes = frozenset({"generate:read", "generate:write"})
    assert caller == Caller(3, None, scopes, frozenset({"client"}), "premium", True, NOW + 3600)
    assert caller.may("generate:write") and not caller.may("billing:write")
    key = verifier.verify(signed(user_id=..., api_key_id=7, sub="key:7", scope="admin"))
    assert (key.user_id, key.api_key_id) == (None, 7) and key.may("billing:write")
    assert published.reads == 1


FORGERIES = {
    "none": "",
    "no token": "nonsense",
    "for another service": signed(aud="billing"),
    "for several services": signed(aud=["ai", "billing"]),
    "of another issuer": signed(iss="https://evil.example"),
    "over": signed(iat=NOW - 200, exp=NOW - 100),
    "of a key that is not published": signed(OTHER),
    "under the name of a published key": signed(OTHER, {"kid": jwk(PRIVATE)["kid"]}),
    "an access token": signed(header={"typ": "at+jwt"}),
    "without a type": signed(header={"typ": None}),
    "with extensions": signed(header={"crit": ["b64"], "b64": True}),
    "by a shared secret": jwt.encode(CLAIMS, "x" * 32, "HS256", {"typ": "opora-identity+jwt", "kid": "a"}),
    "unsigned": jwt.encode(CLAIMS, None, "none", {"typ": "opora-identity+jwt"}),
    "padded": signed() + "==",
    "without an end": signed(exp=...),
    "with a made-up person": signed(user_id="x"),
}


@pytest.mark.parametrize("text", FORGERIES.values(), ids=FORGERIES)
def test_what_is_no_identity_for_this_service_is_refused(text):
    verifier, _ = a_verifier(issuer="https://opora.example")
    with pytest.raises(IdentityRefused):
        verifier.verify(text)


def test_a_new_key_is_looked_for_once_in_a_while_and_an_outage_of_the_key_set_is_lived_through():
    clock = 0.0
    verifier, published = a_verifier(clock_s=lambda: clock)
    assert verifier.verify(signed())
    published.keys.append(jwk(OTHER))
    for _ in range(50):
        with pytest.raises(IdentityRefused):
            verifier.verify(signed(OTHER))
    assert published.reads == 1
    clock += LOOKS_APART_S + 1
    assert verifier.verify(signed(OTHER)) and published.reads == 2
    clock += 1000
    published.fault = OSError("down")
    assert verifier.verify(signed()) and published.reads == 3


def test_without_any_key_nothing_is_told():
    verifier, published = a_verifier()
    published.fault = OSError("down")
    with pytest.raises(KeysUnavailable):
        verifier.verify(signed())
    with pytest.raises(ValueError, match="https"):
        IdentityVerifier("file:///etc/passwd", "ai")


def test_the_keys_are_read_over_http():
    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [jwk(PRIVATE)]}).encode())

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            verifier = IdentityVerifier(f"http://127.0.0.1:{server.server_port}/keys", "ai")
            assert verifier.verify(signed()).user_id == 3
        finally:
            server.shutdown()
            thread.join()


def test_the_module_needs_nothing_of_opora_and_no_library_but_one(tmp_path):
    (tmp_path / "identity_copy.py").write_text(SOURCE.read_text())
    code = "import identity_copy, sys; print([n for n in sys.modules if n.split('.')[0] in ('opora', 'litestar')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
