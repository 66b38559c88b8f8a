"""The repositories of text generation and prompts."""

from functools import cached_property

from opora.adapters.sql.generation.prompts import SqlPromptRepository
from opora.adapters.sql.generation.texts import SqlTextRepository
from opora.adapters.sql.repositories import Repositories


class GenerationRepositories(Repositories):
    """Rows of text generation and prompts inside one transaction."""

    @cached_property
    def texts(self) -> SqlTextRepository:
        return SqlTextRepository(self._connection)

    @cached_property
    def prompts(self) -> SqlPromptRepository:
        return SqlPromptRepository(self._connection)
