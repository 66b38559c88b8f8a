"""Everything an operator may set: one frozen struct whose annotations are also the reference page."""

from typing import Annotated, Literal

import msgspec

SECTIONS = {
    "service": "The service",
    "http": "The HTTP edge",
    "database": "The database",
    "redis": "Redis and the event bus",
    "channels": "Files, letters and partner drops",
    "secrets": "Secrets",
    "access": "Signing in, tokens and keys",
    "limits": "Limits",
    "profiles": "Profiles and exports",
    "jobs": "Jobs and sweeps",
    "watching": "Logs and watching",
    "adapters": "Adapters by name",
}
"""The groups of the reference page, in its order."""

type Bound = int | None


def _about(
    section: str,
    text: str,
    *,
    ge: Bound = None,
    le: Bound = None,
    form: str = "",
    hides: Literal["", "all", "password"] = "",
    default: str = "",
) -> msgspec.Meta:
    """Describe a setting: its group, its sentence, its range, the form of its text and what of it
    `config show` hides.

    `form` names a check of `opora.bootstrap.forms`; `default` is shown in the reference where the value is worked out
    when the settings are read.
    """
    extra = {"section": section, "form": form, "hides": hides, "default": default}
    return msgspec.Meta(description=text, ge=ge, le=le, extra=extra)


type Names = tuple[str, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process. `OPORA_` and the field's name in capitals is the variable."""

    # --- the service
    home: Annotated[
        str,
        _about("service", "The folder of everything Opora keeps on this machine: database, files, letters, secrets."),
    ] = "var"
    http_host: Annotated[str, _about("service", "The address to listen on; 0.0.0.0 listens on all.")] = "127.0.0.1"
    http_port: Annotated[int, _about("service", "The port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8000
    workers: Annotated[int, _about("service", "Processes that answer HTTP.", ge=1, le=256)] = 1
    run_jobs: Annotated[bool, _about("service", "Whether `opora serve` runs jobs beside answering HTTP.")] = True
    drain_s: Annotated[
        int, _about("service", "Seconds that requests and jobs under way get to finish after SIGTERM.", ge=0, le=3600)
    ] = 20
    base_url: Annotated[
        str,
        _about(
            "service",
            "The address clients see, without a slash at its end: stands in links, tokens and letters.",
            form="http_url",
            default="`http://` host `:` port",
        ),
    ] = ""
    problem_base_url: Annotated[
        str,
        _about(
            "service",
            "What stands before the code in a problem's `type`.",
            form="http_prefix",
            default="base url `/problems/`",
        ),
    ] = ""

    # --- the HTTP edge
    trusted_proxies: Annotated[
        Names,
        _about("http", "Networks of proxies whose `X-Forwarded-For` is believed.", form="network"),
    ] = ()
    internal_networks: Annotated[
        Names, _about("http", "Networks that may call the internal routes.", form="network")
    ] = ("127.0.0.0/8", "::1/128")
    cors_origins: Annotated[
        Names, _about("http", "Origins whose browsers may call; `*` allows any, without credentials.", form="origin")
    ] = ()
    hsts_s: Annotated[
        int,
        _about(
            "http",
            "Seconds in `Strict-Transport-Security`, which browsers heed on HTTPS; 0 leaves it out.",
            ge=0,
            le=63_072_000,
        ),
    ] = 31_536_000
    body_limit_bytes: Annotated[
        int, _about("http", "The largest request body that is not an upload.", ge=1024, le=1_073_741_824)
    ] = 1_048_576

    # --- the database
    database_url: Annotated[
        str,
        _about(
            "database",
            "`sqlite:///FILE` (the embedded set-up) or `postgresql://user:password@host/name` (the server set-up).",
            form="database_url",
            hides="password",
            default="`sqlite:///` home `/opora.db`",
        ),
    ] = ""
    database_pool_max: Annotated[int, _about("database", "Connections a process may open.", ge=1, le=1000)] = 10
    database_statement_cache: Annotated[
        int,
        _about(
            "database", "Prepared statements a connection keeps; 0 behind a pooler of transactions.", ge=0, le=100_000
        ),
    ] = 512
    database_connect_timeout_s: Annotated[
        int, _about("database", "Seconds to wait for a connection before 503.", ge=1, le=300)
    ] = 5

    # --- Redis and the event bus
    redis_url: Annotated[
        str,
        _about(
            "redis",
            "`redis://` or `rediss://`: shared limits, the deny-list and wake-ups. Empty: kept in the database.",
            form="redis_url",
            hides="password",
        ),
    ] = ""
    redis_timeout_ms: Annotated[
        int, _about("redis", "Milliseconds Redis gets to answer before it counts as down.", ge=1, le=10_000)
    ] = 100
    redis_prefix: Annotated[str, _about("redis", "What every key in Redis begins with.", form="label")] = "opora"
    amqp_url: Annotated[
        str,
        _about("redis", "`amqp://` or `amqps://`: the event bus. Not used yet.", form="amqp_url", hides="password"),
    ] = ""

    # --- files, letters and partner drops
    storage_url: Annotated[
        str,
        _about(
            "channels",
            "Where files are kept, `file:FOLDER`: the same folder for every process of an installation.",
            form="storage_url",
            hides="password",
            default="`file:` home `/files`",
        ),
    ] = ""
    smtp_url: Annotated[
        str,
        _about(
            "channels",
            "`smtp://` or `smtps://`: where letters go. Not used yet.",
            form="smtp_url",
            hides="password",
        ),
    ] = ""
    sftp_url: Annotated[
        str,
        _about(
            "channels",
            "`sftp://user:password@host:port/folder`: partner drops. Not used yet.",
            form="sftp_url",
            hides="password",
        ),
    ] = ""

    # --- secrets
    secret_key: Annotated[
        str,
        _about(
            "secrets",
            "The root secret: others that are not given are derived from it. At least 32 characters, the same on every "
            "machine of one installation.",
            form="root_secret",
            hides="all",
            default="made at the first start (embedded), required (server)",
        ),
    ] = ""
    key_peppers: Annotated[
        Names,
        _about(
            "secrets",
            "The ring of peppers for API keys, `p1:…,p2:…`: the last writes, all verify. At least 16 characters each.",
            form="pepper",
            hides="all",
            default="derived",
        ),
    ] = ()
    cursor_key: Annotated[
        str,
        _about("secrets", "Signs the cursors of lists.", form="secret", hides="all", default="derived"),
    ] = ""
    encryption_key: Annotated[
        str,
        _about("secrets", "Encrypts columns that hold secrets.", form="secret", hides="all", default="derived"),
    ] = ""
    audit_key: Annotated[
        str,
        _about("secrets", "Hashes and chains the audit log.", form="secret", hides="all", default="derived"),
    ] = ""
    softphone_secret: Annotated[
        str,
        _about("secrets", "Verifies the softphone's webhooks.", form="whsec", hides="all", default="derived"),
    ] = ""
    payments_secret: Annotated[
        str,
        _about("secrets", "Verifies the payment provider's webhooks.", form="whsec", hides="all", default="derived"),
    ] = ""

    # --- signing in, tokens and keys
    admin_email: Annotated[str, _about("access", "The first admin, made when there is none.", form="email")] = (
        "admin@opora.local"
    )
    admin_password: Annotated[
        str,
        _about("access", "The first admin's password.", hides="all", default="made and printed at the first start"),
    ] = ""
    token_ttl_minutes: Annotated[int, _about("access", "Minutes an access token lives.", ge=1, le=1440)] = 15
    refresh_ttl_days: Annotated[int, _about("access", "Days a session lives without use.", ge=1, le=365)] = 14
    password_length_min: Annotated[int, _about("access", "Characters a password needs.", ge=8, le=128)] = 12
    password_hash_threads: Annotated[
        int, _about("access", "Passwords hashed at once by a process; more wait, then get 503.", ge=1, le=64)
    ] = 2
    signing_algorithm: Annotated[
        Literal["RS256", "ES256", "EdDSA"], _about("access", "How access tokens are signed.")
    ] = "RS256"
    signing_key_bits: Annotated[
        Literal[2048, 3072, 4096], _about("access", "Bits of an RSA signing key, used when the next one is made.")
    ] = 2048
    key_prefix: Annotated[
        str, _about("access", "What API keys begin with, before `_live_` or `_test_`.", form="key_prefix")
    ] = "opk"
    key_overlap_s: Annotated[
        int, _about("access", "Seconds a rotated key works on when the call does not say.", ge=0, le=7_776_000)
    ] = 86_400

    # --- limits
    rate_limit_per_min: Annotated[
        int,
        _about(
            "limits", "Requests a minute for a key without a limit of its own and for a person.", ge=1, le=10_000_000
        ),
    ] = 100
    address_limit_per_min: Annotated[
        int, _about("limits", "Requests a minute from one address that shows no credentials.", ge=1, le=10_000_000)
    ] = 60
    login_limit_per_min: Annotated[
        int, _about("limits", "Attempts a minute to sign in to one account.", ge=1, le=10_000)
    ] = 5
    login_limit_per_address: Annotated[
        int, _about("limits", "Attempts a minute to sign in from one address.", ge=1, le=10_000)
    ] = 20
    instances_expected: Annotated[
        int, _about("limits", "Processes that share the limits when each counts alone.", ge=1, le=10_000)
    ] = 1

    # --- profiles and exports
    profile_ttl_s: Annotated[
        int,
        _about(
            "profiles",
            "Seconds a kept profile lives when the call does not say; 0 is for ever.",
            ge=0,
            le=3_153_600_000,
        ),
    ] = 0
    export_retention_days: Annotated[int, _about("profiles", "Days an export's file is kept.", ge=1, le=3650)] = 7
    export_threads: Annotated[int, _about("profiles", "Files drawn at once by a process.", ge=1, le=64)] = 1

    # --- jobs and sweeps
    worker_concurrency: Annotated[int, _about("jobs", "Jobs a worker process runs at once.", ge=1, le=1000)] = 8
    job_lease_s: Annotated[
        int, _about("jobs", "Seconds without a heartbeat after which a job is given to another worker.", ge=2, le=3600)
    ] = 30
    job_poll_ms: Annotated[
        int, _about("jobs", "Milliseconds between looks for jobs that no message announced.", ge=10, le=60_000)
    ] = 500
    job_retention_days: Annotated[int, _about("jobs", "Days finished jobs are kept.", ge=1, le=3650)] = 7
    sweep_profiles_s: Annotated[
        int, _about("jobs", "Seconds between sweeps for expired profiles.", ge=1, le=86_400)
    ] = 60
    sweep_exports_s: Annotated[int, _about("jobs", "Seconds between sweeps for old files.", ge=1, le=86_400)] = 600
    sweep_idempotency_s: Annotated[
        int, _about("jobs", "Seconds between sweeps for answers kept long enough.", ge=1, le=86_400)
    ] = 600
    audit_seal_ms: Annotated[int, _about("jobs", "Milliseconds between seals of the audit log.", ge=50, le=60_000)] = (
        1000
    )

    # --- logs and watching
    log_format: Annotated[
        Literal["auto", "json", "text"], _about("watching", "`auto` is `text` on a terminal and `json` otherwise.")
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _about("watching", "The least level that is written.")
    ] = "info"
    sentry_dsn: Annotated[
        str,
        _about(
            "watching", "Where unexpected errors are reported; needs `opora[sentry]`.", form="dsn", hides="password"
        ),
    ] = ""
    environment: Annotated[str, _about("watching", "The installation's name in reports.", form="label")] = "production"

    # --- adapters by name
    core_banking: Annotated[
        str, _about("adapters", "The bank's core system; `OPORA_CORE_BANKING_…` goes to its adapter.", form="label")
    ] = "local"
    core_banking_config: dict[str, str] = {}
    text_engine: Annotated[
        str, _about("adapters", "What writes text; `OPORA_TEXT_ENGINE_…` goes to its adapter.", form="label")
    ] = "local"
    text_engine_config: dict[str, str] = {}
    payments: Annotated[
        str, _about("adapters", "The payment provider; `OPORA_PAYMENTS_…` goes to its adapter.", form="label")
    ] = "sandbox"
    payments_config: dict[str, str] = {}

    @property
    def embedded(self) -> bool:
        """Tell whether one machine with SQLite is the whole set-up."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> str:
        """The file of the SQLite database; the empty string on PostgreSQL."""
        return self.database_url.removeprefix("sqlite:///") if self.embedded else ""
