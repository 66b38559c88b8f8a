"""What every list of numbers must hold besides."""

from dataclasses import replace
from datetime import datetime

from opora.core.kernel.model import PageRequest
from opora.core.numbers.model.numbers import NumberFilter, NumberStatus
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.testing.numbers import FIRST_PHONE, HOUR, NOON, NumberStoreContract, new_numbers


class NumberListContract(NumberStoreContract):
    """What a store holds whose lists go by age; a subclass sets `unit` and `views` before each test."""

    async def test_a_list_by_age_goes_on_from_where_it_was_whatever_the_order_of_ids(self) -> None:
        mine, other = await self.project(), await self.project()
        made: list[tuple[datetime, int]] = []
        for turn, hours in enumerate((3, 1, 2, 0, 1)):
            at = NOON + hours * HOUR
            for project in (mine, other):
                async with self.unit() as tx:
                    numbers = new_numbers(2, FIRST_PHONE + turn * 10)
                    added = await tx.numbers.add(project, numbers, at)
                made += [(at, id) for id in added.ids.values()]
        newest = [id for _, id in sorted(made, reverse=True)]
        assert await self.listed() == newest
        for low, high in ((1, 2), (0, 9), (3, 4), (4, 9), (0, 0)):
            after, before = NOON + low * HOUR, NOON + high * HOUR
            wanted = NumberFilter(created_after=after, created_before=before)
            expected = [id for at, id in sorted(made, reverse=True) if after <= at < before]
            assert await self.listed(wanted) == expected
            page = await self.views.page(EVERY_PROJECT, wanted, PageRequest(1))
            assert (page.count, page.count_exact) == (len(expected), True)
            success = replace(wanted, project_id=mine, status=NumberStatus.SUCCESS)
            assert await self.listed(success) == []
