"""`make sbom` prints what the locks hold, whole and the same each time."""

import json
import re
import subprocess
import sys
from functools import cache
from typing import Any

from docs.pages import REPOSITORY

PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


@cache
def printed() -> str:
    """Return what the script prints, from a folder that is not the repository's."""
    script = str(REPOSITORY / "requirements" / "sbom.py")
    return subprocess.run([sys.executable, script], cwd="/", capture_output=True, text=True, check=True).stdout


def bill() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed())
    return found


def test_every_component_of_the_lock_stands_in_the_bill_with_its_hashes() -> None:
    lock = (REPOSITORY / "requirements" / "image.lock").read_text()
    components = bill()["components"]
    assert {(one["name"], one["version"]) for one in components} == set(PINNED.findall(lock))
    hashes = [file["hashes"][0]["content"] for one in components for file in one["externalReferences"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", lock))


def test_what_a_bare_installation_has_is_told_from_what_extras_bring() -> None:
    runtime = {name for name, _ in PINNED.findall((REPOSITORY / "requirements" / "runtime.lock").read_text())}
    scopes = {one["name"]: one["scope"] for one in bill()["components"]}
    assert {name for name, scope in scopes.items() if scope == "required"} == runtime
    assert scopes["obstore"] == "optional"


def test_the_bill_is_cyclonedx_and_the_same_each_time() -> None:
    found = bill()
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", found["serialNumber"])
    references = [one["bom-ref"] for one in found["components"]]
    assert len(set(references)) == len(references)
    assert found["dependencies"][0]["dependsOn"] == references
    printed.cache_clear()
    assert json.loads(printed()) == found
    assert "timestamp" not in printed()
