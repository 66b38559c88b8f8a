"""Secrets are rotated as the documents say: first nothing is refused, then nothing of the old ones is needed."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Opora, on_file
from opora.bootstrap.container import application
from opora.bootstrap.sources import load
from opora.cli.exits import Exit
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.ports.proofs import FactorSecrets
from opora.core.access.usecases.authenticate import Authenticate
from opora.core.access.usecases.signing import EnsureSigningKey
from opora.core.kernel.errors import Unauthenticated
from opora.core.kernel.model import SYSTEM, Origin, PageRequest
from opora.core.profiles.model.exports import EVERYONES
from opora.core.profiles.model.kept import ProfileFilter
from opora.core.profiles.model.requests import GenerationRequest
from opora.core.profiles.ports.profiles import ProfileViews
from opora.core.profiles.usecases.profiles import GenerateProfiles

ROOT, NEXT_ROOT = "a root secret of forty characters or more", "another root secret, of forty characters or more"
TOTP = b"twenty bytes of TOTP"


def within[T](kind: type[T], work: Any) -> Any:
    """Open the program under the settings of this moment and let it work."""

    async def opened() -> Any:
        async with application(load()) as app:
            return await work(await app.get(kind))

    return asyncio.run(opened())


def caller(key: str) -> Caller:
    """Tell who calls under a key."""
    return within(Authenticate, lambda who: who(Credentials(api_key=key), Origin("127.0.0.1")))  # type: ignore[no-any-return]


def factor(home: Path) -> bytes:
    """Open the second factor that is kept."""
    sealed = on_file(home, "SELECT sealed FROM second_factors")[0][0]

    async def work(secrets: FactorSecrets) -> bytes:
        return secrets.open(sealed, 1)

    return within(FactorSecrets, work)  # type: ignore[no-any-return]


def people() -> list[bytes]:
    """Read the kept profiles."""
    page = within(ProfileViews, lambda views: views.page(EVERYONES, ProfileFilter(), PageRequest()))
    return list(page.items)


@pytest.fixture
def rooted(opora: Opora, installation: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """An installation with a key, a second factor, signing keys and a person; gives its home and the key."""
    monkeypatch.setenv("OPORA_SECRET_KEY", ROOT)
    monkeypatch.setenv("OPORA_SIGNING_ALGORITHM", "EdDSA")
    opora("db", "upgrade")
    home = installation / "home"
    key = opora("keys", "create", "--label", "QA", "--scope", "profiles:read", "--json").json["key"]

    async def seal(secrets: FactorSecrets) -> bytes:
        return secrets.seal(TOTP, 1)

    factors = "INSERT INTO second_factors (user_id, sealed, created_at, last_step) VALUES (1, ?, '2030-01-01', 0)"
    on_file(home, factors, within(FactorSecrets, seal))
    within(EnsureSigningKey, lambda ensure: ensure())
    within(GenerateProfiles, lambda make: make(SYSTEM, GenerationRequest(count=2, seed=7, persist=True)))
    return home, key


def test_the_root_is_changed_and_nothing_is_refused_on_the_way(
    opora: Opora, rooted: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, key = rooted
    known = caller(key).actor.subject
    assert opora("secrets", "carry").code == Exit.USAGE, "secrets are not printed by mistake"
    carried: Mapping[str, str] = opora("secrets", "carry", "--yes", "--json").json
    assert ROOT not in str(carried)

    monkeypatch.setenv("OPORA_SECRET_KEY", NEXT_ROOT)
    with pytest.raises(Unauthenticated):
        caller(key)
    assert opora("secrets", "reseal", "--plan", "--json").json["unreadable"] >= 2, "the new root alone opens nothing"

    for name, value in carried.items():
        monkeypatch.setenv(name, value)
    assert (caller(key).actor.subject, factor(home)) == (known, TOTP)
    assert opora("audit", "verify").code == Exit.OK
    planned = opora("secrets", "reseal", "--plan", "--json").json
    assert planned["tables"]["second_factors"] == {"newest": 0, "changed": 1, "unreadable": 0}
    done = opora("secrets", "reseal", "--json")
    assert (done.code, done.json["tables"]) == (Exit.OK, planned["tables"])
    assert done.json["tables"]["signing_keys"]["changed"] >= 1

    monkeypatch.delenv("OPORA_ENCRYPTION_KEYS_OLD")
    assert (caller(key).actor.subject, factor(home)) == (known, TOTP)
    again = opora("secrets", "reseal", "--json")
    assert {name: one["changed"] + one["unreadable"] for name, one in again.json["tables"].items()} == dict.fromkeys(
        again.json["tables"], 0
    )


def test_a_pepper_is_rotated_beside_the_old_one_and_keys_in_use_are_taken_over(
    opora: Opora, rooted: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, used = rooted
    unused = opora("keys", "create", "--label", "unused", "--scope", "profiles:read", "--json").json["key"]
    old = opora("secrets", "carry", "--yes", "--json").json["OPORA_KEY_PEPPERS"]
    monkeypatch.setenv("OPORA_KEY_PEPPERS", f"{old},p2:a-second-pepper-of-enough-length")
    known = caller(used).actor.subject
    monkeypatch.setenv("OPORA_KEY_PEPPERS", "p2:a-second-pepper-of-enough-length")
    assert caller(used).actor.subject == known
    with pytest.raises(Unauthenticated):
        caller(unused)


def test_kept_people_are_sealed_by_setting_and_opened_again_without_it(
    opora: Opora, rooted: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = rooted
    before = people()
    number = before[0].partition(b'"number":"')[2][:6].decode()
    stored = "SELECT payload, seed, recipe FROM profiles"
    assert number in str(on_file(home, stored))
    monkeypatch.setenv("OPORA_SEAL_PROFILES", "true")
    assert people() == before, "rows of before are read as they are"
    assert opora("secrets", "reseal", "--json").json["tables"]["profiles"]["changed"] == 2
    within(GenerateProfiles, lambda make: make(SYSTEM, GenerationRequest(count=1, seed=8, persist=True)))
    assert len(people()) == 3
    assert people()[1:] == before
    rows = on_file(home, stored)
    assert {(payload[:7], seed, recipe) for payload, seed, recipe in rows} == {("sealed:", 0, "{}")}
    assert '"seed":8' not in str(on_file(home, "SELECT new_values FROM audit_log")).replace(" ", "")
    on_file(home, "UPDATE profiles SET payload = (SELECT payload FROM profiles WHERE id = 1) WHERE id = 2")
    moved = opora("secrets", "reseal", "--plan", "--json")
    assert (moved.code, moved.json["tables"]["profiles"]["unreadable"]) == (Exit.FINDINGS, 1), "moved to another row"
    on_file(home, "DELETE FROM profiles WHERE id = 2")
    monkeypatch.setenv("OPORA_SEAL_PROFILES", "false")
    assert opora("secrets", "reseal", "--json").json["tables"]["profiles"]["changed"] == 2
    assert people()[-1] == before[1]
    assert "sealed:" not in str(on_file(home, stored))
