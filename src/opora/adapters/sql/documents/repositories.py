"""The repositories of bank documents."""

from functools import cached_property

from opora.adapters.sql.documents.documents import SqlDocumentRepository
from opora.adapters.sql.documents.reference import SqlCategoryRepository, SqlClientRepository
from opora.adapters.sql.repositories import Repositories


class DocumentRepositories(Repositories):
    """Rows of bank documents inside one transaction."""

    @cached_property
    def documents(self) -> SqlDocumentRepository:
        return SqlDocumentRepository(self._connection)

    @cached_property
    def categories(self) -> SqlCategoryRepository:
        return SqlCategoryRepository(self._connection)

    @cached_property
    def clients(self) -> SqlClientRepository:
        return SqlClientRepository(self._connection)
