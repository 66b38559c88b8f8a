"""Phone numbers and campaigns."""

from typing import Annotated

from opora.bootstrap.settings.about import about
from opora.bootstrap.settings.banking import BankingSettings


class NumberSettings(BankingSettings, frozen=True, kw_only=True):
    """How numbers are read, how long a claim holds, and how often campaigns are counted."""

    # --- phone numbers and campaigns
    phone_region: Annotated[
        str,
        about("numbers", "The country, by its ISO 3166 code, of numbers written without one.", form="country"),
    ] = "RU"
    call_lease_s: Annotated[
        int,
        about("numbers", "Seconds a claimed number is its caller's; longer than a call takes.", ge=30, le=86_400),
    ] = 900
    sweep_calls_s: Annotated[
        int, about("numbers", "Seconds between sweeps for claims and calls that nobody ended.", ge=1, le=86_400)
    ] = 60
    fold_counts_s: Annotated[
        int, about("numbers", "Seconds between folds of the changes of counts.", ge=1, le=86_400)
    ] = 60
    conversion_fresh_s: Annotated[
        int, about("numbers", "Seconds after which a project's figures are counted anew.", ge=60, le=604_800)
    ] = 3600
    call_event_retention_days: Annotated[
        int, about("numbers", "Days the events of calls are kept; calls and results stay.", ge=1, le=3650)
    ] = 365
    number_partitions: Annotated[
        int,
        about(
            "numbers",
            "Parts of the table of numbers, by project, that `opora numbers partition` makes; 0 is whole.",
            ge=0,
            le=64,
        ),
    ] = 0
