"""The service itself, its edge, its database and the systems beside it."""

from typing import Annotated, Literal

import msgspec

from opora.bootstrap.settings.about import Names, about


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service listens and what it leans on."""

    # --- the service
    home: Annotated[
        str,
        about("service", "The folder of everything Opora keeps on this machine: database, files, letters, secrets."),
    ] = "var"
    http_host: Annotated[str, about("service", "The address to listen on; 0.0.0.0 listens on all.")] = "127.0.0.1"
    http_port: Annotated[int, about("service", "The port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8000
    workers: Annotated[int, about("service", "Processes that answer HTTP.", ge=1, le=256)] = 1
    run_jobs: Annotated[bool, about("service", "Whether `opora serve` runs jobs beside answering HTTP.")] = True
    drain_s: Annotated[
        int, about("service", "Seconds that requests and jobs under way get to finish after SIGTERM.", ge=0, le=3600)
    ] = 20
    base_url: Annotated[
        str,
        about(
            "service",
            "The address clients see, without a slash at its end: stands in links, tokens and letters.",
            form="http_url",
            default="`http://` host `:` port",
        ),
    ] = ""
    problem_base_url: Annotated[
        str,
        about(
            "service",
            "What stands before the code in a problem's `type`.",
            form="http_prefix",
            default="base url `/problems/`",
        ),
    ] = ""

    # --- the HTTP edge
    trusted_proxies: Annotated[
        Names,
        about("http", "Networks of proxies whose `X-Forwarded-For` is believed.", form="network"),
    ] = ()
    internal_networks: Annotated[
        Names, about("http", "Networks that may call the internal routes.", form="network")
    ] = ("127.0.0.0/8", "::1/128")
    cors_origins: Annotated[
        Names, about("http", "Origins whose browsers may call; `*` allows any, without credentials.", form="origin")
    ] = ()
    hsts_s: Annotated[
        int,
        about(
            "http",
            "Seconds in `Strict-Transport-Security`, which browsers heed on HTTPS; 0 leaves it out.",
            ge=0,
            le=63_072_000,
        ),
    ] = 31_536_000
    body_limit_bytes: Annotated[
        int, about("http", "The largest request body that is not an upload.", ge=1024, le=1_073_741_824)
    ] = 1_048_576
    requests_at_once: Annotated[
        int,
        about(
            "http",
            "Requests a process works on at once; more are answered 503. Uploads, streams and texts do not count.",
            ge=1,
            le=100_000,
        ),
    ] = 256
    wait_max_ms: Annotated[
        int,
        about(
            "http",
            "Milliseconds after which a request that a process has not come to is answered 503; 0 never (Linux only).",
            ge=0,
            le=600_000,
        ),
    ] = 2000

    # --- the database
    database_url: Annotated[
        str,
        about(
            "database",
            "`sqlite:///FILE` (the embedded set-up) or `postgresql://user:password@host/name` (the server set-up).",
            form="database_url",
            hides="password",
            default="`sqlite:///` home `/opora.db`",
        ),
    ] = ""
    database_pool_max: Annotated[int, about("database", "Connections a process may open.", ge=1, le=1000)] = 10
    database_statement_cache: Annotated[
        int,
        about(
            "database", "Prepared statements a connection keeps; 0 behind a pooler of transactions.", ge=0, le=100_000
        ),
    ] = 512
    database_connect_timeout_s: Annotated[
        int, about("database", "Seconds to wait for a connection before 503.", ge=1, le=300)
    ] = 5
    database_read_url: Annotated[
        str,
        about(
            "database",
            "A streaming replica of PostgreSQL that answers exports; whatever else is read comes from the primary.",
            form="database_url",
            hides="password",
        ),
    ] = ""
    database_read_wait_ms: Annotated[
        int,
        about(
            "database",
            "Milliseconds the replica gets to receive what was committed before a read; then the primary answers.",
            ge=0,
            le=60_000,
        ),
    ] = 1000

    # --- Redis and the event bus
    redis_url: Annotated[
        str,
        about(
            "redis",
            "`redis://` or `rediss://`: shared limits, the deny-list and wake-ups. Empty: kept in the database. "
            "`redis+cluster://host:port,…` is a cluster, `redis+sentinel://host:port,…/master/database` a master that "
            "sentinels know; `rediss+…` reaches either by TLS.",
            form="redis_url",
            hides="password",
        ),
    ] = ""
    redis_timeout_ms: Annotated[
        int, about("redis", "Milliseconds Redis gets to answer before it counts as down.", ge=1, le=10_000)
    ] = 100
    redis_token_prefix: Annotated[
        str, about("redis", "What stands before the `jti` in the notes of tokens that other services read.")
    ] = "auth:jwt:"  # noqa: S105  # what keys begin with
    redis_prefix: Annotated[str, about("redis", "What every key in Redis begins with.", form="label")] = "opora"
    amqp_url: Annotated[
        str,
        about(
            "redis",
            "`amqp://` or `amqps://`: RabbitMQ, for the event bus and wake-ups (needs `opora[rabbitmq]`).",
            form="amqp_url",
            hides="password",
        ),
    ] = ""
    bus: Annotated[
        Literal["auto", "rabbitmq", "redis", "none"],
        about(
            "redis",
            "Where events are published. `auto`: RabbitMQ where `OPORA_AMQP_URL` is set, else a stream in Redis where "
            "`OPORA_REDIS_URL` is, else nowhere. The same in every process of an installation.",
        ),
    ] = "auto"
    bus_exchange: Annotated[
        str, about("redis", "The topic exchange of events in RabbitMQ, durable.", form="bus_name")
    ] = "opora.events"
    bus_stream_max: Annotated[
        int,
        about(
            "redis",
            "Events that the stream in Redis keeps; who stays away for longer misses the older.",
            ge=1000,
            le=100_000_000,
        ),
    ] = 100_000
    broker: Annotated[
        Literal["auto", "rabbitmq", "redis", "none"],
        about(
            "redis",
            "What carries wake-ups to workers; jobs are rows whatever it is. `auto` chooses as for `OPORA_BUS`.",
        ),
    ] = "auto"

    # --- files, letters and partner drops
    storage_url: Annotated[
        str,
        about(
            "channels",
            "Where files are kept: `file:FOLDER`, the same folder for every process of an installation, or "
            "`s3://bucket/prefix?endpoint=https://host&region=name` (needs `opora[s3]`).",
            form="storage_url",
            hides="password",
            default="`file:` home `/files`",
        ),
    ] = ""
    storage_access_key_id: Annotated[
        str, about("channels", "Who opens the bucket.", hides="all", default="none: the store is open to this machine")
    ] = ""
    storage_secret_access_key: Annotated[
        str, about("channels", "The secret that requests to the bucket are signed with.", hides="all")
    ] = ""
    smtp_url: Annotated[
        str,
        about(
            "channels",
            "`smtp://` (TLS where it is offered) or `smtps://`: where letters go. Empty: files in home `/mail`.",
            form="smtp_url",
            hides="password",
        ),
    ] = ""
    sftp_url: Annotated[
        str,
        about(
            "channels",
            "`sftp://user:password@host:port/folder`: the partner's drop for imports and exports of numbers (needs "
            "`opora[sftp]`). Empty: the folder home `/sftp`.",
            form="sftp_url",
            hides="password",
        ),
    ] = ""
