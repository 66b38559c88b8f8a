"""Profiles, jobs, and the watching of both."""

from typing import Annotated, Literal

import msgspec

from opora.bootstrap.settings.about import about
from opora.bootstrap.settings.access import AccessSettings


class WorkSettings(AccessSettings, frozen=True, kw_only=True):
    """What runs in the background and how it is watched."""

    # --- profiles and exports
    seal_profiles: Annotated[
        bool,
        about(
            "profiles",
            "Whether kept people are sealed in the database (AES-256-GCM): all but the name that they are searched by. "
            "`opora secrets reseal` after a change.",
        ),
    ] = False
    profile_ttl_s: Annotated[
        int,
        about(
            "profiles",
            "Seconds a kept profile lives when the call does not say; 0 is for ever.",
            ge=0,
            le=3_153_600_000,
        ),
    ] = 0
    export_retention_days: Annotated[int, about("profiles", "Days an export's file is kept.", ge=1, le=3650)] = 7
    export_threads: Annotated[int, about("profiles", "Files drawn at once by a process.", ge=1, le=64)] = 1

    # --- jobs and sweeps
    worker_concurrency: Annotated[int, about("jobs", "Jobs a worker process runs at once.", ge=1, le=1000)] = 8
    job_lease_s: Annotated[
        int, about("jobs", "Seconds without a heartbeat after which a job is given to another worker.", ge=2, le=3600)
    ] = 30
    job_poll_ms: Annotated[
        int, about("jobs", "Milliseconds between looks for jobs that no message announced.", ge=10, le=60_000)
    ] = 500
    job_retention_days: Annotated[int, about("jobs", "Days finished jobs are kept.", ge=1, le=3650)] = 7
    sweep_profiles_s: Annotated[int, about("jobs", "Seconds between sweeps for expired profiles.", ge=1, le=86_400)] = (
        60
    )
    sweep_exports_s: Annotated[int, about("jobs", "Seconds between sweeps for old files.", ge=1, le=86_400)] = 600
    sweep_idempotency_s: Annotated[
        int, about("jobs", "Seconds between sweeps for answers kept long enough.", ge=1, le=86_400)
    ] = 600
    audit_seal_ms: Annotated[int, about("jobs", "Milliseconds between seals of the audit log.", ge=50, le=60_000)] = (
        1000
    )

    # --- logs and watching
    worker_port: Annotated[
        int,
        about(
            "watching",
            "The port on which `opora worker` tells its health and its metrics, at OPORA_HTTP_HOST; 0 opens none.",
            ge=0,
            le=65535,
        ),
    ] = 0
    log_format: Annotated[
        Literal["auto", "json", "text"], about("watching", "`auto` is `text` on a terminal and `json` otherwise.")
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("watching", "The least level that is written.")
    ] = "info"
    sentry_dsn: Annotated[
        str,
        about("watching", "Where unexpected errors are reported; needs `opora[sentry]`.", form="dsn", hides="password"),
    ] = ""
    environment: Annotated[str, about("watching", "The installation's name in reports.", form="label")] = "production"

    # --- adapters by name
    core_banking: Annotated[
        str, about("adapters", "The bank's core system; `OPORA_CORE_BANKING_…` goes to its adapter.", form="label")
    ] = "local"
    core_banking_config: dict[str, str] = msgspec.field(default_factory=dict)
    text_engine: Annotated[
        str, about("adapters", "What writes text; `OPORA_TEXT_ENGINE_…` goes to its adapter.", form="label")
    ] = "local"
    text_engine_config: dict[str, str] = msgspec.field(default_factory=dict)
    payments: Annotated[
        str, about("adapters", "The payment provider; `OPORA_PAYMENTS_…` goes to its adapter.", form="label")
    ] = "sandbox"
    payments_config: dict[str, str] = msgspec.field(default_factory=dict)
