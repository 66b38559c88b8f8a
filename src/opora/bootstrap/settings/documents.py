"""Documents of a bank's clients."""

from typing import Annotated

from opora.bootstrap.settings.about import about
from opora.bootstrap.settings.notifications import NotificationSettings


class DocumentSettings(NotificationSettings, frozen=True, kw_only=True):
    """What a bank takes in, how it works on it, and how long it keeps it."""

    # --- bank documents
    document_limit_bytes: Annotated[
        int, about("documents", "The largest file of a document.", ge=1024, le=1_073_741_824)
    ] = 52_428_800
    document_batch_max: Annotated[int, about("documents", "Documents in one batch.", ge=1, le=500)] = 500
    document_batch_bytes: Annotated[
        int, about("documents", "All files of a batch together.", ge=1024, le=4_294_967_296)
    ] = 1_073_741_824
    document_readers: Annotated[
        int, about("documents", "Files that a process looks into at once, each in a child.", ge=1, le=64)
    ] = 2
    document_zone: Annotated[
        str, about("documents", "The branch's time zone, by its name in the IANA list.", form="zone")
    ] = "Europe/Moscow"
    document_day_ends: Annotated[
        str,
        about(
            "documents",
            "When the branch closes, `HH:MM`: what comes later counts as come on the next working day.",
            form="time_of_day",
        ),
    ] = "18:00"
    document_calendar: Annotated[
        str, about("documents", "A file of holidays and moved days in place of the Russian one that ships.")
    ] = ""
    document_four_eyes: Annotated[
        bool,
        about("documents", "Whether who took a document up, or sent it in, may not decide on it."),
    ] = False
    document_reasons: Annotated[
        bool, about("documents", "Whether rejecting a document or asking for more wants a comment.")
    ] = False
    document_quarantine_days: Annotated[
        int, about("documents", "Days a file is kept in which the virus scanner found something.", ge=0, le=3650)
    ] = 30
    document_link_s: Annotated[
        int, about("documents", "Seconds a download link holds when the call does not say.", ge=1, le=86_400)
    ] = 600
    document_link_max_s: Annotated[
        int, about("documents", "Seconds a download link holds at most.", ge=1, le=2_592_000)
    ] = 86_400
    document_unfinished_s: Annotated[
        int,
        about(
            "documents",
            "Seconds after which a file that no document names is swept; longer than an upload takes to be stored.",
            ge=1,
            le=604_800,
        ),
    ] = 3_600
    sweep_documents_s: Annotated[
        int, about("jobs", "Seconds between sweeps for documents' files that are over.", ge=1, le=86_400)
    ] = 600
    sweep_overdue_s: Annotated[
        int, about("jobs", "Seconds between looks for documents that are late.", ge=1, le=86_400)
    ] = 600
