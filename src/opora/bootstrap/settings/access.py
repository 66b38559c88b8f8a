"""Secrets, signing in, and limits."""

from typing import Annotated, Literal

from opora.bootstrap.settings.about import Names, about
from opora.bootstrap.settings.service import ServiceSettings


class AccessSettings(ServiceSettings, frozen=True, kw_only=True):
    """Who gets in, and how often."""

    # --- secrets
    secret_key: Annotated[
        str,
        about(
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
        about(
            "secrets",
            "The ring of peppers for API keys, `p1:…,p2:…`: the last writes, all verify. At least 16 characters each.",
            form="pepper",
            hides="all",
            default="derived",
        ),
    ] = ()
    cursor_key: Annotated[
        str,
        about("secrets", "Signs the cursors of lists.", form="secret", hides="all", default="derived"),
    ] = ""
    encryption_key: Annotated[
        str,
        about("secrets", "Encrypts columns that hold secrets.", form="secret", hides="all", default="derived"),
    ] = ""
    encryption_keys_old: Annotated[
        Names,
        about(
            "secrets",
            "Encryption keys that only open what they sealed, until `opora secrets reseal` has sealed it anew.",
            form="secret",
            hides="all",
        ),
    ] = ()
    audit_key: Annotated[
        str,
        about("secrets", "Hashes and chains the audit log.", form="secret", hides="all", default="derived"),
    ] = ""
    softphone_secret: Annotated[
        str,
        about("secrets", "Verifies the softphone's webhooks.", form="whsec", hides="all", default="derived"),
    ] = ""
    payments_secret: Annotated[
        str,
        about("secrets", "Verifies the payment provider's webhooks.", form="whsec", hides="all", default="derived"),
    ] = ""

    # --- signing in, tokens and keys
    admin_email: Annotated[str, about("access", "The first admin, made when there is none.", form="email")] = (
        "admin@opora.local"
    )
    admin_password: Annotated[
        str,
        about("access", "The first admin's password.", hides="all", default="made and printed at the first start"),
    ] = ""
    token_ttl_minutes: Annotated[int, about("access", "Minutes an access token lives.", ge=1, le=1440)] = 15
    refresh_ttl_days: Annotated[int, about("access", "Days a session lives without use.", ge=1, le=365)] = 14
    password_grant: Annotated[
        bool, about("access", "Whether `POST /token` gives tokens for passwords; `POST /auth/login` does in any case.")
    ] = True
    password_length_min: Annotated[int, about("access", "Characters a password needs.", ge=8, le=128)] = 12
    password_hash_threads: Annotated[
        int, about("access", "Passwords hashed at once by a process; more wait, then get 503.", ge=1, le=64)
    ] = 2
    signing_algorithm: Annotated[
        Literal["RS256", "ES256", "EdDSA"], about("access", "How access tokens are signed.")
    ] = "RS256"
    signing_key_bits: Annotated[
        Literal[2048, 3072, 4096], about("access", "Bits of an RSA signing key, used when the next one is made.")
    ] = 4096
    signing_key_publish_s: Annotated[
        int,
        about(
            "access",
            "Seconds a new signing key is published before it signs: longer than others keep the published keys.",
            ge=0,
            le=604_800,
        ),
    ] = 360
    key_prefix: Annotated[
        str, about("access", "What API keys begin with, before `_live_` or `_test_`.", form="key_prefix")
    ] = "opk"
    key_overlap_s: Annotated[
        int, about("access", "Seconds a rotated key works on when the call does not say.", ge=0, le=7_776_000)
    ] = 86_400

    step_up_s: Annotated[
        int,
        about(
            "access",
            "Seconds after signing in within which a person may change rights, make keys or erase themselves; after "
            "that they sign in again.",
            ge=60,
            le=86_400,
        ),
    ] = 3_600
    second_factor_issuer: Annotated[
        str, about("access", "What authenticators show beside their codes.", form="label")
    ] = "Opora"
    browser_cookies: Annotated[
        bool,
        about("access", "Whether pages of the service's own origin may have their refresh token in a cookie."),
    ] = False
    verify_email_ttl_hours: Annotated[
        int, about("access", "Hours the token of a letter of welcome is good for.", ge=1, le=720)
    ] = 72
    reset_password_ttl_minutes: Annotated[
        int, about("access", "Minutes the token of a letter about a forgotten password is good for.", ge=5, le=1440)
    ] = 60
    verify_email_url: Annotated[
        str,
        about(
            "access",
            "The page of your own that a letter of welcome leads to, with `#token=…` at its end. Empty: the letter "
            "gives the token alone.",
            form="http_url",
        ),
    ] = ""
    reset_password_url: Annotated[
        str,
        about(
            "access",
            "The page of your own that a letter about a forgotten password leads to, with `#token=…` at its end. "
            "Empty: the letter gives the token alone.",
            form="http_url",
        ),
    ] = ""

    # --- limits
    rate_limit_per_min: Annotated[
        int,
        about(
            "limits", "Requests a minute for a key without a limit of its own and for a person.", ge=1, le=10_000_000
        ),
    ] = 100
    address_limit_per_min: Annotated[
        int, about("limits", "Requests a minute from one address that shows no credentials.", ge=1, le=10_000_000)
    ] = 60
    login_limit_per_min: Annotated[
        int,
        about("limits", "Failed attempts a minute to sign in to an account, or from a known device.", ge=1, le=10_000),
    ] = 5
    login_limit_per_address: Annotated[
        int, about("limits", "Failed attempts a minute to sign in from one address.", ge=1, le=10_000)
    ] = 20
    login_limit_everybody: Annotated[
        int,
        about(
            "limits",
            "Failed attempts a minute to sign in, of everybody together, before only known devices are heard.",
            ge=1,
            le=10_000_000,
        ),
    ] = 1_000
    letter_limit_per_hour: Annotated[
        int,
        about("limits", "Letters of a kind that anybody can have written to an address in an hour.", ge=1, le=1000),
    ] = 5
    instances_expected: Annotated[
        int, about("limits", "Processes that share the limits when each counts alone.", ge=1, le=10_000)
    ] = 1
