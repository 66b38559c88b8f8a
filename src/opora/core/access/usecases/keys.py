"""What can be done with API keys."""

import re
from dataclasses import dataclass
from datetime import timedelta

from opora.core.access.errors import KeyInvalid
from opora.core.access.events import KeyChanged, KeyImported, KeyIssued, KeyRotatedInto, KeyWithdrawn
from opora.core.access.model.keys import (
    BCRYPT_SCHEME,
    IssuedKey,
    KeyChanges,
    KeyDigest,
    KeyState,
    KeyStatus,
    KeyView,
    NewKey,
    issued,
    view_of,
)
from opora.core.access.model.keytext import LOOKUP_LENGTH, SECRET_BYTES, KeyFormat, KeyText
from opora.core.access.ports.keys import KeyDigests, RememberedKeys
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import key_change
from opora.core.access.rules.keys import (
    RotationPolicy,
    changed,
    new_key,
    owner_for,
    refuse_bad_fields,
    refuse_stale,
    rotated,
    seen,
)
from opora.core.access.rules.names import key_name
from opora.core.access.rules.people import known
from opora.core.access.rules.scopes import refuse_beyond
from opora.core.access.usecases.refusals import refuse_name
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork

DENIAL_S = 5
"""How long the gate refuses a key by name: longer than any process remembers it as it was."""

_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True)
class IssueKey:
    """Make an API key with rights that its maker holds; its text is in the answer and nowhere else."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    randomness: Randomness
    digests: KeyDigests
    format: KeyFormat

    async def __call__(self, actor: Actor, wanted: NewKey) -> IssuedKey:
        """Raise KeyInvalid, BeyondOwnRights, or NoSuchUser for an owner there is not."""
        now = self.clock.now()
        wanted = refuse_bad_fields(wanted, now)
        refuse_beyond(actor, wanted.scopes)
        text = self.format.compose(wanted.environment, self.randomness.token_bytes(SECRET_BYTES))
        owner_id = owner_for(actor, wanted.owner_id)
        async with self.unit() as tx:
            if owner_id is not None:
                known(await tx.users.get(owner_id), owner_id)
            key = new_key(await tx.keys.next_id(), wanted, text, actor, now)
            await tx.keys.add(key, self.digests.written(text.text))
            await tx.audit.record(key_change(actor, "key.issued", None, key, now))
            await tx.outbox.add(KeyIssued(subject=key.id, at=now))
        return issued(key, text.text, now)


@dataclass(frozen=True, slots=True)
class ImportKey:
    """Take over a key of another system by its bcrypt hash and the readable first twelve characters of its text."""

    unit: UnitOfWork[AccessTx]
    clock: Clock

    async def __call__(self, actor: Actor, wanted: NewKey, bcrypt_hash: str, lookup_prefix: str) -> KeyView:
        """Raise KeyInvalid, BeyondOwnRights, NoSuchUser, or KeyTaken for a hash that is here already."""
        now = self.clock.now()
        wanted = refuse_bad_fields(wanted, now)
        faults = {}
        if not _BCRYPT.fullmatch(bcrypt_hash):
            faults["bcrypt_hash"] = ["not a bcrypt hash"]
        if len(lookup_prefix) != LOOKUP_LENGTH or not lookup_prefix.isascii():
            faults["lookup_prefix"] = [f"the first {LOOKUP_LENGTH} characters of the key"]
        if faults:
            raise KeyInvalid(errors=faults)
        refuse_beyond(actor, wanted.scopes)
        text = KeyText("", wanted.environment, lookup_prefix)
        owner_id = owner_for(actor, wanted.owner_id)
        async with self.unit() as tx:
            if owner_id is not None:
                known(await tx.users.get(owner_id), owner_id)
            key = new_key(await tx.keys.next_id(), wanted, text, actor, now)
            await tx.keys.add(key, KeyDigest(BCRYPT_SCHEME, bcrypt_hash.encode()), lookup_prefix)
            await tx.audit.record(key_change(actor, "key.imported", None, key, now))
            await tx.outbox.add(KeyImported(subject=key.id, at=now))
        return view_of(key, now)


@dataclass(frozen=True, slots=True)
class UpdateKey:
    """Change a key's label, rights, limit, expiry or networks, or switch it off and on."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    remembered: RememberedKeys

    async def __call__(self, actor: Actor, key_id: int, changes: KeyChanges) -> KeyView:
        """Raise NoSuchKey, KeyInvalid, IllegalMove, BeyondOwnRights, or Stale. Asking for what is changes nothing."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = seen(await tx.keys.get(key_id), actor, key_id)
            after = changed(before, changes, now)
            refuse_beyond(actor, before.scopes | after.scopes)
            if after is not before:
                await tx.keys.save(after)
                await tx.audit.record(key_change(actor, "key.changed", before, after, now))
                await tx.outbox.add(KeyChanged(subject=key_id, at=now))
        self.remembered.replace(after)
        return view_of(after, now)


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Revoke a key for good: this process refuses it at once, every other within a second."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    remembered: RememberedKeys
    gate: RateGate

    async def __call__(self, actor: Actor, key_id: int, versions: frozenset[int] | None = None) -> KeyView:
        """Raise NoSuchKey, or Stale where it is in none of the versions named. A revoked key stays as it is."""
        now = self.clock.now()
        async with self.unit() as tx:
            key = seen(await tx.keys.get(key_id), actor, key_id)
            refuse_stale(key, versions)
            if key.state is not KeyState.REVOKED:
                before, key = key, key.move(KeyState.REVOKED)
                await tx.keys.save(key)
                await tx.audit.record(key_change(actor, "key.revoked", before, key, now))
                await tx.outbox.add(KeyWithdrawn(subject=key_id, at=now))
        self.remembered.replace(key)
        await refuse_name(self.gate, key_name(key_id), DENIAL_S)
        return view_of(key, now)


@dataclass(frozen=True, slots=True)
class RotateKey:
    """Replace a key by a new one with the same settings; both work until the overlap ends, under one shared limit."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    randomness: Randomness
    digests: KeyDigests
    format: KeyFormat
    remembered: RememberedKeys
    gate: RateGate
    policy: RotationPolicy

    async def __call__(self, actor: Actor, key_id: int, overlap: timedelta | None = None) -> IssuedKey:
        """Raise NoSuchKey, KeyInvalid for the overlap, KeyNotRotatable, or BeyondOwnRights."""
        now = self.clock.now()
        if overlap is None:
            overlap = timedelta(seconds=self.policy.overlap_s)
        secret = self.randomness.token_bytes(SECRET_BYTES)
        async with self.unit() as tx:
            before = seen(await tx.keys.get(key_id), actor, key_id)
            refuse_beyond(actor, before.scopes)
            text = self.format.compose(before.environment, secret)
            old, key = rotated(before, await tx.keys.next_id(), text, actor, now, overlap)
            await tx.keys.save(old)
            await tx.keys.add(key, self.digests.written(text.text))
            await tx.audit.record(key_change(actor, "key.rotated", before, old, now))
            await tx.audit.record(key_change(actor, "key.issued", None, key, now))
            await tx.outbox.add(KeyRotatedInto(subject=old.id, at=now, successor_id=key.id))
            await tx.outbox.add(KeyIssued(subject=key.id, at=now))
        self.remembered.replace(old)
        if old.status(now) is not KeyStatus.ACTIVE:
            await refuse_name(self.gate, key_name(old.id), DENIAL_S)
        return issued(key, text.text, now)
