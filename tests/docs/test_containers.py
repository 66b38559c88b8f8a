"""The container file and the compose files: in form, closed where they can be, and fitting the program."""

import re
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from guide.sources import sources

from docs.pages import REPOSITORY
from opora.adapters.sandbox.children import Limits
from opora.bootstrap.settings import Settings
from opora.cli.entry import GROUPS, commands_of

DEPLOY = REPOSITORY / "deploy"
FILES = ("compose.yaml", "compose.full.yaml")
SMALL, FULL = (yaml.safe_load((DEPLOY / name).read_text()) for name in FILES)
BIN = Path(sys.executable).parent
KNOWN = {f"OPORA_{name.upper()}" for name in Settings.__struct_fields__}
ITSELF_MB = 512
"""What a process of Opora takes beside its children, with room."""
ONE_SHOT = {"migrate", "roles", "bucket"}
WRITES_ITS_ROOT = {"sftp"}
"""A drop to try things on, whose image makes accounts at its start; no partner of production stands here."""


def laid_over() -> dict[str, dict[str, Any]]:
    """Give the services of both files as compose merges them, as far as these tests look."""
    merged: dict[str, dict[str, Any]] = {}
    for file in (SMALL, FULL):
        for name, service in file["services"].items():
            merged[name] = {**merged.get(name, {}), **service}
    return merged


SERVICES = laid_over()


def checked(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    """Hold a file against a schema that the checker brings along; nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", FILES)
def test_a_compose_file_is_one_by_the_schema_of_compose(name: str) -> None:
    done = checked(DEPLOY / name, "vendor.compose-spec")
    assert done.returncode == 0, done.stdout


def test_the_schema_finds_a_word_that_compose_does_not_know(tmp_path: Path) -> None:
    planted = tmp_path / "compose.yaml"
    planted.write_text((DEPLOY / "compose.yaml").read_text().replace("read_only: true", "readonly: true", 1))
    assert checked(planted, "vendor.compose-spec").returncode == 1


def test_the_container_file_passes_the_linter(tmp_path: Path) -> None:
    linter = BIN / "hadolint"
    if not linter.exists():
        pytest.skip("hadolint has no wheel for this platform")
    done = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    planted = tmp_path / "Dockerfile"
    planted.write_text("FROM python:latest\nRUN cd /tmp && pip install requests\n")
    found = subprocess.run([linter, planted], capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 1
    assert "DL3007" in found.stdout


def test_the_image_is_built_from_the_lock_and_from_files_that_exist() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/image.lock" in text
    copied = [words for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for words in line.split()[:-1]]
    for name in copied:
        assert (REPOSITORY / name).exists(), name
        assert f"!{name.split('/')[0]}" in (REPOSITORY / ".dockerignore").read_text().splitlines()


def test_the_image_gets_every_document_and_what_makes_the_guide_of_them() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for word in line.split()[:-1]}
    let_in = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {"docs", "deploy"} <= copied
    for source in sources():
        top = source.path.split("/")[0]
        assert top in copied, source.path
        assert f"!{top}" in let_in, source.path
    assert let_in.index("!deploy") < let_in.index("deploy/**") < let_in.index("!deploy/**/*.md")


def test_the_image_runs_as_a_number_and_asks_after_its_health_without_a_shell() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (.+)$", text, re.MULTILINE)
    assert user.isdecimal()
    assert int(user) > 0
    assert f"--uid {user} " in text
    (words,) = re.findall(r'^HEALTHCHECK .*CMD \["opora", "(\w+)"\]$', text, re.MULTILINE)
    assert words in GROUPS
    assert "curl" not in text


def test_the_image_holds_what_the_program_needs_and_every_extra_in_the_same_versions() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (REPOSITORY / "requirements" / name).read_text()
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))

    image, runtime = pins("image.lock"), pins("runtime.lock")
    assert {name: image.get(name) for name in runtime} == runtime
    assert {"obstore", "asyncssh", "sentry-sdk"} <= set(image)


def test_compose_runs_the_app_a_worker_postgresql_and_redis() -> None:
    assert {"app", "worker", "postgres", "redis", "migrate"} <= set(SMALL["services"])


def test_the_full_set_up_has_everything_that_stands_around_the_program() -> None:
    around = {"nginx", "pgbouncer", "rabbitmq", "minio", "sftp", "prometheus", "grafana"}
    assert around <= set(SERVICES)


def test_nothing_starts_before_the_schema_is_there() -> None:
    for name in ("app", "worker"):
        waits = SMALL["services"][name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert FULL["services"][name]["depends_on"]["roles"] == {"condition": "service_completed_successfully"}
    assert "migrate" in FULL["services"]["roles"]["depends_on"]


def test_containers_are_told_commands_that_exist() -> None:
    told = [one["command"] for one in SERVICES.values() if one.get("image") == "opora"]
    told += [
        one["healthcheck"]["test"][2:] for one in SERVICES.values() if "opora" in one["healthcheck"].get("test", "")
    ]
    assert len(told) >= 6
    for command in told:
        assert command[0] in GROUPS
        group = commands_of(GROUPS[command[0]][0])
        assert "" in group or command[1] in group


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_may_do_little_and_cannot_take_the_machine(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITES_ITS_ROOT)
    assert {"mem_limit", "cpus", "pids_limit", "logging", "networks"} <= set(service)
    assert not service.get("privileged")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_that_stays_is_asked_after_its_health_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


def test_images_of_others_are_named_with_a_version() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        assert image == "opora" or (tag and tag != "latest"), name


def test_nobody_outside_reaches_anything_but_nginx() -> None:
    for name, service in SERVICES.items():
        outside = [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")]
        assert not outside or name == "nginx", (name, outside)
    for name in ("postgres", "redis", "pgbouncer", "rabbitmq", "minio", "sftp"):
        assert SERVICES[name]["networks"] == ["back"]
    assert SMALL["networks"]["back"]["internal"] is True


def test_what_containers_lean_on_and_keep_is_declared() -> None:
    volumes = {*SMALL["volumes"], *FULL["volumes"]}
    networks = set(SMALL["networks"])
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        assert set(service["networks"]) <= networks, name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if not source.startswith("."):
                assert source in volumes, (name, source)
            elif source != "./tls":  # the operator's certificate
                assert (DEPLOY / source).exists(), (name, source)


def test_every_variable_that_is_wanted_stands_in_the_example() -> None:
    example = (DEPLOY / ".env.example").read_text()
    for file in FILES:
        for name in re.findall(r"\$\{([A-Z_]+)", (DEPLOY / file).read_text()):
            assert re.search(rf"^#?{name}=", example, re.MULTILINE), name


@pytest.mark.parametrize("file", [*FILES, "opora.env.example", "Dockerfile", "nginx/opora.conf"])
def test_every_setting_that_is_named_exists(file: str) -> None:
    named = set(re.findall(r"\bOPORA_[A-Z_]+\b", (DEPLOY / file).read_text()))
    assert named
    assert named <= KNOWN


def test_containers_of_opora_are_given_the_settings_and_no_passwords_of_others() -> None:
    given = {service["env_file"] for service in SERVICES.values() if "env_file" in service}
    assert given == {"opora.env"}
    assert "OPORA_" not in (DEPLOY / ".env.example").read_text()
    names = re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "opora.env.example").read_text(), re.MULTILINE)
    assert names
    assert all(name.startswith("OPORA_") for name in names)
    ignored = (REPOSITORY / ".gitignore").read_text().splitlines()
    assert {"/deploy/.env", "/deploy/opora.env", "/deploy/tls/"} <= set(ignored)


def test_the_drop_can_be_started_before_its_key_is_known() -> None:
    assert "${SFTP_HOST_KEY:-}" in (DEPLOY / "compose.full.yaml").read_text()
    assert set(SERVICES["sftp"].get("depends_on", ())) == set()


def test_opora_trusts_nginx_alone_and_lets_it_ask() -> None:
    (config,) = SMALL["networks"]["front"]["ipam"]["config"]
    address = ip_address(SERVICES["nginx"]["networks"]["front"]["ipv4_address"])
    assert address in ip_network(config["subnet"])
    assert address not in ip_network(config["ip_range"]), "another container might be given it"
    for name in ("app", "worker"):
        settings = FULL["services"][name]["environment"]
        assert settings["OPORA_TRUSTED_PROXIES"] == settings["OPORA_INTERNAL_NETWORKS"] == str(address)
    assert f"OPORA_TRUSTED_PROXIES={config['gateway']}\n" in (DEPLOY / "opora.env.example").read_text()


def test_what_reads_files_in_children_has_the_memory_for_them() -> None:
    settings = SMALL["services"]["worker"]["environment"]
    imports_mb = int(settings["OPORA_WORKER_CONCURRENCY"]) * int(settings["OPORA_IMPORT_MEMORY_MB"])
    assert imports_mb + ITSELF_MB <= int(SERVICES["worker"]["mem_limit"].removesuffix("g")) * 1024
    readers_mb = Settings().document_readers * Limits().memory_bytes // 2**20
    assert readers_mb + ITSELF_MB <= int(SERVICES["app"]["mem_limit"].removesuffix("g")) * 1024
    assert SERVICES["worker"]["tmpfs"] == []
    assert "scratch:/tmp" in SERVICES["worker"]["volumes"]


def test_the_full_set_up_works_under_the_role_that_may_only_work() -> None:
    for name in ("app", "worker"):
        url = FULL["services"][name]["environment"]["OPORA_DATABASE_URL"]
        assert url.startswith("postgresql://opora_app:")
        assert "@pgbouncer:" in url
    assert FULL["services"]["app"]["environment"]["OPORA_DATABASE_STATEMENT_CACHE"] == "0"


def test_the_places_of_the_gateway_that_compose_changes_are_there() -> None:
    (entry,) = FULL["services"]["nginx"]["entrypoint"][2:]
    changes = re.findall(r"'s(.)(.+?)\1(.+?)\1'", entry)
    text = (DEPLOY / "nginx" / "opora.conf").read_text()
    mounted = {one.split(":")[1]: one.split(":")[0] for one in FULL["services"]["nginx"]["volumes"]}
    assert len(changes) == 2
    for _, shipped, here in changes:
        assert shipped in text
        text = text.replace(shipped, here)
    assert "server app:8000;" in text
    assert mounted["/etc/nginx/opora"] == "./nginx"
    for file in re.findall(r"^    ssl_certificate(?:_key)? (\S+);", text, re.MULTILINE):
        assert mounted[str(Path(file).parent)] == "./tls"
    for file in re.findall(r"^ +include (\S+);", text, re.MULTILINE):
        assert (DEPLOY / "nginx" / Path(file).relative_to("opora")).exists()


def test_scripts_of_the_containers_are_scripts() -> None:
    script = DEPLOY / "postgres" / "passwords.sh"
    subprocess.run(["sh", "-n", script], check=True)
    assert all(f"CREATE ROLE {role} " in script.read_text() for role in ("opora_app", "opora_reader"))
