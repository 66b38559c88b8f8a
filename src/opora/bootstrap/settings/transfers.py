"""Imports and exports of numbers."""

from typing import Annotated

from opora.bootstrap.settings.about import Names, about
from opora.bootstrap.settings.numbers import NumberSettings


class TransferSettings(NumberSettings, frozen=True, kw_only=True):
    """Where partners' files lie, and how large and how costly a file may be."""

    # --- imports and exports of numbers
    sftp_host_key: Annotated[
        str,
        about(
            "channels",
            "The drop's public key, a line of `ssh-keyscan` or its `.pub` file, checked with the partner. Needed with "
            "a URL.",
            form="host_key",
        ),
    ] = ""
    sftp_private_key: Annotated[
        str, about("channels", "Our private key for the drop, in place of a password in its address.", hides="all")
    ] = ""
    sftp_networks: Annotated[
        Names,
        about(
            "channels", "Inner networks that the drop may lie in; any other inner address is refused.", form="network"
        ),
    ] = ()
    sftp_timeout_s: Annotated[
        int, about("channels", "Seconds that connecting to the drop, and each request to it, may take.", ge=1, le=600)
    ] = 30
    import_size_max_mb: Annotated[
        int, about("numbers", "How large a file of numbers may be, in MiB, either way.", ge=1, le=65_536)
    ] = 2048
    import_rows_max: Annotated[int, about("numbers", "How many rows one import may have.", ge=1, le=1_000_000_000)] = (
        50_000_000
    )
    import_refused_max: Annotated[
        int, about("numbers", "How many refused rows of an import are kept to be read.", ge=0, le=10_000_000)
    ] = 1_000_000
    import_memory_mb: Annotated[
        int, about("numbers", "Memory that reading one file may take, in MiB.", ge=256, le=16_384)
    ] = 1024
    import_cpu_s: Annotated[
        int, about("numbers", "Processor seconds that reading one file may take.", ge=1, le=86_400)
    ] = 900
    transfer_retention_days: Annotated[
        int, about("numbers", "Days that exported files and refused rows are kept.", ge=1, le=3650)
    ] = 7
    sweep_transfers_s: Annotated[
        int, about("jobs", "Seconds between sweeps for old imports and exports.", ge=1, le=86_400)
    ] = 600
