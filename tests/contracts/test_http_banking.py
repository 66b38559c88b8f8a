"""The bank's system over HTTP keeps its contract: repeated by the rule, bounded, and left alone when it fails."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.http_bank import TOKEN, HttpBank, Serving
from opora.adapters.banking.calls import BankCalls
from opora.adapters.banking.http import HttpCoreBanking, build
from opora.adapters.banking.retries import PASSING, CallPolicy, pause_s, retry_after_s
from opora.core.documents.errors import BadRegister, CoreBankingRefused, CoreBankingUnavailable
from opora.core.documents.model.packets import BadReceipt
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.jobs.model import RetryPolicy
from opora.core.kernel.model import BreakerPolicy
from opora.testing.core_banking import CoreBankingContract, a_consignment, content_of
from servers.processes import HOST, free_port

pytestmark = pytest.mark.anyio

REVIEWED = DocumentStatus.IN_REVIEW
AT_ONCE = CallPolicy(pauses=RetryPolicy(base_s=0.0, cap_s=0.0))


@pytest.fixture(scope="module")
def played() -> HttpBank:
    """The bank."""
    return HttpBank()


@pytest.fixture(scope="module")
def port(played: HttpBank) -> Iterator[int]:
    """Where it is served."""
    serving = Serving(played)
    yield serving.port
    serving.stop()


class TestHttp(CoreBankingContract):
    """The adapter and a bank that it calls."""

    @pytest.fixture(autouse=True)
    async def _bank(self, played: HttpBank, port: int) -> AsyncIterator[None]:
        played.__init__()  # type: ignore[misc]  # a fresh bank behind the same port
        self.played, self.port = played, port
        self.bank = build({"url": f"http://{HOST}:{port}", "token": TOKEN, "step_s": "5"})
        yield
        await self.bank.close()

    def hasty(self, policy: CallPolicy = AT_ONCE, step_s: float = 5.0, **breaker: float) -> HttpCoreBanking:
        """Return an adapter that waits for nothing."""
        client = httpx.AsyncClient(
            base_url=f"http://{HOST}:{self.port}", headers={"authorization": f"Bearer {TOKEN}"}, timeout=step_s
        )
        return HttpCoreBanking(BankCalls(client, policy, BreakerPolicy(**breaker)))  # type: ignore[arg-type]  # numbers

    async def test_a_file_that_the_bank_has_is_not_sent_again(self) -> None:
        await self.bank.submit(a_consignment(), content_of())

        async def never(start: int) -> AsyncIterator[bytes]:
            raise AssertionError("it was opened")

        await self.bank.submit(a_consignment(), never)

    async def test_trouble_that_passes_is_waited_out(self) -> None:
        self.played.says = [(503, {}), (429, {"retry-after": "0"})]
        bank = self.hasty()
        assert await bank.submit(a_consignment(status=REVIEWED), None) is not None
        assert self.played.calls == 3
        await bank.close()

    async def test_a_bank_that_stays_in_trouble_is_unavailable_for_as_long_as_it_says(self) -> None:
        self.played.says = [(503, {"retry-after": "120"})] * 3
        bank = self.hasty()
        with pytest.raises(CoreBankingUnavailable) as refused:
            await bank.submit(a_consignment(status=REVIEWED), None)
        assert (refused.value.retry_after_s, self.played.calls) == (120, 1)
        await bank.close()

    @pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
    async def test_what_the_bank_will_never_take_is_refused_at_once(self, status: int) -> None:
        self.played.says = [(status, {})]
        with pytest.raises(CoreBankingRefused, match=str(status)):
            await self.bank.submit(a_consignment(status=REVIEWED), None)
        assert self.played.calls == 1

    async def test_a_wrong_token_is_our_fault_and_no_packets(self) -> None:
        bank = build({"url": f"http://{HOST}:{self.port}", "token": "wrong"})
        with pytest.raises(CoreBankingUnavailable, match="401"):
            await bank.submit(a_consignment(status=REVIEWED), None)
        await bank.close()

    async def test_a_bank_that_keeps_failing_is_left_alone_and_probed_later(self) -> None:
        now = 0.0
        client = httpx.AsyncClient(
            base_url=f"http://{HOST}:{self.port}", headers={"authorization": f"Bearer {TOKEN}"}, timeout=5
        )
        calls = BankCalls(client, CallPolicy(tries_max=1), BreakerPolicy(failures_max=2, open_s=30), lambda: now)
        self.played.says = [(500, {})] * 2
        for _ in range(2):
            with pytest.raises(CoreBankingUnavailable):
                await calls.call("GET", "/health")
        with pytest.raises(CoreBankingUnavailable) as refused:
            await calls.call("GET", "/health")
        assert (refused.value.retry_after_s, self.played.calls) == (30, 2)
        now = 30.0
        assert (await calls.call("GET", "/health")).is_good
        assert (await calls.call("GET", "/health")).is_good
        await calls.close()

    async def test_a_bank_that_says_nothing_is_given_up_in_its_time(self) -> None:
        self.played.silent_s = 0.5
        bank = self.hasty(CallPolicy(tries_max=1), step_s=0.1)
        with pytest.raises(CoreBankingUnavailable):
            await bank.check()
        await bank.close()
        down = build({"url": f"http://{HOST}:{free_port()}", "tries_max": "1"})
        with pytest.raises(CoreBankingUnavailable):
            await down.check()
        await down.close()

    @pytest.mark.parametrize("receipt", [5, None, {"id": "../x"}, {"id": "good-id", "packet": "none"}])
    async def test_a_receipt_that_cannot_be_read_holds_up_no_other(self, receipt: object) -> None:
        self.played.extra = [receipt]
        await self.bank.submit(a_consignment(status=REVIEWED), None)
        bad, good = await self.bank.receipts(10)
        assert isinstance(bad, BadReceipt)
        assert not isinstance(good, BadReceipt)

    @pytest.mark.parametrize("broken", [{"version": 1}, 7, {"document_id": 1, "version": 1, "status": ""}])
    async def test_a_register_that_cannot_be_read_is_refused(self, broken: object) -> None:
        self.played.holdings[1] = broken  # type: ignore[assignment]  # what a bank may send
        with pytest.raises(BadRegister):
            _ = [one async for one in (await self.bank.register()).holdings]

    async def test_an_endless_answer_is_cut_off(self) -> None:
        self.played.extra = ["x" * 9_000_000]
        with pytest.raises(CoreBankingUnavailable, match="more than"):
            await self.bank.receipts(10)


@pytest.mark.parametrize("url", ["ftp://bank", "https://me:secret@bank", "https://bank/?x=1", "bank"])
def test_an_address_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="token"):
        build({"url": url})


NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("Sat, 21 Nov 2026 05:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 04:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 20, None),
        (None, None),
    ],
)
def test_reads_how_long_to_wait(text: str | None, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds
    assert NOW + timedelta(0) == NOW


@given(
    tries=st.integers(1, 10),
    status=st.sampled_from([None, 200, 400, 404, 408, 429, 500, 503]),
    asked_s=st.none() | st.floats(0, 1000),
    fraction=st.floats(0, 0.999),
)
def test_a_pause_is_never_shorter_than_asked_for_and_never_longer_than_the_bound(
    tries: int, status: int | None, asked_s: float | None, fraction: float
) -> None:
    policy = CallPolicy()
    pause = pause_s(tries, status, asked_s, fraction, policy)
    may_pass = status is None or status in PASSING
    if pause is None:
        assert not may_pass or tries >= policy.tries_max or (asked_s or 0) > policy.pause_max_s
    else:
        assert may_pass and tries < policy.tries_max
        assert (asked_s or 0.0) <= pause <= policy.pause_max_s
