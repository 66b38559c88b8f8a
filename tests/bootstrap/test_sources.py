"""What an operator may write, and what is said when it is wrong."""

import re
from pathlib import Path

import pytest

from opora.bootstrap.faults import Fault, SettingsInvalid
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import read

REPOSITORY = Path(__file__).parents[2]
SET_UP, MAKEFILE = REPOSITORY / ".ci/setup", REPOSITORY / "Makefile"
ROOT = "a root secret of forty characters or more"
POSTGRESQL = "postgresql://opora:word@db/opora"


def faults(env: dict[str, str], folder: Path) -> list[Fault]:
    """Return what is wrong with the variables."""
    with pytest.raises(SettingsInvalid) as invalid:
        read(env, folder)
    return list(invalid.value.faults)


def names(env: dict[str, str], folder: Path) -> list[str]:
    """Return the names of what is wrong."""
    return [fault.name for fault in faults(env, folder)]


def test_nothing_given_is_the_embedded_set_up(tmp_path: Path) -> None:
    settings = read({}, tmp_path)
    assert settings.embedded
    assert (settings.database_url, settings.sqlite_path) == ("sqlite:///var/opora.db", "var/opora.db")
    assert (settings.storage_url, settings.base_url) == ("file:var/files", "http://127.0.0.1:8000")
    assert settings.problem_base_url == "http://127.0.0.1:8000/problems/"


@pytest.mark.parametrize("primary", ["", "sqlite:///o.db"])
def test_only_postgresql_has_a_replica(primary: str, tmp_path: Path) -> None:
    one = {"OPORA_DATABASE_READ_URL": POSTGRESQL, **({"OPORA_DATABASE_URL": primary} if primary else {})}
    assert names(one, tmp_path) == ["OPORA_DATABASE_READ_URL"]
    two = {"OPORA_DATABASE_URL": POSTGRESQL, "OPORA_DATABASE_READ_URL": "sqlite:///o.db", "OPORA_SECRET_KEY": ROOT}
    assert names(two, tmp_path) == ["OPORA_DATABASE_READ_URL"]
    assert read({**two, "OPORA_DATABASE_READ_URL": POSTGRESQL}, tmp_path).database_read_url == POSTGRESQL


def test_defaults_follow_from_what_was_given(tmp_path: Path) -> None:
    settings = read({"OPORA_HOME": "/srv/o/", "OPORA_HTTP_HOST": "::", "OPORA_HTTP_PORT": "81"}, tmp_path)
    assert settings.sqlite_path == "/srv/o/opora.db"
    assert settings.base_url == "http://127.0.0.1:81"
    assert read({"OPORA_HTTP_HOST": "::1"}, tmp_path).base_url == "http://[::1]:8000"


def test_reads_every_kind_of_value(tmp_path: Path, env: dict[str, str]) -> None:
    env |= {
        "OPORA_WORKERS": "4",
        "OPORA_LOG_LEVEL": "debug",
        "OPORA_SIGNING_KEY_BITS": "3072",
        "OPORA_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
        "OPORA_CORS_ORIGINS": "https://App.example.org",
        "OPORA_BASE_URL": "https://api.example.org/",
        "OPORA_KEY_PEPPERS": "p1:0123456789abcdef,p2:fedcba9876543210",
    }
    settings = read(env, tmp_path)
    assert (settings.workers, settings.log_level, settings.signing_key_bits) == (4, "debug", 3072)
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1/32")
    assert settings.cors_origins == ("https://app.example.org",)
    assert settings.base_url == "https://api.example.org"
    assert settings.key_peppers == ("p1:0123456789abcdef", "p2:fedcba9876543210")


@pytest.mark.parametrize(("text", "expected"), [("Yes", True), ("1", True), ("off", False), ("FALSE", False)])
def test_reads_yes_and_no_as_people_write_them(tmp_path: Path, env: dict[str, str], text: str, expected: bool) -> None:
    assert read({**env, "OPORA_RUN_JOBS": text}, tmp_path).run_jobs is expected


def test_a_file_is_read_and_a_variable_wins_over_it(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "opora.toml").write_text('workers = 2\nhttp_port = 9000\ncors_origins = ["https://a.example"]\n')
    settings = read({**env, "OPORA_HTTP_PORT": "9001"}, tmp_path)
    assert (settings.workers, settings.http_port, settings.cors_origins) == (2, 9001, ("https://a.example",))


def test_a_file_elsewhere_is_named_and_has_to_be_there(tmp_path: Path, env: dict[str, str]) -> None:
    elsewhere = tmp_path / "etc" / "o.toml"
    assert names({**env, "OPORA_CONFIG": str(elsewhere)}, tmp_path) == [str(elsewhere)]
    elsewhere.parent.mkdir()
    elsewhere.write_text("workers = 3\n")
    assert read({**env, "OPORA_CONFIG": str(elsewhere)}, tmp_path).workers == 3


def test_a_file_that_is_not_toml_is_one_fault_among_others(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "opora.toml").write_text("workers = = 2\n")
    assert names({**env, "OPORA_WORKERS": "0"}, tmp_path) == [str(tmp_path / "opora.toml"), "OPORA_WORKERS"]


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path, env: dict[str, str]) -> None:
    assert read({**env, "OPORA_REDIS_URL": " ", "OPORA_WORKERS": ""}, tmp_path) == read(env, tmp_path)


def test_every_fault_is_told_at_once(tmp_path: Path, env: dict[str, str]) -> None:
    env |= {
        "OPORA_HTTP_PROT": "80",
        "OPORA_WORKERS": "many",
        "OPORA_LOG_LEVEL": "loud",
        "OPORA_TRUSTED_PROXIES": "10.0.0.0/8,everyone",
        "OPORA_REDIS_URL": "http://cache",
        "OPORA_SECRET_KEY": "short",
        "OPORA_ADMIN_PASSWORD": "hunter2",
    }
    assert names(env, tmp_path) == [
        "OPORA_HTTP_PROT",
        "OPORA_WORKERS",
        "OPORA_LOG_LEVEL",
        "OPORA_TRUSTED_PROXIES",
        "OPORA_REDIS_URL",
        "OPORA_SECRET_KEY",
        "OPORA_ADMIN_PASSWORD",
    ]


def test_an_unknown_name_is_refused_with_the_nearest_known(tmp_path: Path, env: dict[str, str]) -> None:
    assert faults({**env, "OPORA_HTTP_PROT": "80"}, tmp_path)[0].mend == "Did you mean OPORA_HTTP_PORT?"
    (tmp_path / "opora.toml").write_text("worker = 2\n")
    found = faults(env, tmp_path)[0]
    assert (found.name, found.mend) == ("worker in opora.toml", "Did you mean OPORA_WORKERS?")
    (tmp_path / "opora.toml").write_text("zzz = 2\n")
    assert "lists every name" in faults(env, tmp_path)[0].mend


def test_names_of_the_tests_are_left_alone(tmp_path: Path, env: dict[str, str]) -> None:
    assert read({**env, "OPORA_TEST_POSTGRES_URL": "x", "OPORA_DEBUG": "1"}, tmp_path) == read(env, tmp_path)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"OPORA_SETUP_\w+", SET_UP.read_text() + MAKEFILE.read_text()))))
def test_what_make_tells_the_set_up_does_not_stop_the_start_after_it(
    name: str, tmp_path: Path, env: dict[str, str]
) -> None:
    assert read({**env, name: "python3.13"}, tmp_path) == read(env, tmp_path)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPORA_HTTP_PORT", "65536"),
        ("OPORA_RUN_JOBS", "maybe"),
        ("OPORA_HTTP_PORT", "-1"),
        ("OPORA_HTTP_PORT", "8000.5"),
        ("OPORA_TOKEN_TTL_MINUTES", "0"),
        ("OPORA_SIGNING_KEY_BITS", "1024"),
        ("OPORA_SIGNING_ALGORITHM", "HS256"),
        ("OPORA_DATABASE_URL", "mysql://db/opora"),
        ("OPORA_DATABASE_URL", "sqlite:///:memory:"),
        ("OPORA_DATABASE_URL", "sqlite://opora.db"),
        ("OPORA_DATABASE_URL", "postgresql://db"),
        ("OPORA_DATABASE_URL", "postgresql:///opora"),
        ("OPORA_DATABASE_URL", "postgresql://db:99999/opora"),
        ("OPORA_REDIS_URL", "redis://cache/first"),
        ("OPORA_REDIS_URL", "redis://ca che"),
        ("OPORA_REDIS_URL", "redis+cluster://a,b/2"),
        ("OPORA_REDIS_URL", "redis+cluster://a,,b"),
        ("OPORA_REDIS_URL", "redis+cluster://a:99999,b"),
        ("OPORA_REDIS_URL", "redis+sentinel://a,b"),
        ("OPORA_REDIS_URL", "redis+sentinel://a,b/main/first"),
        ("OPORA_REDIS_URL", "amqp+cluster://a"),
        ("OPORA_AMQP_URL", "amqp:"),
        ("OPORA_STORAGE_URL", "file:"),
        ("OPORA_STORAGE_URL", "s3://key:secret@minio:9000/bucket"),
        ("OPORA_SMTP_URL", "mail.example.org:25"),
        ("OPORA_SFTP_URL", "ftp://partner"),
        ("OPORA_SFTP_HOST_KEY", "SHA256:abcdef"),
        ("OPORA_SENTRY_DSN", "https://sentry.example.org/1"),
        ("OPORA_BASE_URL", "https://api.example.org?x=1"),
        ("OPORA_BASE_URL", "api.example.org"),
        ("OPORA_CORS_ORIGINS", "https://app.example.org/path"),
        ("OPORA_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("OPORA_ADMIN_EMAIL", "nobody"),
        ("OPORA_KEY_PREFIX", "OPK_"),
        ("OPORA_REDIS_PREFIX", "with space"),
        ("OPORA_SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("OPORA_CURSOR_KEY", "short"),
        ("OPORA_KEY_PEPPERS", "0123456789abcdef"),
        ("OPORA_KEY_PEPPERS", "p1:short"),
        ("OPORA_KEY_PEPPERS", "p1:0123456789abcdef,p1:fedcba9876543210"),
        ("OPORA_SOFTPHONE_SECRET", "whsec_!"),
        ("OPORA_PAYMENTS_SECRET", "c2VjcmV0"),
    ],
)
def test_refuses_what_is_out_of_form_or_range(tmp_path: Path, env: dict[str, str], variable: str, value: str) -> None:
    assert names({**env, variable: value}, tmp_path) == [variable]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPORA_REDIS_URL", "rediss://:word@cache:6380/2"),
        ("OPORA_REDIS_URL", "rediss+cluster://me:word@a:6380,b"),
        ("OPORA_REDIS_URL", "redis+sentinel://:word@a:26379,b/main/2"),
        ("OPORA_AMQP_URL", "amqps://guest:guest@bus/vhost"),
        ("OPORA_STORAGE_URL", "file:/srv/files"),
        ("OPORA_SMTP_URL", "smtps://mail.example.org"),
        ("OPORA_SFTP_URL", "sftp://opora@partner:2222/in"),
        ("OPORA_SFTP_HOST_KEY", "ssh-ed25519 AAAAC3Nz"),
        ("OPORA_SENTRY_DSN", "https://public@sentry.example.org/1"),
        ("OPORA_CORS_ORIGINS", "*"),
        ("OPORA_SOFTPHONE_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="),
    ],
)
def test_takes_what_is_in_form(tmp_path: Path, env: dict[str, str], variable: str, value: str) -> None:
    settings = read({**env, variable: value}, tmp_path)
    taken = getattr(settings, variable.removeprefix("OPORA_").lower())
    assert taken in (value, (value,))


@pytest.mark.parametrize("around", ["{}", "{} root@bank", "ssh-drop.bank {}", "[drop.bank]:2222 {}"])
def test_a_key_of_the_drop_is_taken_out_of_its_line(tmp_path: Path, env: dict[str, str], around: str) -> None:
    key = "ssh-ed25519 AAAAC3Nz"
    assert read({**env, "OPORA_SFTP_HOST_KEY": around.format(key)}, tmp_path).sftp_host_key == key


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_is_one(tmp_path: Path, env: dict[str, str], scheme: str) -> None:
    env |= {"OPORA_DATABASE_URL": f"{scheme}://opora:word@db/opora", "OPORA_SECRET_KEY": ROOT}
    assert read(env, tmp_path).database_url == POSTGRESQL


def test_a_fault_never_shows_a_secret(tmp_path: Path, env: dict[str, str]) -> None:
    env |= {
        "OPORA_SECRET_KEY": "hunter-the-second",
        "OPORA_DATABASE_URL": "mysql://opora:hunter@db/opora",
        "OPORA_KEY_PEPPERS": "hunter",
        "OPORA_SOFTPHONE_SECRET": "hunter",
    }
    with pytest.raises(SettingsInvalid) as invalid:
        read(env, tmp_path)
    assert len(invalid.value.faults) == 4
    assert "hunter" not in str(invalid.value)


def test_a_secret_is_read_from_a_file(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "root").write_text(ROOT + "\n")
    assert read({**env, "OPORA_SECRET_KEY_FILE": str(tmp_path / "root")}, tmp_path).secret_key == ROOT
    (tmp_path / "opora.toml").write_text(f'secret_key_file = "{tmp_path / "root"}"\n')
    assert read(env, tmp_path).secret_key == ROOT
    other = ROOT[::-1]
    assert read({**env, "OPORA_SECRET_KEY": other}, tmp_path).secret_key == other


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_a_fault(tmp_path: Path, env: dict[str, str], content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "root").write_bytes(content)
    assert names({**env, "OPORA_SECRET_KEY_FILE": str(tmp_path / "root")}, tmp_path) == ["OPORA_SECRET_KEY_FILE"]


def test_a_value_and_a_file_for_one_secret_is_a_fault(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "root").write_text(ROOT)
    env |= {"OPORA_SECRET_KEY": ROOT, "OPORA_SECRET_KEY_FILE": str(tmp_path / "root")}
    assert names(env, tmp_path) == ["OPORA_SECRET_KEY_FILE"]


def test_only_secrets_have_a_file_form(tmp_path: Path, env: dict[str, str]) -> None:
    assert names({**env, "OPORA_WORKERS_FILE": "/dev/null"}, tmp_path) == ["OPORA_WORKERS_FILE"]


def test_what_begins_with_an_adapters_setting_is_the_adapters_own(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "word").write_text("word\n")
    env |= {
        "OPORA_CORE_BANKING": "acme",
        "OPORA_CORE_BANKING_URL": "https://bank",
        "OPORA_CORE_BANKING_PASSWORD_FILE": str(tmp_path / "word"),
        "OPORA_PAYMENTS_SHOP_ID": "7",
        "OPORA_PAYMENTS_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    settings = read(env, tmp_path)
    assert settings.core_banking_config == {"url": "https://bank", "password": "word"}
    assert settings.payments_config == {"shop_id": "7"}
    assert settings.payments_secret == "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="


def test_the_server_set_up_needs_a_root_secret_and_says_how_to_make_it(tmp_path: Path, env: dict[str, str]) -> None:
    found = faults({**env, "OPORA_DATABASE_URL": POSTGRESQL}, tmp_path)
    assert [fault.name for fault in found] == ["OPORA_SECRET_KEY"]
    assert "openssl rand" in found[0].mend


def test_reading_writes_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    assert read(env, tmp_path).secret_key == ""
    assert list(tmp_path.iterdir()) == []


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = read({}, tmp_path)
    with pytest.raises(AttributeError):
        settings.workers = 5  # type: ignore[misc]  # what is shown here
    assert isinstance(settings, Settings)
