"""The adapters of the bank's system keep their contract."""

from pathlib import Path

import pytest

from opora.adapters.banking.faults import FaultScript
from opora.adapters.banking.local import LocalCoreBanking, build
from opora.core.documents.errors import CoreBankingRefused, CoreBankingUnavailable
from opora.core.documents.model.packets import BadReceipt, Receipt, Verdict
from opora.core.documents.model.statuses import DocumentStatus
from opora.testing.core_banking import CoreBankingContract, a_consignment, content_of

pytestmark = pytest.mark.anyio

REVIEWED = DocumentStatus.IN_REVIEW


class TestLocal(CoreBankingContract):
    """The embedded stand-in, and the faults it commits when it is told to."""

    @pytest.fixture(autouse=True)
    def _bank(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "abs"
        self.bank = build({"folder": str(self.folder)})

    def told_to(self, faults: str) -> LocalCoreBanking:
        """Return the stand-in of this test under a script."""
        return LocalCoreBanking(self.folder, faults=faults)

    async def test_answers_only_after_its_time(self) -> None:
        now = 1000.0
        bank = LocalCoreBanking(self.folder, answer_after_s=60, clock=lambda: now)
        await bank.submit(a_consignment(status=REVIEWED), None)
        assert await bank.receipts(10) == []
        now += 60
        assert len(await bank.receipts(10)) == 1

    async def test_is_down_as_often_as_the_script_says_in_whichever_process(self) -> None:
        told = a_consignment(status=REVIEWED)
        for _ in range(2):
            with pytest.raises(CoreBankingUnavailable):
                await self.told_to("submit:down*2").submit(told, None)
        assert await self.told_to("submit:down*2").submit(told, None) == f"ABS-{told.document_id:010d}"

    async def test_a_lost_answer_leaves_the_packet_taken_once(self) -> None:
        told, bank = a_consignment(), self.told_to("submit:lost")
        with pytest.raises(CoreBankingUnavailable):
            await bank.submit(told, content_of())
        await bank.submit(told, content_of())
        assert len(await self.receipts_of(told.key)) == 1

    async def test_refuses_and_rejects_as_it_is_told(self) -> None:
        told, bank = a_consignment(status=REVIEWED), self.told_to("submit:refuse,submit:reject")
        with pytest.raises(CoreBankingRefused):
            await bank.submit(told, None)
        await bank.submit(told, None)
        (receipt,) = await self.receipts_of(told.key)
        assert receipt.verdict is Verdict.REJECTED
        assert await self.held(told.document_id) is None

    async def test_sends_a_receipt_twice_one_for_nobody_and_one_that_cannot_be_read(self) -> None:
        bank = self.told_to("receipts:ok,receipts:twice,receipts:stranger,receipts:garbled,receipts:down")
        await bank.submit(a_consignment(status=REVIEWED), None)
        (first,) = await bank.receipts(10)
        assert await bank.receipts(10) == [first, first]
        await bank.settle([first.id])
        (stranger,) = await bank.receipts(10)
        assert isinstance(stranger, Receipt)
        assert stranger.packet == "999999999.1"
        assert isinstance((await bank.receipts(10))[1], BadReceipt)
        with pytest.raises(CoreBankingUnavailable):
            await bank.receipts(10)

    @pytest.mark.parametrize(
        ("fault", "statuses"), [("miss", ["in_review"]), ("differ", ["lost", "in_review"]), ("ok", ["in_review"] * 2)]
    )
    async def test_its_register_misses_or_differs_in_the_first_document(self, fault: str, statuses: list[str]) -> None:
        bank = self.told_to(f"register:{fault}")
        for _ in range(2):
            await bank.submit(a_consignment(status=REVIEWED), None)
        assert [one.status async for one in (await bank.register()).holdings] == statuses

    async def test_its_register_may_be_in_disorder_or_not_come(self) -> None:
        bank = self.told_to("register:disorder,register:down")
        for _ in range(2):
            await bank.submit(a_consignment(status=REVIEWED), None)
        ids = [one.document_id async for one in (await bank.register()).holdings]
        assert ids == sorted(ids, reverse=True)
        with pytest.raises(CoreBankingUnavailable):
            await bank.register()

    async def test_a_folder_that_cannot_be_written_is_a_bank_that_does_not_answer(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(CoreBankingUnavailable):
            await LocalCoreBanking(tmp_path / "file").check()


@pytest.mark.parametrize("text", ["submit", "submit:burn", "post:down", "submit:down*x", "submit:down*99999"])
def test_a_script_that_cannot_be_read_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="submit:down"):
        FaultScript(text)
