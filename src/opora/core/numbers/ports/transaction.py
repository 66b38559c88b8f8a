"""What a transaction over campaigns shows."""

from typing import Protocol

from opora.core.access.ports.people import UserRepository
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.numbers.ports.calls import CallRepository, ConversionRepository
from opora.core.numbers.ports.intake import NumberIntake
from opora.core.numbers.ports.numbers import (
    NumberingRanges,
    NumberRepository,
    NumberTally,
    SuppressionRepository,
    ZoneBook,
)
from opora.core.numbers.ports.projects import GeoRepository, ProjectRepository, ProviderRepository


class NumberTx(Protocol):
    """Projects, numbers and all that changes with them."""

    @property
    def projects(self) -> ProjectRepository: ...
    @property
    def providers(self) -> ProviderRepository: ...
    @property
    def geo(self) -> GeoRepository: ...
    @property
    def numbers(self) -> NumberRepository: ...
    @property
    def intake(self) -> NumberIntake: ...
    @property
    def tally(self) -> NumberTally: ...
    @property
    def zones(self) -> ZoneBook: ...
    @property
    def suppressions(self) -> SuppressionRepository: ...
    @property
    def calls(self) -> CallRepository: ...
    @property
    def conversions(self) -> ConversionRepository: ...
    @property
    def registry(self) -> NumberingRanges: ...
    @property
    def users(self) -> UserRepository: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
