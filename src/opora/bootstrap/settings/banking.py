"""What goes between documents and the core banking system."""

from typing import Annotated

from opora.bootstrap.settings.about import about
from opora.bootstrap.settings.documents import DocumentSettings


class BankingSettings(DocumentSettings, frozen=True, kw_only=True):
    """How the bank's own system is told of documents and asked for receipts, and who looks for viruses."""

    # --- the bank's systems
    antivirus_url: Annotated[
        str,
        about(
            "documents",
            "ClamAV's daemon, `clamd://host:3310` or `clamd:///path/of/a/socket`. Empty: only the test file of EICAR "
            "is known.",
            form="clamd_url",
        ),
    ] = ""
    abs_poll_s: Annotated[
        int, about("documents", "Seconds between looks for receipts of the core banking system.", ge=1, le=86_400)
    ] = 15
    abs_attempts_max: Annotated[
        int,
        about("documents", "Attempts at handing a packet over before it waits for an operator.", ge=1, le=100),
    ] = 20
    abs_silence_h: Annotated[
        int,
        about("documents", "Hours the bank may leave a packet unanswered before it has a ticket.", ge=1, le=8760),
    ] = 24
    abs_reconcile_s: Annotated[
        int, about("documents", "Seconds between comparisons of both sides.", ge=60, le=2_592_000)
    ] = 86_400
