"""The cluster's manifests and the workflow: in form by their schemas, closed, and fitting the program."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from docs.pages import REPOSITORY
from opora.adapters.sandbox.children import Limits
from opora.bootstrap.settings import Settings
from opora.bootstrap.transfers import ROW_BYTES
from opora.cli.entry import GROUPS

FOLDER = REPOSITORY / "deploy" / "kubernetes"
SCHEMAS = json.loads((Path(__file__).parent / "kubernetes.json").read_text())
SERVING = ("opora-api", "opora-worker")
SURGE = 1
CONNECTIONS = 97
"""What PostgreSQL lets in by itself: 100, of which three are the superuser's."""
ITSELF_MIB = 512
"""What a process of Opora takes beside its children, with room."""
WORKFLOW = REPOSITORY / ".github" / "workflows" / "ci.yaml"


def manifests() -> list[dict[str, Any]]:
    """Give every object that the cluster is given, in order."""
    wanted = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    return [one for name in wanted for one in yaml.safe_load_all((FOLDER / name).read_text())]


OBJECTS = manifests()
PODS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] in {"Deployment", "Job"}
}
SETTINGS = next(one["data"] for one in OBJECTS if one["kind"] == "ConfigMap")


def faults(manifest: dict[str, Any]) -> list[str]:
    """List what the schema of a manifest's kind says against it."""
    schema = {**SCHEMAS["kinds"][manifest["kind"]], "definitions": SCHEMAS["definitions"]}
    return [f"{fault.json_path}: {fault.message[:200]}" for fault in Draft7Validator(schema).iter_errors(manifest)]


def named(kind: str) -> Iterator[dict[str, Any]]:
    """Give the objects of a kind."""
    return (one for one in OBJECTS if one["kind"] == kind)


def labels(component: str) -> dict[str, str]:
    """Give the labels of the pods of a component."""
    return {"app.kubernetes.io/name": "opora", "app.kubernetes.io/component": component}


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda one: f"{one['kind']}/{one['metadata']['name']}")
def test_a_manifest_is_what_kubernetes_takes(manifest: dict[str, Any]) -> None:
    assert faults(manifest) == []


def test_the_schemas_find_a_word_misspelt_and_a_value_of_another_type() -> None:
    (api, _) = named("Deployment")
    planted = json.loads(json.dumps(api))
    planted["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    planted["spec"]["replicas"] = "two"
    assert len(faults(planted)) == 2


def test_every_file_of_the_folder_is_part_of_it() -> None:
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert {*kustomization["resources"], "kustomization.yaml"} == {file.name for file in FOLDER.iterdir()}
    images = {one["image"] for pod in PODS.values() for one in pod["containers"]}
    assert images == {one["name"] for one in kustomization["images"]}


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_runs_as_nobody_and_may_write_only_where_it_must(name: str) -> None:
    pod = PODS[name]
    (user,) = re.findall(r"^USER (\d+)$", (REPOSITORY / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == int(user)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/opora", "/tmp"}  # noqa: S108
        assert "memory" in container["resources"]["limits"]
        assert container["args"][0] in GROUPS


@pytest.mark.parametrize("component", ["api", "worker"])
def test_what_serves_is_probed_spread_scaled_and_kept_up(component: str) -> None:
    (deployment,) = (one for one in named("Deployment") if one["metadata"]["name"] == f"opora-{component}")
    assert deployment["spec"]["selector"]["matchLabels"] == labels(component)
    assert deployment["spec"]["template"]["metadata"]["labels"] == labels(component)
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (port,) = container["ports"]
    wanted = SETTINGS["OPORA_HTTP_PORT" if component == "api" else "OPORA_WORKER_PORT"]
    assert str(port["containerPort"]) == wanted
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: probe["path"] for kind, probe in probes.items()} == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    (scaler,) = (one for one in named("HorizontalPodAutoscaler") if one["metadata"]["name"] == f"opora-{component}")
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    (budget,) = (one for one in named("PodDisruptionBudget") if one["metadata"]["name"] == f"opora-{component}")
    assert budget["spec"]["selector"]["matchLabels"] == labels(component)
    assert budget["spec"]["minAvailable"] < scaler["spec"]["minReplicas"]


def scaled(component: str) -> int:
    """Give the most pods of a component."""
    (scaler,) = (one for one in named("HorizontalPodAutoscaler") if one["metadata"]["name"] == f"opora-{component}")
    return int(scaler["spec"]["maxReplicas"])


def mib(quantity: str) -> int:
    """Read a quantity of memory as a manifest writes it."""
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]


def test_how_many_run_is_said_by_the_scaler_alone_and_settings_know_it() -> None:
    for deployment in named("Deployment"):
        assert "replicas" not in deployment["spec"], "every apply would set the scaler back"
    assert int(SETTINGS["OPORA_INSTANCES_EXPECTED"]) == scaled("api")
    pods = sum(scaled(one["metadata"]["labels"]["app.kubernetes.io/component"]) + SURGE for one in named("Deployment"))
    assert pods * int(SETTINGS["OPORA_DATABASE_POOL_MAX"]) <= CONNECTIONS


def test_a_pod_has_memory_and_room_for_what_it_reads_in_children() -> None:
    limits = {name: mib(PODS[name]["containers"][0]["resources"]["limits"]["memory"]) for name in SERVING}
    imports = int(SETTINGS["OPORA_WORKER_CONCURRENCY"]) * int(SETTINGS["OPORA_IMPORT_MEMORY_MB"])
    readers = Settings().document_readers * Limits().memory_bytes // 2**20
    assert limits["opora-api"] >= readers + ITSELF_MIB
    assert limits["opora-worker"] >= imports + ITSELF_MIB
    room = {name: {one["name"]: mib(one["emptyDir"]["sizeLimit"]) for one in PODS[name]["volumes"]} for name in SERVING}
    assert room["opora-api"]["home"] * 2**20 >= 4 * Settings().document_batch_bytes
    of_one = Settings().import_size_max_mb + Settings().import_rows_max * ROW_BYTES // 2**20
    assert room["opora-worker"]["tmp"] >= int(SETTINGS["OPORA_WORKER_CONCURRENCY"]) * of_one


def test_a_pod_gets_time_for_what_is_under_way() -> None:
    for name in SERVING:
        (container,) = PODS[name]["containers"]
        goodbye_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert PODS[name]["terminationGracePeriodSeconds"] > goodbye_s + int(SETTINGS["OPORA_DRAIN_S"])


def test_only_the_migration_holds_the_owners_password() -> None:
    for name, pod in PODS.items():
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            secrets = [one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one]
            assert secrets == ["opora-owner" if name == "opora-migrate" else "opora"]
    assert not list(named("Secret")), "a secret in the repository is none"


def test_the_migration_upgrades_before_it_grants() -> None:
    job = PODS["opora-migrate"]
    assert [one["args"] for one in job["initContainers"]] == [["db", "upgrade"]]
    assert [one["args"] for one in job["containers"]] == [["db", "roles", "--apply"]]


def test_settings_that_are_named_exist_and_hide_nothing() -> None:
    known = {f"OPORA_{name.upper()}" for name in Settings.__struct_fields__}
    named_settings = {name for file in FOLDER.iterdir() for name in re.findall(r"\bOPORA_[A-Z_]+\b", file.read_text())}
    assert named_settings <= known
    assert not {name for name in SETTINGS if re.search("SECRET|PASSWORD|DATABASE_URL|REDIS_URL", name)}


def test_the_network_is_closed_but_for_what_is_listed() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in named("NetworkPolicy")}
    assert policies["opora-closed"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    let_in = {port["port"] for rule in policies["opora-in"]["ingress"] for port in rule["ports"]}
    assert let_in == {int(SETTINGS["OPORA_HTTP_PORT"]), int(SETTINGS["OPORA_WORKER_PORT"])}
    assert all("from" in rule for rule in policies["opora-in"]["ingress"])
    (service,) = named("Service")
    assert service["spec"]["selector"] == labels("api")


def test_the_workflow_does_what_a_change_must_pass_on_every_python() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    job = yaml.safe_load(WORKFLOW.read_text())["jobs"]["run"]
    assert job["strategy"]["matrix"]["python"] == ["3.12", "3.13"]
    (step,) = (one for one in job["steps"] if one.get("run") == ".ci/run")
    assert "PYTHON" in step["env"], "the Makefile takes the interpreter from there"
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {"contents": "read"}
