"""How one notice leaves by each channel."""

from collections.abc import Mapping
from dataclasses import dataclass

from opora.core.kernel.ports import UnitOfWork
from opora.core.kernel.rules import instant
from opora.core.notifications.errors import TargetGone
from opora.core.notifications.model.deliveries import Delivery
from opora.core.notifications.model.kinds import KINDS, Channel
from opora.core.notifications.model.letters import (
    Attachment,
    Letter,
    PushMessage,
    Recipient,
    TextMessage,
    WebhookCall,
)
from opora.core.notifications.model.notices import KeptNotice
from opora.core.notifications.ports.channels import (
    Attachments,
    Mailer,
    Pusher,
    Templates,
    Texter,
    Unsubscribing,
    WebhookSender,
)
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.rules import delivering as rules
from opora.core.notifications.usecases.firing import worded


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """The name that Message-IDs end in, and the address that the tokens which end letters are appended to."""

    host: str
    unsubscribe_url: str


@dataclass(frozen=True, slots=True)
class AttachmentMakers:
    """What makes the files that kinds of notices name, by their names."""

    makers: Mapping[str, Attachments]

    async def of(self, notice: KeptNotice) -> tuple[Attachment, ...]:
        """Return the files that go with a letter of the notice."""
        name = KINDS[notice.kind].attachment
        return () if name is None else tuple(await self.makers[name](notice))


@dataclass(frozen=True, slots=True)
class CarryNotice:
    """Send one delivery by its channel, in the words and to the place that stand now."""

    unit: UnitOfWork[DeliveryTx]
    templates: Templates
    mailer: Mailer
    texter: Texter
    pusher: Pusher
    sender: WebhookSender
    attachments: AttachmentMakers
    unsubscribing: Unsubscribing
    policy: MailPolicy

    async def __call__(self, delivery: Delivery, notice: KeptNotice, recipient: Recipient) -> str:
        """Return what the other side answered; raises Deferred, Refused, TargetGone or Unsure."""
        match delivery.channel:
            case Channel.EMAIL:
                return await self.mailer.send(await self._letter(delivery, notice, recipient))
            case Channel.SMS:
                words = worded(self.templates, notice, recipient)
                return await self.texter.send(TextMessage(id=str(delivery.id), to=delivery.target, text=words.short))
            case Channel.WEBPUSH:
                return await self._push(delivery, notice, recipient)
            case Channel.WEBHOOK:
                return await self._call(delivery, notice)
            case _:
                raise TargetGone("the list takes no deliveries")

    async def _letter(self, delivery: Delivery, notice: KeptNotice, recipient: Recipient) -> Letter:
        words = worded(self.templates, notice, recipient)
        return Letter(
            message_id=rules.message_id(delivery.id, self.policy.host),
            to=delivery.target,
            subject=words.subject,
            text=words.text,
            html=words.html,
            headers=self._headers(notice),
            attachments=await self.attachments.of(notice),
        )

    def _headers(self, notice: KeptNotice) -> Mapping[str, str]:
        """Name what ends such letters by one click (RFC 8058), where they may be ended."""
        headers = {"Auto-Submitted": "auto-generated"}
        if notice.user_id is not None and KINDS[notice.kind].ends_by_click:
            url = f"{self.policy.unsubscribe_url}/{self.unsubscribing.token(notice.user_id, notice.kind)}"
            headers["List-Unsubscribe"] = f"<{url}>"
            if url.startswith("https://"):  # the standard knows no other scheme
                headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers

    async def _push(self, delivery: Delivery, notice: KeptNotice, recipient: Recipient) -> str:
        async with self.unit() as tx:
            subscription = await tx.subscriptions.get(int(delivery.target))
        if subscription is None or subscription.user_id != notice.user_id:
            raise TargetGone("the subscription was removed")
        words = worded(self.templates, notice, recipient)
        body = {"id": str(delivery.id), "kind": notice.kind, "title": words.subject, "body": words.short}
        kind = KINDS[notice.kind]
        return await self.pusher.send(
            PushMessage(subscription=subscription, body=body, topic=notice.id.hex, is_urgent=kind.mandatory)
        )

    async def _call(self, delivery: Delivery, notice: KeptNotice) -> str:
        async with self.unit() as tx:
            endpoint = await tx.endpoints.get(int(delivery.target))
        if endpoint is None or not endpoint.is_active or endpoint.user_id != notice.user_id:
            raise TargetGone("the endpoint was removed")
        body = {"type": notice.kind, "timestamp": instant(notice.fire_at), "data": dict(notice.data)}
        return await self.sender.send(WebhookCall(endpoint=endpoint, id=f"msg_{delivery.id.hex}", body=body))


USE_CASES = (CarryNotice,)
