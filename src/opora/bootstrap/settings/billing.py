"""Plans, the ledger and payments."""

from typing import Annotated

from opora.bootstrap.settings.about import Names, about
from opora.bootstrap.settings.bookings import BookingSettings


class BillingSettings(BookingSettings, frozen=True, kw_only=True):
    """The part of the settings that `billing` reads."""

    upgrade_url: Annotated[
        str,
        about(
            "billing",
            "The page where a plan is chosen; whoever asks for more than theirs includes is told it.",
            form="http_url",
            default="the list of plans under `OPORA_BASE_URL`",
        ),
    ] = ""
    # --- plans and payments
    payment_currencies: Annotated[
        Names,
        about("billing", "Currencies that are paid in, by ISO 4217; the first is that of a balance.", form="currency"),
    ] = ("RUB", "USD", "EUR")
    payment_min_minor: Annotated[
        int, about("billing", "The least that is paid in at once, in minor units.", ge=1, le=10**12)
    ] = 100
    payment_max_minor: Annotated[
        int, about("billing", "The most that is paid in at once, in minor units.", ge=1, le=10**12)
    ] = 100_000_000
    payment_return_url: Annotated[
        str,
        about(
            "billing",
            "Where the provider leads people after paying, unless the payment says otherwise. Empty: the service.",
            form="http_url",
        ),
    ] = ""
    payment_reconcile_s: Annotated[
        int, about("billing", "Seconds between looks for payments the provider is to be asked about.", ge=1, le=86_400)
    ] = 15
    payment_notice_retention_days: Annotated[
        int, about("billing", "Days the provider's notices are kept.", ge=1, le=3650)
    ] = 90
    plan_grace_days: Annotated[
        int,
        about("billing", "Days that an unpaid subscription keeps its rights.", ge=0, le=60),
    ] = 3
