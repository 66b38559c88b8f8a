"""The repositories of projects and phone numbers."""

from functools import cached_property

from opora.adapters.sql.numbers.calls import SqlCallRepository
from opora.adapters.sql.numbers.conversions import SqlConversionRepository
from opora.adapters.sql.numbers.directories import SqlGeoRepository, SqlProviderRepository
from opora.adapters.sql.numbers.numbers import SqlNumberRepository
from opora.adapters.sql.numbers.projects import SqlProjectRepository
from opora.adapters.sql.numbers.registry import SqlNumberingRanges
from opora.adapters.sql.numbers.suppressions import SqlSuppressionRepository
from opora.adapters.sql.numbers.tally import SqlNumberTally
from opora.adapters.sql.numbers.zones import SqlZoneBook
from opora.adapters.sql.repositories import Repositories


class NumberRepositories(Repositories):
    """Rows of projects and phone numbers inside one transaction."""

    @cached_property
    def projects(self) -> SqlProjectRepository:
        return SqlProjectRepository(self._connection)

    @cached_property
    def providers(self) -> SqlProviderRepository:
        return SqlProviderRepository(self._connection)

    @cached_property
    def geo(self) -> SqlGeoRepository:
        return SqlGeoRepository(self._connection)

    @cached_property
    def numbers(self) -> SqlNumberRepository:
        return SqlNumberRepository(self._connection, self._parts.claim_marks)

    @cached_property
    def tally(self) -> SqlNumberTally:
        return SqlNumberTally(self._connection)

    @cached_property
    def zones(self) -> SqlZoneBook:
        return SqlZoneBook(self._connection)

    @cached_property
    def suppressions(self) -> SqlSuppressionRepository:
        return SqlSuppressionRepository(self._connection)

    @cached_property
    def calls(self) -> SqlCallRepository:
        return SqlCallRepository(self._connection)

    @cached_property
    def conversions(self) -> SqlConversionRepository:
        return SqlConversionRepository(self._connection)

    @cached_property
    def registry(self) -> SqlNumberingRanges:
        return SqlNumberingRanges(self._connection)
