"""The repositories of notices and their deliveries."""

from functools import cached_property

from opora.adapters.sql.notifications.deliveries import SqlDeliveries
from opora.adapters.sql.notifications.digests import SqlDigestItems
from opora.adapters.sql.notifications.inbox import SqlInbox
from opora.adapters.sql.notifications.notices import SqlNotices
from opora.adapters.sql.notifications.places import SqlPushSubscriptions, SqlWebhookEndpoints
from opora.adapters.sql.notifications.preferences import SqlPreferences
from opora.adapters.sql.notifications.tickets import SqlStreamTickets
from opora.adapters.sql.repositories import Repositories


class NotificationRepositories(Repositories):
    """Rows of notices and their deliveries inside one transaction."""

    @cached_property
    def notices(self) -> SqlNotices:
        return SqlNotices(self._connection, self.jobs, self._parts.identifiers, self._parts.seal)

    @cached_property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self._connection)

    @cached_property
    def inbox(self) -> SqlInbox:
        return SqlInbox(self._connection)

    @cached_property
    def preferences(self) -> SqlPreferences:
        return SqlPreferences(self._connection)

    @cached_property
    def digests(self) -> SqlDigestItems:
        return SqlDigestItems(self._connection)

    @cached_property
    def subscriptions(self) -> SqlPushSubscriptions:
        return SqlPushSubscriptions(self._connection)

    @cached_property
    def endpoints(self) -> SqlWebhookEndpoints:
        return SqlWebhookEndpoints(self._connection, self._parts.seal)

    @cached_property
    def stream_tickets(self) -> SqlStreamTickets:
        return SqlStreamTickets(self._connection)
