"""What can be done with people."""

from dataclasses import dataclass, replace

from opora.core.access.errors import NoSuchUser
from opora.core.access.events import PasswordReset, UserBlocked, UserChanged, UserCreated, UserUnblocked
from opora.core.access.model.keys import KeyState
from opora.core.access.model.keytext import base62
from opora.core.access.model.people import NewUser, UserChanges, UserView, user_view
from opora.core.access.model.scopes import Role, scopes_of
from opora.core.access.ports.people import PasswordHasher
from opora.core.access.ports.rates import RateGate
from opora.core.access.ports.tokens import RememberedStandings
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.changes import user_change
from opora.core.access.rules.names import user_name
from opora.core.access.rules.passwords import PasswordPolicy, refuse_bad_password
from opora.core.access.rules.people import (
    changed_user,
    folded_email,
    known,
    new_user,
    refuse_losing_last_admin,
)
from opora.core.access.rules.scopes import refuse_beyond
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.usecases.refusals import outdate_rights, refuse_older
from opora.core.kernel.model import SYSTEM, Actor
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork

GENERATED_PASSWORD_BYTES = 16
GENERATED_PASSWORD_LENGTH = 22
NOBODY = 0
"""No user has this id."""


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Create a user with roles that their maker's rights cover; without a password they cannot log in."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    hasher: PasswordHasher
    passwords: PasswordPolicy

    async def __call__(self, actor: Actor, wanted: NewUser) -> UserView:
        """Raise UserInvalid listing every field at fault, BeyondOwnRights, EmailTaken, or HashingBusy."""
        now = self.clock.now()
        user = new_user(wanted, self.passwords, now)
        refuse_beyond(actor, scopes_of(user.roles))
        if wanted.password is not None:
            user = replace(user, password_hash=await self.hasher.hash(wanted.password))
        async with self.unit() as tx:
            user = replace(user, id=await tx.users.next_id())
            await tx.users.add(user)
            await tx.audit.record(user_change(actor, "user.created", None, user, now))
            await tx.outbox.add(UserCreated(subject=user.id, at=now))
        return user_view(user)


@dataclass(frozen=True, slots=True)
class UpdateUser:
    """Change a user's name, language or roles, or block and unblock them; a block ends every session at once."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy

    async def __call__(self, actor: Actor, user_id: int, changes: UserChanges) -> UserView:
        """Raise NoSuchUser, UserInvalid, BeyondOwnRights, LastAdmin, or Stale. Asking for what is changes nothing."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = known(await tx.users.get(user_id), user_id)
            after = changed_user(before, changes)
            keys = [one.id for one in await tx.keys.owned_by(user_id) if one.state is not KeyState.REVOKED]
            if after is not before:
                refuse_beyond(actor, scopes_of(before.roles | after.roles))
                refuse_losing_last_admin(before, after, await tx.users.admins_besides(user_id))
                await tx.audit.record(user_change(actor, "user.changed", before, after, now))
                await tx.outbox.add(UserChanged(subject=user_id, at=now))
            if before.is_active and not after.is_active:
                after = replace(after, epoch_at=now)
                await tx.sessions.end_all(user_id, now)
                await tx.outbox.add(UserBlocked(subject=user_id, at=now))
            if after.is_active and not before.is_active:
                await tx.outbox.add(UserUnblocked(subject=user_id, at=now))
            if after is not before:
                await tx.users.save(after)
        self.standings.outdate(user_id)
        if after is not before:
            await outdate_rights(self.gate, before, keys)
        if before.is_active and not after.is_active:
            await refuse_older(self.gate, user_name(user_id), now, self.policy.refusal_s)
        return user_view(after)


@dataclass(frozen=True, slots=True)
class UpdateOwnProfile:
    """Change one's own name and language."""

    unit: UnitOfWork[AccessTx]
    clock: Clock

    async def __call__(self, actor: Actor, changes: UserChanges) -> UserView:
        """Raise NoSuchUser for a caller who is no person, UserInvalid, or Stale. Roles and blocks are left alone."""
        now = self.clock.now()
        user_id = NOBODY if actor.user_id is None else actor.user_id
        own = UserChanges(full_name=changes.full_name, locale=changes.locale, versions=changes.versions)
        async with self.unit() as tx:
            before = known(await tx.users.get(user_id), user_id)
            after = changed_user(before, own)
            if after is not before:
                await tx.users.save(after)
                await tx.audit.record(user_change(actor, "user.changed", before, after, now))
                await tx.outbox.add(UserChanged(subject=user_id, at=now))
        return user_view(after)


@dataclass(frozen=True, slots=True)
class EnsureFirstAdmin:
    """Create an admin where there is none; of several processes that start at once one does."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    randomness: Randomness
    hasher: PasswordHasher
    passwords: PasswordPolicy

    async def __call__(self, email: str, password: str | None = None) -> str | None:
        """Return the new admin's password, made up where none is given; None where an admin was there.

        Raises UserInvalid, or EmailTaken when the address is that of somebody who is no admin.
        """
        async with self.unit() as tx:
            present = await tx.users.admins_besides(NOBODY)
        if present:
            return None
        now = self.clock.now()
        chosen = password or generated_password(self.randomness)
        wanted = NewUser(email=email, password=chosen, roles=frozenset({Role.ADMIN}), email_verified=True)
        admin = new_user(wanted, self.passwords, now)
        admin = replace(admin, password_hash=await self.hasher.hash(chosen))
        async with self.unit() as tx:
            # Asked again: another process may have been quicker while the password was hashed.
            if await tx.users.admins_besides(NOBODY):
                return None
            admin = replace(admin, id=await tx.users.next_id())
            await tx.users.add(admin)
            await tx.audit.record(user_change(SYSTEM, "user.created", None, admin, now))
            await tx.outbox.add(UserCreated(subject=admin.id, at=now))
        return chosen


@dataclass(frozen=True, slots=True)
class ResetAdmin:
    """Give a user a new password and the admin's role, unblocked; their sessions and second factor end."""

    unit: UnitOfWork[AccessTx]
    clock: Clock
    hasher: PasswordHasher
    passwords: PasswordPolicy
    standings: RememberedStandings
    gate: RateGate
    policy: TokenPolicy

    async def __call__(self, email: str, password: str) -> UserView:
        """Raise UserInvalid, or NoSuchUser when nobody has this address."""
        now = self.clock.now()
        address = folded_email(email)
        refuse_bad_password(password, self.passwords, address)
        fresh = await self.hasher.hash(password)
        async with self.unit() as tx:
            before = await tx.users.with_email(address)
            if before is None:
                raise NoSuchUser
            after = replace(
                before,
                password_hash=fresh,
                roles=before.roles | {Role.ADMIN},
                is_active=True,
                epoch_at=now,
                version=before.version + 1,
            )
            await tx.users.save(after)
            await tx.sessions.end_all(after.id, now)
            await tx.second_factors.remove(after.id)
            await tx.audit.record(user_change(SYSTEM, "user.password_reset", before, after, now))
            await tx.outbox.add(PasswordReset(subject=after.id, at=now))
        self.standings.outdate(after.id)
        await outdate_rights(self.gate, before)
        await refuse_older(self.gate, user_name(after.id), now, self.policy.refusal_s)
        return user_view(after)


def generated_password(randomness: Randomness) -> str:
    """Return a password of 128 random bits."""
    number = int.from_bytes(randomness.token_bytes(GENERATED_PASSWORD_BYTES))
    return base62(number, GENERATED_PASSWORD_LENGTH)
