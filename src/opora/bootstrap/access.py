"""Wires keys, people, tokens and sessions."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import NewType

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.crypto.digests import PepperedDigests
from opora.adapters.crypto.factors import RandomOneTimeSecrets, SealedFactors
from opora.adapters.crypto.identities import JwtIdentities, SigningRings
from opora.adapters.crypto.passwords import ArgonPasswords
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
from opora.adapters.memory.token_notes import GuardedTokenNotes, NoTokenNotes
from opora.adapters.memory.token_standings import CachedStandings
from opora.adapters.redis.token_notes import RedisTokenNotes
from opora.adapters.sql.connection import Database
from opora.adapters.sql.contacts import SqlContacts
from opora.adapters.sql.keys import SqlKeyLookup, SqlKeyUsageStore, SqlKeyViews
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.people import SqlUserViews
from opora.adapters.sql.personal import SqlAccessRecords
from opora.adapters.sql.proofs import SqlArrivals
from opora.adapters.sql.sessions import SqlSessionViews, SqlTokenStandings
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.limits import SharedStore
from opora.bootstrap.secrets import hkdf, rings
from opora.bootstrap.settings import Settings
from opora.core.access import usecases
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.tokens import Algorithm
from opora.core.access.ports.identities import Contacts, IdentitySigner, SubscriptionTiers, TokenNotes
from opora.core.access.ports.keys import KeyDigests, KeyLookup, KeyUsage, KeyViews, RememberedKeys
from opora.core.access.ports.people import PasswordHasher, SessionViews, UserViews
from opora.core.access.ports.proofs import Arrivals, FactorSecrets, OneTimeSecrets
from opora.core.access.ports.tokens import (
    RefreshSecrets,
    RememberedStandings,
    SigningKeyMaker,
    SigningKeyNews,
    SigningRing,
    TokenIssuer,
    TokenStandings,
    TokenVerifier,
)
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.grants import GrantPolicy
from opora.core.access.rules.keys import RotationPolicy
from opora.core.access.rules.letters import LetterPolicy
from opora.core.access.rules.login import LoginPolicy
from opora.core.access.rules.passwords import PasswordPolicy
from opora.core.access.rules.signing import SigningPolicy
from opora.core.access.rules.tokens import TokenPolicy
from opora.core.access.rules.totp import FactorPolicy
from opora.core.access.usecases.erasure import ERASE_RECORDS, EraseRecords
from opora.core.access.usecases.notes import NotedTokens, RenewTokenNotes
from opora.core.access.usecases.passwords import SEND_RESET, SendReset
from opora.core.access.usecases.signing import EnsureSigningKey
from opora.core.kernel.ports import UnitOfWork

DAY_S = 86_400
KEY_PATIENCE_S = 10.0
"""How long the first sign-in waits for the first key to be made."""
SIGNING_THREADS = 2

SigningThreads = NewType("SigningThreads", BoundedThreads)
"""Threads that sign: a queue of passwords to be hashed does not hold up who has been let in."""


class Policies(Provider):
    """What an operator decides of access, as the plain values the rules are told."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def key_format(self) -> KeyFormat:
        return KeyFormat(self._settings.key_prefix)

    @provide
    def rotation(self) -> RotationPolicy:
        return RotationPolicy(self._settings.key_overlap_s)

    @provide
    def callers(self) -> CallerPolicy:
        return CallerPolicy(self._settings.rate_limit_per_min, self._settings.address_limit_per_min)

    @provide
    def login(self) -> LoginPolicy:
        return LoginPolicy(
            account_per_min=self._settings.login_limit_per_min,
            address_per_min=self._settings.login_limit_per_address,
            everybody_per_min=self._settings.login_limit_everybody,
            letters_per_hour=self._settings.letter_limit_per_hour,
        )

    @provide
    def passwords(self) -> PasswordPolicy:
        return PasswordPolicy(self._settings.password_length_min, common_passwords())

    @provide
    def letters(self) -> LetterPolicy:
        return LetterPolicy(
            verify_ttl_s=self._settings.verify_email_ttl_hours * 3_600,
            reset_ttl_s=self._settings.reset_password_ttl_minutes * 60,
            verify_page=self._settings.verify_email_url,
            reset_page=self._settings.reset_password_url,
        )

    @provide
    def factors(self) -> FactorPolicy:
        return FactorPolicy(self._settings.second_factor_issuer)

    @provide
    def tokens(self) -> TokenPolicy:
        return TokenPolicy(
            issuer=self._settings.base_url,
            algorithm=Algorithm(self._settings.signing_algorithm),
            access_ttl_s=self._settings.token_ttl_minutes * 60,
            refresh_ttl_s=self._settings.refresh_ttl_days * DAY_S,
        )

    @provide
    def grants(self) -> GrantPolicy:
        return GrantPolicy(self._settings.base_url, self._settings.password_grant)

    @provide
    def signing(self, tokens: TokenPolicy) -> SigningPolicy:
        return SigningPolicy(self._settings.signing_key_publish_s, tokens.refusal_s)


class Secrets(Provider):
    """Digests, hashes and signatures."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def threads(self) -> Iterator[BoundedThreads]:
        with closing(BoundedThreads(self._settings.password_hash_threads)) as threads:
            yield threads

    @provide
    def signing_threads(self) -> Iterator[SigningThreads]:
        with closing(BoundedThreads(SIGNING_THREADS)) as threads:
            yield SigningThreads(threads)

    @provide
    def seal(self) -> AesSeal:
        return AesSeal(*rings(self._settings, "signing-keys"))

    @provide
    def digests(self) -> KeyDigests:
        ring = (entry.partition(":") for entry in self._settings.key_peppers)
        return PepperedDigests({name: pepper.encode() for name, _, pepper in ring})

    @provide
    def hasher(self, threads: BoundedThreads) -> PasswordHasher:
        return ArgonPasswords(threads)

    @provide
    def tokens(self, policy: TokenPolicy, seal: AesSeal, threads: SigningThreads) -> AnyOf[JwtTokens, TokenVerifier]:
        return JwtTokens(policy, seal, threads, patience_s=KEY_PATIENCE_S)

    @provide
    def notes(self, shared: SharedStore) -> TokenNotes:
        if shared.redis is None:
            return NoTokenNotes()
        return GuardedTokenNotes(RedisTokenNotes(shared.redis, prefix=self._settings.redis_token_prefix))

    @provide
    def issuer(self, tokens: JwtTokens, database: Database, tiers: SubscriptionTiers, notes: TokenNotes) -> TokenIssuer:
        if isinstance(notes, NoTokenNotes):
            return tokens
        # Read afresh: a note that was wrong from the start would stay so until its token expires.
        return NotedTokens(tokens, SqlContacts(database), tiers, notes)

    @provide
    def identities(self, policy: TokenPolicy, seal: AesSeal) -> AnyOf[JwtIdentities, IdentitySigner]:
        return JwtIdentities(policy.issuer, seal)

    @provide
    def ring(self, tokens: JwtTokens, identities: JwtIdentities) -> SigningRing:
        return SigningRings(tokens, identities)

    @provide
    def key_news(self, keys: EnsureSigningKey) -> SigningKeyNews:
        return SharedKeyNews(keys.take)

    @provide
    def key_maker(self, seal: AesSeal, threads: SigningThreads) -> SigningKeyMaker:
        return SealedKeyMaker(seal, threads, self._settings.signing_key_bits)

    @provide
    def one_time(self) -> OneTimeSecrets:
        return RandomOneTimeSecrets()

    @provide
    def factors(self) -> FactorSecrets:
        return SealedFactors(AesSeal(*rings(self._settings, "second-factors")))

    @provide
    def refresh(self) -> RefreshSecrets:
        return DerivedRefreshSecrets(hkdf(self._settings.secret_key, "refresh-tokens"))


class AccessStores(Provider):
    """Keys, people and sessions as rows, with what is remembered of them for half a second."""

    scope = Scope.APP

    @provide
    def unit(self, unit: SqlUnitOfWork) -> UnitOfWork[AccessTx]:
        return unit

    @provide
    def lookup(self, database: Database) -> AnyOf[KeyLookup, RememberedKeys]:
        return CachedKeyLookup(SqlKeyLookup(database))

    @provide
    async def usage(self, database: Database) -> AsyncIterator[AnyOf[KeyUsage, KeyUsageLog]]:
        log = KeyUsageLog(SqlKeyUsageStore(database))
        yield log
        await log.flush()

    @provide
    def standings(self, database: Database) -> AnyOf[TokenStandings, RememberedStandings]:
        return CachedStandings(SqlTokenStandings(database))

    @provide
    def arrivals(self, database: Database) -> Arrivals:
        return SqlArrivals(database)

    @provide
    def key_views(self, database: Database) -> KeyViews:
        return SqlKeyViews(database)

    @provide
    def contacts(self, database: Database) -> Contacts:
        return CachedContacts(SqlContacts(database))

    @provide
    def session_views(self, database: Database) -> SessionViews:
        return SqlSessionViews(database)

    @provide
    def user_views(self, database: Database) -> UserViews:
        return SqlUserViews(database)


def access(settings: Settings) -> tuple[Provider, ...]:
    """Every provider of access."""
    return Policies(settings), Secrets(settings), AccessStores()


RENEW_NOTES = "access.renew_token_notes"
CHANGES_OF_PEOPLE = (
    "user.changed",
    "user.blocked",
    "user.unblocked",
    "user.email_verified",
    "user.erased",
    "user.logged_out",
    "user.sessions_ended",
    "user.refresh_token_reused",
    "user.password_changed",
    "user.password_reset",
    "subscription.tier_changed",
)
"""Events after which other services must be told something else of a person's tokens."""
RENEWALS = {topic: [Subscription("token_notes", RENEW_NOTES)] for topic in CHANGES_OF_PEOPLE}

CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=access,
    personal=[SqlAccessRecords],
    handlers={RENEW_NOTES: RenewTokenNotes, SEND_RESET: SendReset, ERASE_RECORDS: EraseRecords},
    subscriptions={**RENEWALS, "user.erased": [*RENEWALS["user.erased"], Subscription("access", ERASE_RECORDS)]},
)
