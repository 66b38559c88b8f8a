"""The use cases of access over a real SQLite file, with cheap hashes, a stopped clock and a gate in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from opora.adapters.crypto.digests import PepperedDigests
from opora.adapters.crypto.factors import RandomOneTimeSecrets, SealedFactors
from opora.adapters.crypto.identities import JwtIdentities, SigningRings
from opora.adapters.crypto.passwords import ArgonPasswords, HashCost
from opora.adapters.crypto.refresh import DerivedRefreshSecrets
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import SealedKeyMaker
from opora.adapters.crypto.threads import BoundedThreads
from opora.adapters.crypto.tokens import JwtTokens
from opora.adapters.files.passwords import common_passwords
from opora.adapters.memory.contacts import CachedContacts
from opora.adapters.memory.key_cache import CachedKeyLookup
from opora.adapters.memory.key_news import SharedKeyNews
from opora.adapters.memory.key_usage import KeyUsageLog
from opora.adapters.memory.rates import MemoryRateGate
from opora.adapters.memory.token_notes import NoTokenNotes
from opora.adapters.memory.token_standings import CachedStandings
from opora.adapters.sql.billing.subscriptions import SqlSubscriptionTiers, SqlSubscriptionViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.contacts import SqlContacts
from opora.adapters.sql.keys import SqlKeyLookup, SqlKeyUsageStore, SqlKeyViews
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.people import SqlUserViews
from opora.adapters.sql.personal import SqlAccessRecords
from opora.adapters.sql.proofs import SqlArrivals
from opora.adapters.sql.sessions import SqlSessionViews, SqlTokenStandings
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.people import NewUser, User
from opora.core.access.model.scopes import Role, scopes_of
from opora.core.access.model.tokens import Algorithm
from opora.core.access.ports.personal import PersonalRecords, PersonalRegistry
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.grants import GrantPolicy
from opora.core.access.rules.keys import RotationPolicy
from opora.core.access.rules.letters import LetterPolicy
from opora.core.access.rules.login import LoginPolicy
from opora.core.access.rules.passwords import PasswordPolicy
from opora.core.access.rules.signing import SigningPolicy
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.rules.totp import FactorPolicy
from opora.core.access.usecases.authenticate import Authenticate, FindKey, ForgetCaller
from opora.core.access.usecases.clients import AuthenticateClient, GrantToClient, NarrowGrant
from opora.core.access.usecases.erasure import EraseOneself, EraseRecords, ExportOwnRecords
from opora.core.access.usecases.gateway import TellIdentity
from opora.core.access.usecases.introspection import Introspect, RevokeToken
from opora.core.access.usecases.keys import ImportKey, IssueKey, RevokeKey, RotateKey, UpdateKey
from opora.core.access.usecases.login import CheckPassword, FinishLogIn, LogIn, OpenSession
from opora.core.access.usecases.own_sessions import EndAllSessions, EndSession, ListSessions
from opora.core.access.usecases.passwords import ChangePassword, ForgotPassword, ResetPassword, SendReset
from opora.core.access.usecases.people import CreateUser, EnsureFirstAdmin, ResetAdmin, UpdateOwnProfile, UpdateUser
from opora.core.access.usecases.registration import AskVerification, Register, VerifyEmail
from opora.core.access.usecases.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RemoveSecondFactor
from opora.core.access.usecases.sessions import LogOut, RefreshSession
from opora.core.access.usecases.signing import EnsureSigningKey, RotateSigningKey, WithdrawSigningKeys
from opora.core.jobs.model import Claim
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


class TellingSecrets(RandomOneTimeSecrets):
    """Tells the texts that went out in letters, which nothing else keeps."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def text(self):
        self.told.append(super().text())
        return self.told[-1]


class ListedRecords(PersonalRegistry):
    """The records of the contexts it is given."""

    def __init__(self, *records: PersonalRecords) -> None:
        self.records = list(records)

    def all(self):
        return self.records


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
        self.contacts = CachedContacts(SqlContacts(self.database), lambda: self.seconds)
        self.tiers = SqlSubscriptionTiers(SqlSubscriptionViews(self.database.read), self.clock.now)
        self.notes = NoTokenNotes()
        self.standings = CachedStandings(SqlTokenStandings(self.database), lambda: self.seconds)
        self.usage = KeyUsageLog(SqlKeyUsageStore(self.database))
        self.views = SqlKeyViews(self.database)
        self.user_views = SqlUserViews(self.database)
        self.tokens = JwtTokens(self.policy, AesSeal(bytes(32)), self.threads)
        self.identities = JwtIdentities(self.policy.issuer, AesSeal(bytes(32)))
        self.ring = SigningRings(self.tokens, self.identities)
        maker = SealedKeyMaker(AesSeal(bytes(32)), self.threads, rsa_bits=2048)
        signing = SigningPolicy(token_ttl_s=self.policy.refusal_s)
        self.ensure_signing_key = EnsureSigningKey(self.unit, self.clock, maker, self.ring, self.policy, signing)
        self.rotate_signing_key = RotateSigningKey(
            self.unit, self.clock, maker, self.policy, signing, self.ensure_signing_key
        )
        self.withdraw_signing_keys = WithdrawSigningKeys(
            self.unit, self.clock, maker, self.policy, self.ensure_signing_key
        )
        self.news = SharedKeyNews(self.ensure_signing_key.take)
        self.secrets = DerivedRefreshSecrets(bytes(32))
        self.one_time = TellingSecrets()
        self._key_use_cases()
        self._people_use_cases()
        self._session_use_cases()
        self._letter_use_cases()
        self._factor_use_cases()

    def _key_use_cases(self):
        made = (self.unit, self.clock, self.randomness, self.digests, self.format)
        self.issue = IssueKey(*made)
        self.import_key = ImportKey(self.unit, self.clock)
        self.update_key = UpdateKey(self.unit, self.clock, self.keys)
        self.revoke = RevokeKey(self.unit, self.clock, self.keys, self.gate)
        self.rotate = RotateKey(*made, self.keys, self.gate, RotationPolicy(3600))
        self.find_key = find = FindKey(self.unit, self.keys, self.digests, self.hasher, self.format)
        self.authenticate = Authenticate(
            find, self.usage, self.tokens, self.ring, self.news, self.standings, CallerPolicy(), self.clock
        )
        self.forget = ForgetCaller(self.keys, self.standings)

    def _people_use_cases(self):
        passwords = self.passwords = PasswordPolicy(common=common_passwords())
        ending = (self.standings, self.gate, self.policy)
        self.create_user = CreateUser(self.unit, self.clock, self.hasher, passwords)
        self.update_user = UpdateUser(self.unit, self.clock, *ending)
        self.update_own = UpdateOwnProfile(self.unit, self.clock)
        self.first_admin = EnsureFirstAdmin(self.unit, self.clock, self.randomness, self.hasher, passwords)
        self.reset_admin = ResetAdmin(self.unit, self.clock, self.hasher, passwords, *ending)
        self.registry = ListedRecords(SqlAccessRecords(self.database))
        self.export_own = ExportOwnRecords(self.registry)
        self.erase = EraseOneself(self.unit, self.clock, self.standings, self.keys, self.gate, self.policy)
        self.erase_records = EraseRecords(self.unit, self.registry)

    def _session_use_cases(self):
        self.limits, self.arrivals, self.factors = LoginPolicy(), SqlArrivals(self.database), FactorPolicy()
        self.check = CheckPassword(self.unit, self.arrivals, self.hasher, self.gate, self.limits, self.clock)
        tokens = (self.tokens, self.secrets, self.policy, self.clock, self.identifiers)
        self.opening = OpenSession(*tokens)
        self.log_in = LogIn(self.check, self.unit, self.opening, self.one_time, self.factors, self.clock)
        ending = (self.unit, self.standings, self.gate, self.policy, self.clock)
        self.end_session, self.end_all_sessions = EndSession(*ending), EndAllSessions(*ending)
        self.tell_identity = TellIdentity(self.contacts, self.tiers, self.identities, self.clock)
        self.list_sessions = ListSessions(SqlSessionViews(self.database), self.clock)
        self.grants = GrantPolicy("http://opora.test")
        self.authenticate_client = AuthenticateClient(self.find_key, self.clock)
        granting = (self.tokens, self.policy, self.clock, self.identifiers)
        self.grant_to_client = GrantToClient(self.authenticate_client, *granting)
        self.narrow_grant = NarrowGrant(self.unit, self.tokens, self.tokens, self.clock)
        told = (self.standings, self.contacts, self.tiers, self.gate, self.policy, self.clock)
        self.introspect = Introspect(self.unit, self.authenticate, self.find_key, self.format, self.secrets, *told)
        self.revoke_token = RevokeToken(
            self.unit,
            self.tokens,
            self.secrets,
            self.format,
            self.standings,
            self.notes,
            self.gate,
            self.policy,
            self.clock,
        )
        self.refresh = RefreshSession(self.unit, *tokens, self.standings, self.gate)
        self.log_out = LogOut(self.unit, self.tokens, self.standings, self.gate, self.policy, self.clock)

    def _letter_use_cases(self):
        letters = LetterPolicy()
        ways = (self.unit, self.clock)
        ending = (self.standings, self.gate, self.policy)
        self.register = Register(*ways, self.hasher, self.one_time, self.gate, self.passwords, letters, self.limits)
        self.verify = VerifyEmail(*ways, self.one_time)
        self.ask_verification = AskVerification(*ways, self.one_time, self.gate, letters, self.limits)
        self.forgot = ForgotPassword(self.unit, self.arrivals, self.gate, self.limits)
        self.send_reset = SendReset(*ways, self.one_time, letters)
        self.reset = ResetPassword(*ways, self.hasher, self.one_time, self.arrivals, self.passwords, *ending)
        self.change = ChangePassword(self.check, *ways, self.hasher, self.passwords, *ending)

    def _factor_use_cases(self):
        secrets = SealedFactors(AesSeal(bytes(32)))
        self.enrol = EnrolSecondFactor(self.unit, self.clock, self.randomness, secrets, self.factors)
        self.confirm = ConfirmSecondFactor(self.unit, self.clock, secrets, self.standings)
        self.remove_factor = RemoveSecondFactor(self.unit, self.clock, self.standings)
        self.finish = FinishLogIn(
            self.unit, self.arrivals, self.opening, self.one_time, secrets, self.gate, self.limits, self.clock
        )

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

    async def run(self, kind: str, use_case: Callable[[Claim], Awaitable[None]]) -> int:
        """Claim every job of this kind that is due and have it done; return how many there were."""
        leases = SqlJobLeases(self.database, self.identifiers, self.randomness, self.clock)
        claims = await leases.claim([kind], 100, 30.0)
        for claim in claims:
            await use_case(claim)
        return len(claims)

    async def noted(self, column: str, table: str) -> list[str]:
        """Read what the changes left behind: topics of the outbox, actions of the audit log."""
        return [row[0] for row in await self.database.read.fetch(f"SELECT {column} FROM {table} ORDER BY id")]
