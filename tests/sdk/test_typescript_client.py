"""The TypeScript client, checked by tsc and run by Node.js against a service that runs."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from architecture.trees import REPOSITORY
from sdk.conftest import ADMIN, PASSWORD, Served

CLIENT = REPOSITORY / "deploy" / "sdk" / "typescript"
TYPES = ("typescript@~5.9.3", "@types/node@^20.19.0")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the client with the compiler beside it, if there is Node.js and a registry to take it from."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not here: the TypeScript client is neither checked nor run")
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "tsconfig.json", "src"):
        (shutil.copytree if (CLIENT / name).is_dir() else shutil.copy)(CLIENT / name, folder / name)
    installed = run(
        "npm",
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        *TYPES,
        folder=folder,
    )
    if installed.returncode:
        pytest.skip(f"npm cannot install the compiler: {installed.stderr[-200:]}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def built(checkout: Path) -> Path:
    """The client and the journey, compiled."""
    shutil.copy(Path(__file__).with_name("journey.ts"), checkout / "src")
    ended = run("node", "node_modules/typescript/bin/tsc", folder=checkout)
    assert ended.returncode == 0, ended.stdout
    return checkout


def test_a_fault_in_the_use_of_the_client_is_found_by_its_types(built: Path) -> None:
    faults = (
        'import { Opora } from "./index.js";\nconst opora = new Opora({ baseUrl: "" });\n'
        "await opora.profiles.generate({ cuont: 1 });\nawait opora.profiles.get();\n"
        "(await opora.profiles.get(1)).no_such_field;\n"
    )
    (built / "src" / "faulty.ts").write_text(faults)
    ended = run("node", "node_modules/typescript/bin/tsc", "--noEmit", folder=built)
    (built / "src" / "faulty.ts").unlink()
    assert re.findall(r"faulty\.ts\((\d+),", ended.stdout) == ["3", "4", "5"]


def test_the_client_needs_nothing_at_run_time() -> None:
    package = json.loads((CLIENT / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()
    for file in (CLIENT / "src").glob("*.ts"):
        named = re.findall(r'from "([^"]+)"', file.read_text("utf-8"))
        assert all(one.startswith("./") or (one.startswith("node:") and file.name == "node.ts") for one in named), file


def test_a_user_goes_all_the_way(built: Path, served: Served, tmp_path: Path) -> None:
    ended = run("node", "dist/journey.js", served.address, ADMIN, PASSWORD, str(tmp_path), folder=built)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told == {
        "alive": "ok",
        "pages": [30, 30, 30, 10],
        "listed": 100,
        "export": ["completed", 100, True, "%PDF-", ["people.pdf"]],
        "missing": [404, "no_such_profile", True],
        "wrong": ["count"],
        "same": True,
        "waits": [1, True, 0],
        "limited": ["rate_limited", True],
        "chat": [True, "[DONE]"],
        "sent": "Договор аренды",
        "unheard": True,
        "aborted": "AbortError",
    }


def test_the_example_of_the_readme_runs(built: Path, served: Served) -> None:
    made = served.installation.command(
        "keys", "create", "--label", "reader", "--scope", "profiles:read", "--scope", "profiles:write",
        "--scope", "exports:read", "--scope", "exports:write", "--json",
    )  # fmt: skip
    (example,) = re.findall(r"```ts\n(.*?)```", (CLIENT / "README.md").read_text("utf-8"), re.DOTALL)
    example = example.replace("http://127.0.0.1:8000", served.address).replace(
        "opk_live_…", json.loads(made.stdout)["key"]
    )
    (built / "example.mjs").write_text(example)  # the names it imports are those of the package, which it stands in
    ended = run("node", "example.mjs", folder=built)
    assert ended.returncode == 0, ended.stderr
    assert "no_such_profile" in ended.stdout
    assert (built / "people.pdf").read_bytes().startswith(b"%PDF-")
