"""The shell examples of the pages that newcomers read are run against a service that was started for them."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx
import pypdf
import pytest
from guide import site

from docs.pages import REPOSITORY, Page
from e2e.running import SECRET, Installation, free_port

STARTED_OTHERWISE = "make run"
SERVERS = "OPORA_DATABASE_URL="
ADMIN = {"OPORA_ADMIN_EMAIL": "admin@example.org", "OPORA_ADMIN_PASSWORD": "fourteen shoes and a lamp"}
RUN_WITHIN_S = 120
COMMAND = re.compile(r"\.venv/bin/opora\b|(?:(?<=^)|(?<= ))opora(?= [a-z])", re.MULTILINE)
"""How pages call the program: in a checkout, or where it is installed."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running service and the folder in which examples are run."""

    installation: Installation
    address: str
    folder: Path

    def run(self, script: str, **variables: str) -> str:
        """Run a script to its end, stopping at the first command that fails, and return what it printed."""
        commands = COMMAND.sub(f"{sys.executable} -m opora", script)
        commands = commands.replace("curl -s ", "curl -sS --fail-with-body ")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands.replace("http://127.0.0.1:8000", self.address)],
            env={**self.installation.variables(), **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=RUN_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-500:] + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service with its worker in a home of its own, and a file of keys to take over."""
    folder = tmp_path_factory.mktemp("examples")
    digest = bcrypt.hashpw(b"qa_7f3a91c04-of-another-system", bcrypt.gensalt(4)).decode()
    (folder / "keys.csv").write_text(f"label,key_hash,lookup_prefix,rate_limit_per_min\nQA,{digest},qa_7f3a91c04,100\n")
    # the program of this checkout, whatever is installed
    installation = Installation(folder / "home", {**ADMIN, "PYTHONPATH": str(REPOSITORY / "src")})
    try:
        yield Served(installation, installation.migrated().serve(), folder)
    finally:
        installation.end()


def shell(name: str, *, servers: bool = False) -> str:
    """Return the shell blocks of a page as one script: those for one machine, or those for servers."""
    blocks = [block.text for block in Page(REPOSITORY / name).blocks() if block.language in {"sh", "bash"}]
    wanted = [text for text in blocks if STARTED_OTHERWISE not in text and (SERVERS in text) == servers]
    assert wanted
    return "\n".join(wanted)


@pytest.mark.parametrize(
    "name", ["README.md", "README.ru.md", "docs/api-keys.md", "docs/bank-documents.md", "docs/appointments.md"]
)
def test_the_examples_of_a_page_run(served: Served, name: str) -> None:
    assert served.run(shell(name))


@pytest.mark.parametrize("name", ["docs/start.md", "docs/ru/start.md"])
def test_the_start_leads_to_a_pdf_and_to_the_limit(served: Served, name: str) -> None:
    printed = served.run(shell(name))
    people = (served.folder / "people.ndjson").read_text("utf-8").splitlines()
    assert len(people) == 100
    pages = pypdf.PdfReader(io.BytesIO((served.folder / "people.pdf").read_bytes())).pages
    texts = [page.extract_text() for page in pages]
    assert len(texts) == 3
    assert all("Дата рождения" in text for text in texts)
    counted = {code: int(times) for times, code in (line.split() for line in printed.splitlines()[-2:])}
    assert counted["200"] + counted["429"] == 101
    assert counted["429"] >= 1


@pytest.mark.parametrize("name", ["README.md", "docs/start.md", "docs/ru/start.md"])
def test_the_examples_for_servers_run_on_postgresql_and_redis(
    served: Served, name: str, empty_postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "secret-key").write_text(SECRET)
    first, second = free_port(), free_port()
    script = (
        shell(name, servers=True).replace("--port 8000", f"--port {first}").replace("--port 8001", f"--port {second}")
    )
    lines = [
        f"export OPORA_DATABASE_URL={empty_postgres_url}"
        if line.startswith("export OPORA_DATABASE_URL=")
        else f"export OPORA_REDIS_URL={redis_url}"
        if line.startswith("export OPORA_REDIS_URL=")
        else line.replace("/etc/opora/secret-key", str(tmp_path / "secret-key"))
        for line in script.splitlines()
    ]
    answers = [
        f"curl -s --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:{port}/health/ready"
        for port in (first, second)
    ]
    ending = ["kill $(jobs -p)", "wait"]
    printed = served.run("\n".join([*lines, *answers, *ending]), OPORA_HOME=str(tmp_path / "home"))
    assert printed.count('"redis":{"status":"ok"') == 2


def test_the_service_shows_the_guide_of_this_checkout(served: Served) -> None:
    site.build()
    made = site.files()
    for address, name in {"/guide": "index.html", "/guide/": "index.html", "/guide/ru/start": "ru/start.html"}.items():
        page = httpx.get(served.address + address)
        assert (page.status_code, page.content) == (200, made[name])


def test_a_text_is_written_as_the_page_asks_for_it(served: Served) -> None:
    token = httpx.post(
        f"{served.address}/api/v1/auth/login",
        json={"email": ADMIN["OPORA_ADMIN_EMAIL"], "password": ADMIN["OPORA_ADMIN_PASSWORD"]},
    ).json()["access_token"]
    assert "утренний кофе" in served.run(shell("docs/generation.md"), OPORA=served.address, TOKEN=token)


def test_the_operators_examples_upgrade_back_up_restore_and_move(tmp_path: Path, empty_postgres_url: str) -> None:
    installation = Installation(tmp_path / "home", {"PYTHONPATH": str(REPOSITORY / "src")}).migrated()
    installation.command("keys", "create", "--label", "QA")
    (tmp_path / "backups").mkdir()
    script = shell("docs/operations.md") + shell("docs/operations.md", servers=True)
    for shown, here in {
        "/backups/": f"{tmp_path}/backups/",
        "/srv/anew": f"{tmp_path}/anew",
        "postgresql://opora_owner@db/opora": empty_postgres_url,
        "OPORA_SECRET_KEY=…": f"OPORA_SECRET_KEY={SECRET}",
        "opora copy --to -": f"echo {empty_postgres_url} | opora copy --to -",
    }.items():
        assert shown in script
        script = script.replace(shown, here)
    printed = Served(installation, "", tmp_path).run(script)
    assert (tmp_path / "anew" / "opora.db").exists()
    assert "equal" in printed


@pytest.mark.parametrize("name", ["sftp", "http"])
def test_the_settings_of_a_banks_systems_are_settings_there_are(tmp_path: Path, name: str) -> None:
    blocks = [block.text for block in Page(REPOSITORY / "docs/core-banking.md").blocks() if block.language == "sh"]
    (script,) = [text for text in blocks if f"OPORA_CORE_BANKING={name}\n" in text]
    (tmp_path / "secret").write_text("a password of the bank")
    script = re.sub(r"/run/secrets/\w+", str(tmp_path / "secret"), script)
    installation = Installation(tmp_path / "home", {"PYTHONPATH": str(REPOSITORY / "src")})
    Served(installation, "", tmp_path).run(f"{script}opora config check\n")


def test_an_admin_reads_the_audit_log_over_http_and_a_key_without_the_scope_does_not(served: Served) -> None:
    signed_in = httpx.post(
        f"{served.address}/api/v1/auth/login",
        json={"email": ADMIN["OPORA_ADMIN_EMAIL"], "password": ADMIN["OPORA_ADMIN_PASSWORD"]},
    ).json()
    admin = {"Authorization": f"Bearer {signed_in['access_token']}"}
    entries = httpx.get(f"{served.address}/api/audit-log/", params={"action": "user.created"}, headers=admin).json()
    assert {one["action"] for one in entries["results"]} == {"user.created"}
    assert httpx.get(f"{served.address}/api/v1/audit-log/verify", headers=admin).json()["whole"]
    key = served.installation.command("keys", "create", "--label", "stranger").stdout.strip()
    refused = httpx.get(f"{served.address}/api/v1/audit-log", headers={"X-API-Key": key})
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
