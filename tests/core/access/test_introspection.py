"""What is told of tokens and keys while the store of denials speaks, is silent, or knows more than the database."""

from dataclasses import replace

import pytest

from core.access.stage import HERE, PASSWORD
from opora.core.access.errors import ClientUnknown, KeyUnknown
from opora.core.access.model.callers import Credentials
from opora.core.access.model.keys import KeyChanges, KeyState, NewKey
from opora.core.access.model.tokens import TokenStanding
from opora.core.access.rules.names import key_name, token_name
from opora.core.access.rules.tokens import claims_for
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.model import SYSTEM
from opora.testing.access import a_session

pytestmark = pytest.mark.anyio

WANTED = NewKey(label="QA", scopes=frozenset({"profiles:read", "exports:read"}))


async def test_a_client_that_names_another_key_is_nobody(stage):
    one, other = [await stage.issue(SYSTEM, WANTED) for _ in range(2)]
    assert await stage.authenticate(Credentials(api_key=one.key, client_id=str(one.id)), HERE)
    with pytest.raises(KeyUnknown):
        await stage.authenticate(Credentials(api_key=one.key, client_id=str(other.id)), HERE)
    for client_id, secret in ((str(other.id), one.key), (str(one.id), "nonsense"), ("", one.key)):
        with pytest.raises(ClientUnknown):
            await stage.authenticate_client(client_id, secret, HERE)
    await stage.update_key(SYSTEM, one.id, KeyChanges(state=KeyState.DISABLED))
    with pytest.raises(ClientUnknown):
        await stage.authenticate_client(str(one.id), one.key, HERE)


async def test_what_another_process_has_denied_is_no_good_before_the_database_is_asked_again(stage):
    user = await stage.a_person()
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    key = await stage.issue(SYSTEM, WANTED)
    claims = stage.tokens.verify(pair.access_token, stage.clock.at)
    for text, name in ((pair.access_token, token_name(user.id, claims.token_id)), (key.key, key_name(key.id))):
        assert await stage.introspect(text)
        await stage.gate.deny(name, 60)
        assert await stage.introspect(text) is None


async def test_while_the_store_of_denials_is_silent_the_database_decides(stage):
    class Silent:
        async def peek(self, admission):
            raise Unavailable

    user = await stage.a_person()
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    introspect = replace(stage.introspect, gate=Silent())
    found = await introspect(pair.access_token)
    assert (found.user_id, found.username, found.tier) == (user.id, user.email, "free")
    await stage.log_out(pair.access_token, HERE)
    assert await introspect(pair.access_token) is None


async def test_a_token_without_a_session_and_one_of_somebody_gone_are_told_apart(stage):
    user = await stage.a_person()
    claims = claims_for(user, a_session(user_id=user.id), "alone", stage.clock.at, stage.policy)
    alone = await stage.tokens.issue(replace(claims, session_id=None))
    assert (await stage.introspect(alone)).session_id is None

    class Standing:
        async def find(self, user_id, session_id, token_id):
            return TokenStanding(user_id, user.roles, is_active=True, epoch_at=None, revoked=False)

    gone = await stage.tokens.issue(replace(claims, subject=99, session_id=None, token_id="gone"))
    assert await replace(stage.introspect, standings=Standing())(gone) is None


async def test_a_keys_token_says_when_the_first_of_key_and_token_ends(stage):
    soon = stage.clock.at.replace(minute=5)
    key = await stage.issue(SYSTEM, replace(WANTED, expires_at=soon))
    grant = await stage.grant_to_client(str(key.id), key.key, HERE)
    found = await stage.introspect(grant.access_token)
    assert found.expires_at == soon and found.scopes == WANTED.scopes
