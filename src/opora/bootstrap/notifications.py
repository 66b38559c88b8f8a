"""Wires letters, messages and what carries them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.crypto.unsubscribing import SignedUnsubscribing
from opora.adapters.mail.folder import FolderMailer
from opora.adapters.mail.smtp import SmtpMailer
from opora.adapters.mail.texts import FolderTexter
from opora.adapters.memory.live import LocalLive
from opora.adapters.outbound.addresses import Addresses, CheckedDestinations
from opora.adapters.outbound.client import OutboundClient
from opora.adapters.outbound.sms import TwilioTexter
from opora.adapters.outbound.webhooks import SignedWebhooks
from opora.adapters.outbound.webpush import EncryptedPush
from opora.adapters.sql.connection import Database
from opora.adapters.sql.notifications.inbox import SqlInboxViews
from opora.adapters.sql.notifications.recipients import SqlRecipients
from opora.adapters.sql.notifications.reports import SqlDeliveryViews, SqlNoticeHousekeeping
from opora.adapters.sql.personal import SqlNotificationRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.templates.wording import JinjaTemplates
from opora.bootstrap.context import Context
from opora.bootstrap.limits import SharedStore
from opora.bootstrap.secrets import hkdf
from opora.bootstrap.settings import Settings
from opora.core.access.ports.tickets import TicketTx
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.notifications import usecases
from opora.core.notifications.model.deliveries import DELIVER, DIGEST, FIRE, TIDY
from opora.core.notifications.ports.channels import (
    Destinations,
    Live,
    Mailer,
    Pusher,
    Templates,
    Texter,
    Unsubscribing,
    WebhookSender,
)
from opora.core.notifications.ports.notices import DeliveryTx, DeliveryViews, NoticeHousekeeping, NoticeTx
from opora.core.notifications.ports.people import InboxViews, Recipients
from opora.core.notifications.usecases.carrying import MailPolicy
from opora.core.notifications.usecases.delivering import Deliver
from opora.core.notifications.usecases.firing import FireNotice
from opora.core.notifications.usecases.gathering import GatherDigest, NoticePolicy, TidyNotices

LETTERS, MESSAGES = "mail", "sms"
VAPID_SEED_BYTES = 48
TIDY_EVERY = timedelta(minutes=15)


class Notifications(Provider):
    """The engine of notices and its channels."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> UnitOfWork[DeliveryTx]:
        return unit

    @provide
    def plain_unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[NoticeTx], UnitOfWork[TicketTx]]:
        return unit

    @provide
    def recipients(self, database: Database) -> Recipients:
        return SqlRecipients(database.read)

    @provide
    def inbox(self, database: Database) -> InboxViews:
        return SqlInboxViews(database.read)

    @provide
    def deliveries(self, database: Database) -> DeliveryViews:
        return SqlDeliveryViews(database.read)

    @provide
    def housekeeping(self, database: Database) -> NoticeHousekeeping:
        return SqlNoticeHousekeeping(database.read)

    @provide
    def policy(self) -> NoticePolicy:
        return NoticePolicy(timedelta(days=self._settings.notification_retention_days))

    @provide
    async def live(self, shared: SharedStore) -> AsyncIterator[Live]:
        if shared.redis is None:
            yield LocalLive()
            return
        from opora.adapters.redis.live import RedisLive  # noqa: PLC0415  # redis-py takes 5 MB

        live = RedisLive(shared.redis, self._settings.redis_url, f"{self._settings.redis_prefix}:live")
        yield live
        await live.close()


class Channels(Provider):
    """What carries notices out of the house."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def templates(self) -> Templates:
        return JinjaTemplates(self._settings.base_url)

    @provide
    def mail_policy(self) -> MailPolicy:
        host = self._settings.mail_from.rpartition("@")[2]
        return MailPolicy(host, f"{self._settings.base_url}/api/v1/notifications/unsubscribe")

    @provide
    def unsubscribing(self) -> Unsubscribing:
        return SignedUnsubscribing(hkdf(self._settings.secret_key, "unsubscribing"))

    @provide
    def mailer(self, clock: Clock) -> Mailer:
        told = self._settings
        if told.smtp_url:
            return SmtpMailer(told.smtp_url, told.mail_from, told.mail_from_name, clock)
        return FolderMailer(Path(told.home) / LETTERS, told.mail_from, told.mail_from_name, clock)

    @provide
    async def texter(self, clock: Clock) -> AsyncIterator[Texter]:
        if not self._settings.sms_url:
            yield FolderTexter(Path(self._settings.home) / MESSAGES, clock)
            return
        client = OutboundClient(None)
        yield TwilioTexter(client, self._settings.sms_url)
        await client.close()

    @provide
    def addresses(self) -> Addresses:
        return Addresses(self._settings.outbound_networks)

    @provide
    def destinations(self, addresses: Addresses) -> Destinations:
        return CheckedDestinations(addresses)

    @provide
    async def client(self, addresses: Addresses) -> AsyncIterator[OutboundClient]:
        client = OutboundClient(addresses)
        yield client
        await client.close()

    @provide
    def pusher(self, client: OutboundClient, clock: Clock) -> Pusher:
        seed = hkdf(self._settings.secret_key, "vapid", VAPID_SEED_BYTES)
        return EncryptedPush(client, seed, f"mailto:{self._settings.mail_from}", clock)

    @provide
    def sender(self, client: OutboundClient, clock: Clock) -> WebhookSender:
        return SignedWebhooks(client, hkdf(self._settings.secret_key, "webhooks"), clock)


def providers(settings: Settings) -> list[Provider]:
    """Every provider of notices."""
    return [Notifications(settings), Channels(settings)]


def slots(_: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [CronSlot("tidy-notices", TIDY, TIDY_EVERY)]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={FIRE: FireNotice, DELIVER: Deliver, DIGEST: GatherDigest, TIDY: TidyNotices},
    slots=slots,
    personal=[SqlNotificationRecords],
)
