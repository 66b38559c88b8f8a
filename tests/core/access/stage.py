"""The use cases of access over a real SQLite file, with cheap hashes, a stopped clock and a gate in memory."""

from dataclasses import dataclass, field
from datetime import timedelta

from opora.adapters.crypto.digests import PepperedDigests
from opora.adapters.crypto.passwords import ArgonPasswords, HashCost
from opora.adapters.crypto.refresh import DerivedRefreshSecrets
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import SealedKeyMaker
from opora.adapters.crypto.threads import BoundedThreads
from opora.adapters.crypto.tokens import JwtTokens
from opora.adapters.memory.key_cache import CachedKeyLookup
from opora.adapters.memory.key_usage import KeyUsageLog
from opora.adapters.memory.rates import MemoryRateGate
from opora.adapters.memory.token_standings import CachedStandings
from opora.adapters.sql.connection import Database
from opora.adapters.sql.keys import SqlKeyLookup, SqlKeyUsageStore, SqlKeyViews
from opora.adapters.sql.people import SqlUserViews
from opora.adapters.sql.sessions import SqlTokenStandings
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.people import NewUser, User
from opora.core.access.model.scopes import Role, scopes_of
from opora.core.access.model.tokens import Algorithm
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.keys import RotationPolicy
from opora.core.access.rules.login import LoginPolicy
from opora.core.access.rules.people import PasswordPolicy
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.usecases.authenticate import Authenticate, FindKey
from opora.core.access.usecases.keys import ImportKey, IssueKey, RevokeKey, RotateKey, UpdateKey
from opora.core.access.usecases.people import CreateUser, EnsureFirstAdmin, ResetAdmin, UpdateOwnProfile, UpdateUser
from opora.core.access.usecases.sessions import CheckPassword, LogIn, LogOut, RefreshSession
from opora.core.access.usecases.signing import EnsureSigningKey
from opora.core.kernel.model import SYSTEM, Actor, Origin
from opora.core.kernel.ports import Clock
from opora.testing.access import NOON

HERE = Origin("203.0.113.9", "tests", "r-1")
PASSWORD = "correct horse battery"
CHEAP = HashCost(memory_kib=64, passes=1)


class HandClock(Clock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self):
        return self.at

    def pass_by(self, **length):
        """Move on by a length of time."""
        self.at += timedelta(**length)


@dataclass
class Stage:
    """Everything access needs, wired once; `seconds` is the clock of what is remembered."""

    database: Database
    unit: SqlUnitOfWork
    threads: BoundedThreads
    peppers: dict[str, bytes] = field(default_factory=lambda: {"p1": bytes(32)})
    clock: HandClock = field(default_factory=HandClock)
    policy: TokenPolicy = field(default_factory=lambda: TokenPolicy(algorithm=Algorithm.EDDSA))

    def __post_init__(self):
        self.seconds = 0.0
        self.gate = MemoryRateGate(lambda: int(self.seconds * 1e6))
        self.randomness, self.identifiers = SystemRandomness(), TimeOrderedIdentifiers()
        self.format, self.digests = KeyFormat(), PepperedDigests(self.peppers)
        self.hasher = ArgonPasswords(self.threads, CHEAP)
        self.keys = CachedKeyLookup(SqlKeyLookup(self.database), lambda: self.seconds)
        self.standings = CachedStandings(SqlTokenStandings(self.database), lambda: self.seconds)
        self.usage = KeyUsageLog(SqlKeyUsageStore(self.database))
        self.views = SqlKeyViews(self.database)
        self.user_views = SqlUserViews(self.database)
        self.tokens = JwtTokens(self.policy, AesSeal(bytes(32)), self.threads)
        self.secrets = DerivedRefreshSecrets(bytes(32))
        self._key_use_cases()
        self._people_use_cases()
        self._session_use_cases()

    def _key_use_cases(self):
        made = (self.unit, self.clock, self.randomness, self.digests, self.format)
        self.issue = IssueKey(*made)
        self.import_key = ImportKey(self.unit, self.clock)
        self.update_key = UpdateKey(self.unit, self.clock, self.keys)
        self.revoke = RevokeKey(self.unit, self.clock, self.keys, self.gate)
        self.rotate = RotateKey(*made, self.keys, self.gate, RotationPolicy(3600))
        find = FindKey(self.unit, self.keys, self.digests, self.hasher, self.format)
        self.authenticate = Authenticate(find, self.usage, self.tokens, self.standings, CallerPolicy(), self.clock)

    def _people_use_cases(self):
        passwords = PasswordPolicy()
        self.create_user = CreateUser(self.unit, self.clock, self.hasher, passwords)
        self.update_user = UpdateUser(self.unit, self.clock, self.standings, self.gate, self.policy)
        self.update_own = UpdateOwnProfile(self.unit, self.clock)
        self.first_admin = EnsureFirstAdmin(self.unit, self.clock, self.randomness, self.hasher, passwords)
        self.reset_admin = ResetAdmin(
            self.unit, self.clock, self.hasher, passwords, self.standings, self.gate, self.policy
        )

    def _session_use_cases(self):
        check = CheckPassword(self.unit, self.hasher, self.gate, LoginPolicy(), self.clock)
        tokens = (self.tokens, self.secrets, self.policy, self.clock, self.identifiers)
        self.log_in = LogIn(check, self.unit, *tokens)
        self.refresh = RefreshSession(self.unit, *tokens, self.standings, self.gate)
        self.log_out = LogOut(self.unit, self.tokens, self.standings, self.gate, self.policy, self.clock)
        maker = SealedKeyMaker(AesSeal(bytes(32)), self.threads, rsa_bits=2048)
        self.ensure_signing_key = EnsureSigningKey(self.unit, self.clock, maker, self.tokens, self.policy)

    async def a_person(self, *roles: Role, email: str = "anna@example.org") -> User:
        """Create a user who can log in, and read them back."""
        wanted = NewUser(email=email, password=PASSWORD, roles=frozenset(roles or {Role.CLIENT}))
        view = await self.create_user(SYSTEM, wanted)
        async with self.unit() as tx:
            user = await tx.users.get(view.id)
        assert user is not None
        return user

    def acting(self, user: User) -> Actor:
        """Act as a user with all the rights of their roles."""
        return Actor(user_id=user.id, scopes=scopes_of(user.roles), origin=HERE)

    async def enter(self, *, key: str | None = None, token: str | None = None, address: str = HERE.address) -> Caller:
        """Come in with a key or a token, remembering nothing of an earlier visit."""
        self.seconds += 1
        return await self.authenticate(Credentials(token, key), Origin(address))

    async def noted(self, column: str, table: str) -> list[str]:
        """Read what the changes left behind: topics of the outbox, actions of the audit log."""
        return [row[0] for row in await self.database.read.fetch(f"SELECT {column} FROM {table} ORDER BY id")]
