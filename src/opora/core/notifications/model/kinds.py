"""Every kind of notice, each declared by the context whose facts it tells.

A kind has a template of its name in each language (`adapters/templates/notices/{ru,en}`); a test holds both to the
variables declared here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Channel(StrEnum):
    """A way a notice reaches somebody; `inbox` is the list in the API with its WebSocket and event stream."""

    EMAIL = "email"
    SMS = "sms"
    WEBPUSH = "webpush"
    INBOX = "inbox"
    WEBHOOK = "webhook"


EVERY_WAY = (Channel.EMAIL, Channel.INBOX, Channel.WEBPUSH, Channel.WEBHOOK)
"""The channels of a common notice; SMS costs money and is asked for by name."""

SECRET_CHANNELS = frozenset({Channel.EMAIL, Channel.SMS})
"""Where a secret may go: straight to the person, and is kept nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of notice: `variables` are the names of its data, `secrets` of its sealed texts.

    `facts` name data that programs are told and that no words are made of. `channels` are those it uses unless the
    person prefers otherwise, of the `offered` ones. A `mandatory` kind (a security letter, a receipt) heeds neither
    preferences nor quiet hours. A `transactional` one answers what the person agreed to: preferences may turn it off,
    the click of a mail program that unsubscribes may not. `relevance` names the check that is asked before it leaves
    (`bookings.reminder_relevance`); past `late_max` after its time it is not sent any more. `attachment` names what
    makes the files that go with its letter.

    Variables named `…_url` are links; those named `…_at` are instants in RFC 3339, and where the fact `timezone` names
    the zone of a place they are told by the clock there too.
    """

    name: str
    variables: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    channels: tuple[Channel, ...] = EVERY_WAY
    offered: tuple[Channel, ...] = tuple(Channel)
    mandatory: bool = False
    transactional: bool = False
    relevance: str | None = None
    late_max: timedelta | None = None
    attachment: str | None = None

    def __post_init__(self) -> None:
        if self.secrets and not SECRET_CHANNELS.issuperset({*self.channels, *self.offered}):
            raise ValueError(f"{self.name} holds a secret and goes by e-mail or SMS alone")
        if not set(self.channels) <= set(self.offered):
            raise ValueError(f"{self.name} uses a channel that it does not offer")
        if self.variables & self.secrets or self.facts & (self.variables | self.secrets):
            raise ValueError(f"{self.name} declares a variable twice")

    @property
    def ends_by_click(self) -> bool:
        """Tell whether its letters can be ended from within a mail program (RFC 8058)."""
        return not (self.mandatory or self.transactional)


def kind(
    name: str, *variables: str, secrets: tuple[str, ...] = (), facts: tuple[str, ...] = (), **rest: object
) -> Kind:
    """Declare a kind; one with secrets goes by e-mail and is offered by no other channel, unless it says otherwise."""
    if secrets:
        rest = {"channels": (Channel.EMAIL,)} | rest
        rest = {"offered": rest["channels"]} | rest
    named = {"variables": frozenset(variables), "secrets": frozenset(secrets), "facts": frozenset(facts)}
    return Kind(name=name, **named, **rest)  # type: ignore[arg-type]


NOTIFICATIONS = (
    kind("notifications.trial", "sent_at"),
    kind("notifications.digest", "items", "items_count", channels=(Channel.EMAIL,), offered=(Channel.EMAIL,)),
)

_WITH_TOKEN = ("page_url", "expires_at")
_OF_ACCESS = ("address", "device", "happened_at")

ACCESS = (
    kind("access.welcome", *_WITH_TOKEN, secrets=("token",), mandatory=True),
    kind("access.verify_email", *_WITH_TOKEN, secrets=("token",), mandatory=True),
    kind("access.reset_password", *_WITH_TOKEN, secrets=("token",), mandatory=True),
    kind("access.address_taken", "address", "happened_at", mandatory=True),
    kind("access.password_changed", *_OF_ACCESS, mandatory=True),
    kind("access.new_device", *_OF_ACCESS, mandatory=True),
    kind("access.session_stolen", *_OF_ACCESS, mandatory=True),
    kind("access.second_factor_added", *_OF_ACCESS, mandatory=True),
    kind("access.second_factor_removed", *_OF_ACCESS, mandatory=True),
)

_PAID = ("payment_id", "amount_minor", "currency")

BILLING: tuple[Kind, ...] = (
    kind("billing.payment_succeeded", *_PAID, mandatory=True),
    kind("billing.payment_cancelled", *_PAID),
    kind("billing.refunded", *_PAID, mandatory=True),
    kind("billing.refund_failed", *_PAID, mandatory=True),
)

INVITATIONS = "bookings.invitations"
"""What makes the calendar files of a letter about appointments."""
STILL_STANDS = "bookings.reminder_relevance"
"""The check whether a reminder still tells of an appointment at its time."""


def _appointment(name: str, *more: str, **rest: object) -> Kind:
    """Declare a kind that tells of appointments: the words are about the first of `appointment_ids`."""
    facts = ("appointment_ids", "timezone")
    return kind(name, "service", "staff", "starts_at", *more, facts=facts, **rest)  # type: ignore[arg-type]


def _answer(name: str, *more: str) -> Kind:
    """Declare the answer to what was done about appointments, with their calendar files."""
    return _appointment(name, *more, "further_count", transactional=True, attachment=INVITATIONS)


_PLAN = ("plan_en", "plan_ru")

PLANS = (
    kind("billing.subscribed", *_PLAN, "charged_minor", "currency", "renews_at"),
    kind("billing.upgraded", *_PLAN, "charged_minor", "currency", "renews_at"),
    kind("billing.renewed", *_PLAN, "charged_minor", "currency", "renews_at"),
    kind("billing.payment_failed", *_PLAN, "owed_minor", "currency", "grace_until_at", mandatory=True),
    kind("billing.cancelled", *_PLAN, "refunded_minor", "currency"),
    kind("billing.expired", *_PLAN, mandatory=True),
)

BOOKINGS = (
    _answer("bookings.requested"),
    _answer("bookings.confirmed"),
    _appointment("bookings.reminder_day", late_max=timedelta(hours=20), relevance=STILL_STANDS),
    _appointment("bookings.reminder_hour", late_max=timedelta(minutes=50), relevance=STILL_STANDS),
    _answer("bookings.moved", "was_at"),
    _answer("bookings.cancelled", "fee_minor", "currency"),
    _appointment("bookings.offered", "kept_minutes", transactional=True),
)

DOCUMENTS: tuple[Kind, ...] = (
    kind("documents.status_changed", "document_id", "description", "status", "comment", transactional=True),
    kind("documents.overdue", "document_id", "description", "due_on"),
    kind("documents.delayed", "document_id", "description", "due_on"),
)

BANKING: tuple[Kind, ...] = ()

GENERATION: tuple[Kind, ...] = (
    kind("generation.completed", "function", "task_id", "opening"),
    kind("generation.failed", "function", "task_id", "detail"),
)

NUMBERS: tuple[Kind, ...] = ()

PROFILES: tuple[Kind, ...] = ()

KINDS: Mapping[str, Kind] = {
    one.name: one
    for group in (
        NOTIFICATIONS,
        ACCESS,
        BILLING,
        PLANS,
        BOOKINGS,
        DOCUMENTS,
        BANKING,
        GENERATION,
        NUMBERS,
        PROFILES,
    )
    for one in group
}
"""Every kind by its name."""
