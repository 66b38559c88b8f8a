"""Where plans and subscriptions are kept, and what is used of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from opora.core.billing.model.plans import Plan
from opora.core.billing.model.quotas import QuotaHold, Usage, Window
from opora.core.billing.model.subscriptions import Subscription
from opora.core.billing.ports.ledger import Ledger
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.notifications.ports.notices import Notices


class PlanViews(ABC):
    """Plans as everybody sees them."""

    @abstractmethod
    async def offered(self) -> Sequence[Plan]:
        """Return the newest terms of every plan on offer, by rank."""

    @abstractmethod
    async def terms(self, code: str, version: int | None = None) -> Plan | None:
        """Return one version of a plan's terms, the newest where none is named; None where there is none."""


class PlanRepository(PlanViews):
    """Plans inside a transaction. The store itself holds that a version of a plan's terms never changes."""

    @abstractmethod
    async def newest(self) -> Sequence[Plan]:
        """Return the newest terms of every plan, on offer or not, by rank; nobody else publishes until the end."""

    @abstractmethod
    async def publish(self, plan: Plan) -> None:
        """Keep a new version of a plan's terms and offer it."""

    @abstractmethod
    async def offer(self, code: str, *, is_offered: bool) -> bool:
        """Offer a plan, or no more; tell False where it was so before. Who is on it stays."""


class SubscriptionViews(ABC):
    """Subscriptions as they are read."""

    @abstractmethod
    async def live(self, user_id: int) -> Subscription | None:
        """Return the subscription that gives somebody their rights."""


class SubscriptionRepository(SubscriptionViews):
    """Subscriptions inside a transaction. The store itself holds that a person has one live one at most."""

    @abstractmethod
    async def live(self, user_id: int) -> Subscription | None:
        """Return the subscription that gives somebody their rights; nobody changes it until the transaction ends.

        Any number of transactions that only read it so go on at once.
        """

    @abstractmethod
    async def locked(self, user_id: int) -> Subscription | None:
        """Return the same for a change: whoever else reads or changes it inside a transaction waits."""

    @abstractmethod
    async def get(self, id: int) -> Subscription | None:
        """Return a subscription, live or not, for a change."""

    @abstractmethod
    async def is_blocked(self, user_id: int) -> bool:
        """Tell whether the person may not come in any more; of whom nothing is known, nothing is held against."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no subscription has and no other call returns."""

    @abstractmethod
    async def add(self, subscription: Subscription) -> None:
        """Keep a new subscription; raises AlreadySubscribed where the person has a live one, also under race."""

    @abstractmethod
    async def save(self, subscription: Subscription) -> None:
        """Replace the version before this one; raises Stale where another is stored."""


class QuotaRepository(ABC):
    """Counters of limits and the holds on them, inside a transaction.

    The store itself holds that no limit's period has more used and held together than the limit allows, whoever asks
    and however many at a time.
    """

    @abstractmethod
    async def hold(self, hold: QuotaHold, window: Window, bound: int | None) -> bool:
        """Set units aside; tell False, and change nothing, where that would pass the bound.

        Waits for whoever is just counting the same limit. A bound that has changed holds from now on; where more than a
        lowered one is used already, that stays and nothing more is given.
        """

    @abstractmethod
    async def end(self, hold_id: str) -> Sequence[QuotaHold]:
        """Take back the holds of this id and return them, in one order for everybody; of many at once one gets them."""

    @abstractmethod
    async def count(self, hold: QuotaHold, used: int, overage: int) -> None:
        """Let go of what an ended hold had set aside, counting what was used of it and beyond it."""

    @abstractmethod
    async def since(self, user_id: int, now: datetime) -> Sequence[Usage]:
        """Return somebody's counters of the periods that `now` lies in, whatever plan they are of."""

    @abstractmethod
    async def of_period(self, hold: QuotaHold) -> Usage | None:
        """Return how the limit's period stands that a hold is on."""


class UsageViews(ABC):
    """What is used of limits, as it is read."""

    @abstractmethod
    async def since(self, user_id: int, now: datetime) -> Sequence[Usage]:
        """Return somebody's counters of the periods that `now` lies in, whatever plan they are of."""


class QuotaTx(Protocol):
    """What a transaction shows in which a quota is held or settled."""

    @property
    def plans(self) -> PlanViews: ...
    @property
    def plan_subscriptions(self) -> SubscriptionRepository: ...
    @property
    def quotas(self) -> QuotaRepository: ...


class PlanTx(Protocol):
    """What a transaction over subscriptions shows."""

    @property
    def plans(self) -> PlanRepository: ...
    @property
    def plan_subscriptions(self) -> SubscriptionRepository: ...
    @property
    def quotas(self) -> QuotaRepository: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
