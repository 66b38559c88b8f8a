"""Wires keys, people, tokens and sessions."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import NewType

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.crypto.digests import PepperedDigests
from opora.adapters.crypto.passwords import ArgonPasswords
from opora.adapters.crypto.refresh import DerivedRefreshSecrets
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.crypto.signing_keys import SealedKeyMaker
from opora.adapters.crypto.threads import BoundedThreads
from opora.adapters.crypto.tokens import JwtTokens
from opora.adapters.memory.key_cache import CachedKeyLookup
from opora.adapters.memory.key_usage import KeyUsageLog
from opora.adapters.memory.token_standings import CachedStandings
from opora.adapters.sql.connection import Database
from opora.adapters.sql.keys import SqlKeyLookup, SqlKeyUsageStore, SqlKeyViews
from opora.adapters.sql.people import SqlUserViews
from opora.adapters.sql.sessions import SqlTokenStandings
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.secrets import hkdf
from opora.bootstrap.settings import Settings
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.tokens import Algorithm
from opora.core.access.ports.keys import KeyDigests, KeyLookup, KeyUsage, KeyViews, RememberedKeys
from opora.core.access.ports.people import PasswordHasher, UserViews
from opora.core.access.ports.tokens import (
    RefreshSecrets,
    RememberedStandings,
    SigningKeyMaker,
    SigningRing,
    TokenIssuer,
    TokenStandings,
    TokenVerifier,
)
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.keys import RotationPolicy
from opora.core.access.rules.login import LoginPolicy
from opora.core.access.rules.people import PasswordPolicy
from opora.core.access.rules.tokens import TokenPolicy
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
        return LoginPolicy(self._settings.login_limit_per_min, self._settings.login_limit_per_address)

    @provide
    def passwords(self) -> PasswordPolicy:
        return PasswordPolicy(self._settings.password_length_min)

    @provide
    def tokens(self) -> TokenPolicy:
        return TokenPolicy(
            algorithm=Algorithm(self._settings.signing_algorithm),
            access_ttl_s=self._settings.token_ttl_minutes * 60,
            refresh_ttl_s=self._settings.refresh_ttl_days * DAY_S,
        )


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
        return AesSeal(hkdf(self._settings.encryption_key, "signing-keys"))

    @provide
    def digests(self) -> KeyDigests:
        ring = (entry.partition(":") for entry in self._settings.key_peppers)
        return PepperedDigests({name: pepper.encode() for name, _, pepper in ring})

    @provide
    def hasher(self, threads: BoundedThreads) -> PasswordHasher:
        return ArgonPasswords(threads)

    @provide
    def tokens(
        self, policy: TokenPolicy, seal: AesSeal, threads: SigningThreads
    ) -> AnyOf[TokenIssuer, TokenVerifier, SigningRing]:
        return JwtTokens(policy, seal, threads, patience_s=KEY_PATIENCE_S)

    @provide
    def key_maker(self, seal: AesSeal, threads: SigningThreads) -> SigningKeyMaker:
        return SealedKeyMaker(seal, threads, self._settings.signing_key_bits)

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
    def key_views(self, database: Database) -> KeyViews:
        return SqlKeyViews(database)

    @provide
    def user_views(self, database: Database) -> UserViews:
        return SqlUserViews(database)


def access(settings: Settings) -> tuple[Provider, ...]:
    """Every provider of access."""
    return Policies(settings), Secrets(settings), AccessStores()
