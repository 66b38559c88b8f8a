"""Print the bill of materials of a release, CycloneDX 1.6, from the locks: what they hold and nothing of this machine.

Run by `make sbom`. The same locks give the same bytes: no time stands in it, and its serial number follows from it.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))? \\$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pins(lock: str) -> Iterator[dict[str, Any]]:
    """Yield what a lock pins: name, version, marker and the hashes of its files."""
    pin: dict[str, Any] = {}
    for line in lock.splitlines():
        found = PIN.match(line)
        if found:
            if pin:
                yield pin
            pin = {**found.groupdict(), "hashes": []}
        else:
            pin["hashes"] += HASH.findall(line)
    if pin:
        yield pin


def component(pin: dict[str, Any], *, is_required: bool) -> dict[str, Any]:
    """Return a package as CycloneDX writes it; one that an extra alone asks for is optional."""
    purl = f"pkg:pypi/{pin['name']}@{pin['version']}"
    files = [
        {"type": "distribution", "url": f"{purl}#{digest[:16]}", "hashes": [{"alg": "SHA-256", "content": digest}]}
        for digest in sorted(pin["hashes"])
    ]
    marker = [{"name": "opora:marker", "value": pin["marker"]}] if pin["marker"] else []
    return {
        "type": "library",
        "bom-ref": purl,
        "name": pin["name"],
        "version": pin["version"],
        "scope": "required" if is_required else "optional",
        "purl": purl,
        "externalReferences": files,
        "properties": marker,
    }


def bill() -> dict[str, Any]:
    """Return the whole bill: every package of the image, those that a bare installation has marked as required."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    runtime = {pin["name"] for pin in pins((ROOT / "requirements/runtime.lock").read_text("utf-8"))}
    found = list(pins((ROOT / "requirements/image.lock").read_text("utf-8")))
    components = [component(pin, is_required=pin["name"] in runtime) for pin in found]
    components.sort(key=lambda one: one["bom-ref"])
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    told: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": own,
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [one["bom-ref"] for one in components]}],
    }
    return {**told, "serialNumber": uuid5(NAMESPACE_URL, json.dumps(told, sort_keys=True)).urn}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(bill(), indent=2, sort_keys=True) + "\n")
