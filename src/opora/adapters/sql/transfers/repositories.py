"""The repositories of imports and exports of numbers."""

from functools import cached_property

from opora.adapters.sql.repositories import Repositories
from opora.adapters.sql.transfers.intake import intake_of
from opora.adapters.sql.transfers.transfers import SqlTransferRepository
from opora.core.numbers.ports.intake import NumberIntake


class TransferRepositories(Repositories):
    """Rows of imports and exports of numbers inside one transaction."""

    @cached_property
    def transfers(self) -> SqlTransferRepository:
        return SqlTransferRepository(self._connection)

    @cached_property
    def intake(self) -> NumberIntake:
        return intake_of(self._connection)
