"""The stores of texts and prompts keep their contracts, and no quota is oversold however many ask at once."""

import asyncio
from uuid import UUID

import pytest

from core.generation.press import ANNA, Press, an_order
from opora.adapters.sql.connection import Database
from opora.adapters.sql.generation.prompts import SqlPromptViews
from opora.adapters.sql.generation.texts import SqlTextViews, SqlWordLog
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.billing.errors.quotas import QuotaExhausted
from opora.core.generation.model.texts import Mode, Text
from opora.core.kernel.errors import DomainError
from opora.testing.texts import PromptStoreContract, TextStoreContract

pytestmark = pytest.mark.anyio


class TestSqlTexts(TextStoreContract):
    """Texts on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.database = database
        self.views = SqlTextViews(database.read)
        self.log = SqlWordLog(database.read)

    async def outcomes(self, id: UUID) -> list[tuple[str, str | None]]:
        sql = "SELECT outcome, reference FROM generation_attempts WHERE text_id = :id ORDER BY number"
        return [(row["outcome"], row["reference"]) for row in await self.database.read.fetch(sql, id=id)]


class TestSqlPrompts(PromptStoreContract):
    """Prompts on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        async def tampered(sql: str) -> bool:
            try:
                return await database.read.execute(sql) > 0
            except Exception:  # however a store refuses
                return False

        self.unit = unit
        self.views = SqlPromptViews(database.read)
        self.tampered = tampered


async def test_a_thousand_at_once_on_a_quota_of_a_hundred_are_served_a_hundred_times(
    unit: SqlUnitOfWork, database: Database
) -> None:
    press = Press(unit, database)

    async def ask(number: int) -> Text | DomainError:
        try:
            # Some ask the same, so that shared answers are counted as well.
            return await press.ask_for(ANNA, an_order(topic=f"tea {number % 200}", mode=Mode.ASYNC))
        except DomainError as refusal:
            return refusal

    found = await asyncio.gather(*(ask(number) for number in range(1000)))
    served = [one for one in found if isinstance(one, Text)]
    assert len(served) == 100
    assert all(isinstance(one, Text | QuotaExhausted) for one in found)
    assert await press.quota() == (0, 100)
    jobs = await database.read.fetch_value("SELECT count(*) FROM jobs WHERE kind = 'generate.long'")
    for _ in range(jobs):
        await press.write(await press.claim())
    assert await press.quota() == (100, 0)
    assert await database.read.fetch_value("SELECT count(*) FROM quota_holds") == 0
