"""What stands outside of the simulated processes and outlives them: a provider of payments, engines, post and files."""

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from dataclasses import replace

from opora.bootstrap.simulation.chance import CALM, Storm
from opora.core.billing.errors.payments import InvalidNotice, ProviderRefused, ProviderUnavailable
from opora.core.billing.model.payments import (
    Heard,
    Order,
    PaymentStatus,
    RefundOrder,
    RefundSnapshot,
    RefundStatus,
    Snapshot,
    WebhookCall,
)
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.documents.model.documents import MediaType
from opora.core.documents.model.files import FileFacts, Received, Verdict
from opora.core.documents.ports.files import FileJudge, Intake, VirusScanner
from opora.core.generation.errors import EngineBusy, EngineRefused, EngineUnavailable
from opora.core.generation.model.engines import Ended, Finish, Said, Usage, Wish
from opora.core.generation.ports.engines import TextEngine
from opora.core.kernel.errors import BlobTooLarge, NoSuchBlob
from opora.core.kernel.model import Blob, BlobName
from opora.core.kernel.ports import BlobStore
from opora.core.notifications.errors import Deferred, Unsure
from opora.core.notifications.model.letters import Letter
from opora.core.notifications.ports.channels import Mailer

DECIDED = (PaymentStatus.SUCCEEDED, PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED)
SENT_BACK = (RefundStatus.SUCCEEDED, RefundStatus.SUCCEEDED, RefundStatus.FAILED)
RARE, OFTEN = 0.1, 0.5


class Weather:
    """The storm as those outside feel it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.storm: Storm = CALM

    def strikes(self) -> bool:
        """Tell whether a call comes to nothing, or its answer is lost."""
        return self.chance.random() < self.storm.failure

    async def pass_time(self) -> None:
        """Let a call take its time."""
        await asyncio.sleep(self.chance.choice((0.0, 0.05, 0.4)))


class Till(PaymentProvider):
    """A provider that makes one thing under a key, decides by itself, and tells of it late, twice or never."""

    name = "till"

    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self.payments: dict[str, Snapshot] = {}
        self._keys: dict[str, str] = {}
        self._refunds: dict[str, str] = {}
        self.notices: list[bytes] = []
        """What it has to tell and has not told yet."""

    async def place(self, order: Order) -> Snapshot:
        await self._called()
        ref = self._keys.setdefault(order.key, f"p{len(self._keys)}")
        if ref not in self.payments:
            money = order.amount
            self.payments[ref] = Snapshot(
                ref=ref,
                status=PaymentStatus.PENDING,
                amount_minor=money.amount_minor,
                currency=money.currency,
                key=order.key,
                confirmation_url="https://till.example/",
            )
        return self._answered(self.payments[ref])

    async def fetch(self, ref: str) -> Snapshot | None:
        await self._called()
        return self._answered(self.payments.get(ref))

    async def refund(self, order: RefundOrder) -> RefundSnapshot:
        await self._called()
        paid = self.payments[order.payment_ref]
        ref = self._refunds.get(order.key)
        if ref is None:
            sent_minor = sum(one.amount_minor for one in paid.refunds if one.status is not RefundStatus.FAILED)
            if sent_minor + order.amount.amount_minor > paid.amount_minor:
                raise ProviderRefused("More is asked back than was paid.")
            ref = self._refunds[order.key] = f"r{len(self._refunds)}"
            minor = order.amount.amount_minor
            made = RefundSnapshot(ref=ref, amount_minor=minor, status=RefundStatus.PENDING, key=order.key)
            self.payments[paid.ref] = replace(paid, refunds=(*paid.refunds, made))
        found = next(one for one in self.payments[paid.ref].refunds if one.ref == ref)
        return self._answered(found)

    async def hear(self, call: WebhookCall) -> Heard:
        try:
            told = json.loads(call.body)
            return Heard(event_id=told["id"], type=told["type"], payment_ref=told["ref"])
        except (ValueError, KeyError) as error:
            raise InvalidNotice from error

    async def check(self) -> str:
        return "the till of a simulation"

    async def close(self) -> None:
        return

    async def _called(self) -> None:
        await self._weather.pass_time()
        if self._weather.strikes():
            raise ProviderUnavailable

    def _answered[T](self, answer: T) -> T:
        if self._weather.strikes():
            raise ProviderUnavailable
        return answer

    def decide(self, *, all_of_them: bool = False) -> None:
        """Let people pay or refuse, and the bank send refunds or take them back; each is told of, maybe twice."""
        chance = self._weather.chance
        for ref, one in self.payments.items():
            if one.status is PaymentStatus.PENDING and (all_of_them or chance.random() < OFTEN):
                self.payments[ref] = replace(one, status=chance.choice(DECIDED))
                self._tell(ref, f"{ref}:decided")
            for place, back in enumerate(one.refunds):
                if back.status is RefundStatus.PENDING and (all_of_them or chance.random() < OFTEN):
                    ended = replace(back, status=chance.choice(SENT_BACK))
                    refunds = [*self.payments[ref].refunds]
                    refunds[place] = ended
                    self.payments[ref] = replace(self.payments[ref], refunds=tuple(refunds))
                    self._tell(ref, f"{ref}:{back.ref}")

    def _tell(self, ref: str, id: str) -> None:
        body = json.dumps({"id": id, "type": "changed", "ref": ref}).encode()
        self.notices += [body] * self._weather.chance.choice((0, 1, 1, 2))

    def take_notice(self) -> bytes | None:
        """Return something to tell, in any order; None where there is nothing."""
        if not self.notices:
            return None
        return self.notices.pop(self._weather.chance.randrange(len(self.notices)))


class Pen(TextEngine):
    """An engine of three words, which is down, busy, breaks off, hangs or refuses as the weather is."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather

    async def write(self, wish: Wish) -> AsyncGenerator[Said | Ended]:
        for word in ("one ", "two ", "three"):
            await self._weather.pass_time()
            if self._weather.strikes():
                await self._fail()
            yield Said(word)
        yield Ended(Finish.STOP, Usage(len(wish.messages), 3), "pen")

    async def _fail(self) -> None:
        fault = self._weather.chance.choice((EngineUnavailable, EngineBusy, EngineRefused, None))
        if fault is None:
            await asyncio.sleep(60.0)  # it hangs for longer than anybody waits
            raise EngineUnavailable
        raise fault

    async def models(self) -> Sequence[str]:
        return ["pen"]

    async def check(self) -> str:
        return "the pen of a simulation"

    async def close(self) -> None:
        return


class Post(Mailer):
    """A postman who asks to come later, or takes a letter and says nothing."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self.taken: Counter[str] = Counter()

    async def send(self, letter: Letter) -> str:
        await self._weather.pass_time()
        if self._weather.strikes():
            raise Deferred
        self.taken[letter.message_id] += 1
        if self._weather.strikes():
            raise Unsure
        return "taken"


class Shelf(BlobStore, Intake):
    """Files in memory, for those taken in and those kept: whole or not at all."""

    def __init__(self) -> None:
        self.kept: dict[BlobName, bytes] = {}

    async def put(self, name: BlobName, content: AsyncIterable[bytes], size_max: int) -> Blob:
        whole = b"".join([part async for part in content])
        if len(whole) > size_max:
            raise BlobTooLarge
        self.kept[name] = whole
        return Blob(name, len(whole), hashlib.sha256(whole).hexdigest())

    async def open(self, name: BlobName, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        if name not in self.kept:
            raise NoSuchBlob
        return _parts(self.kept[name][start : None if length is None else start + length])

    async def size(self, name: BlobName) -> int | None:
        return len(self.kept[name]) if name in self.kept else None

    async def delete(self, name: BlobName) -> bool:
        return self.kept.pop(name, None) is not None

    async def names(self, folder: str) -> AsyncIterator[BlobName]:
        for name in list(self.kept):
            if name.folder == folder:
                yield name

    async def receive(self, content: AsyncIterable[bytes], size_max: int) -> Received:
        whole = b"".join([part async for part in content])
        if len(whole) > size_max:
            raise BlobTooLarge
        return paper(whole)

    def content(self, received: Received) -> AsyncIterator[bytes]:
        return _parts(received.place.encode())

    async def discard(self, received: Received) -> None:  # noqa: ARG002  # the port's
        return

    async def sweep(self, older_than_s: float) -> int:  # noqa: ARG002  # both ports'
        return 0


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    yield content


def paper(content: bytes) -> Received:
    """Return a file that was taken in: its place is its content."""
    return Received(place=content.decode(), size=len(content), sha256=hashlib.sha256(content).hexdigest())


class Reader(FileJudge, VirusScanner):
    """Takes every paper for a clean PDF of one page."""

    async def examine(self, received: Received) -> FileFacts:
        return FileFacts(media_type=MediaType.PDF, pages=1, text=received.place)

    async def scan(self, content: AsyncIterable[bytes]) -> Verdict:
        async for _ in content:
            pass
        return Verdict(is_clean=True)
