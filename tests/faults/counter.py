"""What else a forked process does than work: it pays as the API does, hears one notice, or holds a quota."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from dishka import AsyncContainer

from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.settings import Settings
from opora.core.billing.errors.quotas import QuotaExhausted
from opora.core.billing.model.payments import PaymentStatus, WebhookCall
from opora.core.billing.usecases.paying import MakePayment
from opora.core.billing.usecases.quotas import Quotas
from opora.core.billing.usecases.settling import ConfirmPayment, ReceiveNotice
from opora.core.kernel.errors import AnswerLost, Conflict
from opora.core.kernel.model import Actor, IdempotentCall, Money, StoredAnswer
from opora.core.kernel.ports import IdempotentCalls
from opora.core.kernel.rules import webhook_key, webhook_signature

PAYER, AT_ONCE = 1, 4
AMOUNT = Money(1_000, "RUB")

type Errand = Callable[[AsyncContainer, Settings, int], Coroutine[object, object, None]]


async def pay(program: AsyncContainer, settings: Settings, count: int) -> None:
    """Make so many payments and have them confirmed, each under a key that later processes use again."""
    del settings
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            await ordered(program, number)

    await asyncio.gather(*(one(number) for number in range(count)))


async def ordered(program: AsyncContainer, number: int) -> None:
    """Make a payment as the edge does: claimed under its key, answered with its effect, or the first answer again."""
    calls = await program.get(IdempotentCalls)
    call = IdempotentCall(f"user:{PAYER}", f"pay-{number}", b"asked")
    try:
        started = await calls.open(call)
    except AnswerLost:
        return
    except Conflict:  # whoever was killed in its middle still has its lease
        return
    if isinstance(started, StoredAnswer):
        return
    payment = await (await program.get(MakePayment))(Actor(user_id=PAYER), AMOUNT, call.key, "")
    await calls.settle(started, StoredAnswer(201, (), str(payment.id).encode()))
    if payment.confirmation_url is not None:
        token = payment.confirmation_url.rpartition("/")[2]
        await (await program.get(ConfirmPayment))(token, PaymentStatus.SUCCEEDED)


async def hear(program: AsyncContainer, settings: Settings, payment_id: int) -> None:
    """Take one and the same notice of a payment many times at once."""
    receive = await program.get(ReceiveNotice)
    body = json.dumps({"type": "payment.succeeded", "data": {"payment_id": payment_id}}).encode()
    now = datetime.now(UTC)
    stamp = int(now.timestamp())
    headers = {
        "webhook-id": "evt-once",
        "webhook-timestamp": str(stamp),
        "webhook-signature": webhook_signature(webhook_key(settings.payments_secret), "evt-once", stamp, body),
    }
    call = WebhookCall(headers=headers, body=body, address="127.0.0.1", at=now)
    await asyncio.gather(*(receive(call) for _ in range(10)))


async def hold(program: AsyncContainer, settings: Settings, count: int) -> None:
    """Ask so many times at once for one request of the free plan's hundred."""
    del settings
    unit, quotas = await program.get(SqlUnitOfWork), await program.get(Quotas)
    now = datetime.now(UTC)

    async def one(number: int) -> None:
        try:
            async with unit() as tx:
                await quotas.hold(tx, PAYER, {"generate.requests": 1}, f"{id(program)}:{now.timestamp()}:{number}", now)
        except QuotaExhausted:
            return

    await asyncio.gather(*(one(number) for number in range(count)))


ERRANDS: dict[str, Errand] = {"pay": pay, "hear": hear, "hold": hold}
