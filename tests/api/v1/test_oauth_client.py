"""An OAuth 2.0 client that is none of ours finds its way: discovery, tokens, refreshing, introspection, revocation."""

import jwt
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from core.access.stage import PASSWORD
from opora.core.access.model.keys import NewKey
from opora.core.kernel.model import SYSTEM

pytestmark = pytest.mark.anyio


@pytest.fixture
async def metadata(service, stage):
    """What the service publishes of itself."""
    await stage.a_person()
    async with service.client() as client:
        return (await client.get("http://opora.test/.well-known/oauth-authorization-server")).json()


@pytest.fixture
def a_client(service, metadata):
    """Clients that know nothing but the metadata."""

    def make(client_id=None, client_secret=None, **given):
        return AsyncOAuth2Client(
            client_id,
            client_secret,
            token_endpoint=metadata["token_endpoint"],
            revocation_endpoint=metadata["revocation_endpoint"],
            transport=service.client()._transport,
            **given,
        )

    return make


def test_the_metadata_is_valid(metadata):
    secure = {name: str(value).replace("http://", "https://") for name, value in metadata.items() if "http" in value}
    found = AuthorizationServerMetadata({**metadata, **secure})
    for name in ("issuer", "token_endpoint", "jwks_uri", "scopes_supported", "grant_types_supported"):
        getattr(found, f"validate_{name}")()
    for name in ("token", "introspection", "revocation"):
        getattr(found, f"validate_{name}_endpoint_auth_methods_supported")()
    assert metadata["response_types_supported"] == [] and "authorization_endpoint" not in metadata


async def test_a_person_signs_in_stays_and_leaves(a_client, service, metadata):
    async with a_client("web", token_endpoint_auth_method="none") as client:
        first = await client.fetch_token(username="anna@example.org", password=PASSWORD, grant_type="password")
        assert (await client.get("http://opora.test/api/v1/users/me")).json()["email"] == "anna@example.org"
        keys = (await client.get(metadata["jwks_uri"])).json()
        (key,) = keys["keys"]
        claims = jwt.decode(
            first["access_token"],
            jwt.PyJWK(key).key,
            [key["alg"]],
            {"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            audience="opora",
        )
        assert claims["scope"] == first["scope"]
        second = await client.refresh_token(refresh_token=first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        answer = await client.revoke_token(
            metadata["revocation_endpoint"], token=second["refresh_token"], token_type_hint="refresh_token"
        )
        assert answer.status_code == 200
        with pytest.raises(OAuthError) as refused:
            await client.refresh_token(refresh_token=second["refresh_token"])
        assert refused.value.error == "invalid_grant" and refused.value.description


async def test_a_wrong_password_and_an_unknown_grant_are_told_in_words_the_client_knows(a_client):
    async with a_client("web", token_endpoint_auth_method="none") as client:
        for given, error in (
            ({"username": "anna@example.org", "password": "wrong", "grant_type": "password"}, "invalid_grant"),
            ({"grant_type": "urn:x"}, "unsupported_grant_type"),
        ):
            with pytest.raises(OAuthError) as refused:
                await client.fetch_token(**given)
            assert refused.value.error == error


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_program_comes_in_its_own_name_and_asks_about_tokens(a_client, stage, metadata, service, method):
    scopes = frozenset({"tokens:introspect", "profiles:read"})
    key = await stage.issue(SYSTEM, NewKey(label="program", scopes=scopes))
    async with a_client(str(key.id), key.key, token_endpoint_auth_method=method, scope="tokens:introspect") as client:
        token = await client.fetch_token(grant_type="client_credentials")
        assert token["scope"] == "tokens:introspect" and "refresh_token" not in token
        basic = a_client(str(key.id), key.key)
        told = await basic.introspect_token(metadata["introspection_endpoint"], token=token["access_token"])
        assert told.json()["active"] and told.json()["client_id"] == str(key.id)
        told = await basic.introspect_token(metadata["introspection_endpoint"], token=key.key)
        assert told.json()["active"]
        assert (
            await client.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
        ).status_code == 200
        told = await basic.introspect_token(metadata["introspection_endpoint"], token=token["access_token"])
        assert told.json() == {"active": False}
        await basic.aclose()


async def test_a_wrong_secret_is_told_so(a_client, stage):
    key = await stage.issue(SYSTEM, NewKey(label="program", scopes=frozenset({"profiles:read"})))
    async with a_client(str(key.id), key.key[:-1] + "?") as client:
        with pytest.raises(OAuthError) as refused:
            await client.fetch_token(grant_type="client_credentials")
        assert refused.value.error == "invalid_client"
