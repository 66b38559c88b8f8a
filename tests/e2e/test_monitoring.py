"""Boards and alerts ask for what a running service tells, in PromQL that parses, and each alert has its page."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml

from docs.pages import REPOSITORY, anchor
from e2e.running import Installation, free_port

DEPLOY = REPOSITORY / "deploy"
BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
(GROUP,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"]
OF_PROMETHEUS = {"up"}
SERIES = re.compile(r"_(?:bucket|sum|count)$")
TOLD_WITHIN_S = 60.0


def queries() -> Iterator[tuple[str, str]]:
    """Give every query with where it stands."""
    for file in BOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}: {panel['title']}", target["expr"]
    for rule in GROUP["rules"]:
        yield rule["alert"], rule["expr"]


def selectors(node: Any) -> Iterator[Any]:
    """Give every selector of a series in a query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector
    else:
        inner = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "param")]
        for one in (*inner, *getattr(node, "args", ())):
            if isinstance(one, promql_parser.Expr):
                yield from selectors(one)


def asked() -> Iterator[tuple[str, str, list[Any]]]:
    """Give every series that is asked for: where, its name and what is asked of its labels."""
    for where, query in queries():
        found = list(selectors(promql_parser.parse(query)))
        assert found, f"{where}: no series in {query}"
        for one in found:
            yield where, one.name, list(one.matchers.matchers)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What a running service with its worker tells, once it has read what waits."""
    installation = Installation(tmp_path_factory.mktemp("watched") / "home").migrated()
    try:
        address, text = installation.serve(), ""
        deadline_s = time.monotonic() + TOLD_WITHIN_S
        while "opora_jobs_due_seconds" not in text and time.monotonic() < deadline_s:
            text = httpx.get(f"{address}/metrics", timeout=30).text
            time.sleep(0.1)
        yield text
    finally:
        installation.end()


def families(text: str) -> set[str]:
    """Name the families of an answer of /metrics as their series are named."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    return set(kinds)


def test_every_series_that_a_board_or_an_alert_asks_for_is_told_by_a_running_service(told: str) -> None:
    known = families(told) | OF_PROMETHEUS
    unknown = {
        f"{where}: {name}" for where, name, _ in asked() if name not in known and SERIES.sub("", name) not in known
    }
    assert unknown == set()


def test_every_topic_that_a_query_names_is_announced_by_somebody() -> None:
    page = (REPOSITORY / "docs" / "reference" / "events.md").read_text()
    topics = set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE))
    named = {topic for *_, labels in asked() for one in labels if one.name == "topic" for topic in one.value.split("|")}
    assert len(named) > 20
    assert named <= topics


@pytest.mark.parametrize("file", ["prometheus.yaml", "kubernetes.yaml"])
def test_jobs_of_queries_are_those_that_are_scraped(file: str) -> None:
    configured = yaml.safe_load((DEPLOY / "prometheus" / file).read_text())["scrape_configs"]
    scraped = {one["job_name"] for one in configured}
    jobs = {one.value for *_, labels in asked() for one in labels if one.name == "job"}
    assert jobs - {"opora.*"} == scraped


def test_in_a_cluster_the_ports_that_are_scraped_are_those_of_the_pods() -> None:
    configured = yaml.safe_load((DEPLOY / "prometheus" / "kubernetes.yaml").read_text())["scrape_configs"]
    wanted = set()
    for component in ("api", "worker"):
        pods = next(yaml.safe_load_all((DEPLOY / "kubernetes" / f"{component}.yaml").read_text()))["spec"]["template"]
        (container,) = pods["spec"]["containers"]
        labels = pods["metadata"]["labels"]
        named = [labels[f"app.kubernetes.io/{one}"] for one in ("name", "component")]
        wanted.add(";".join([*named, container["ports"][0]["name"]]))
    assert {one["relabel_configs"][0]["regex"] for one in configured} == wanted


def test_what_lasts_as_long_as_it_is_listened_to_is_not_held_for_slow() -> None:
    (slow,) = (rule["expr"] for rule in GROUP["rules"] if rule["alert"] == "OporaSlow")
    (pattern,) = (
        one.value
        for found in selectors(promql_parser.parse(slow))
        for one in found.matchers.matchers
        if one.name == "route"
    )
    page = (REPOSITORY / "docs" / "reference" / "access.md").read_text()
    routes = set(re.findall(r"^\| `[A-Z]+ (\S+)` \|", page, re.MULTILINE))
    assert {route for route in routes if re.fullmatch(pattern, route)} == {
        "/api/v1/chat/completions",
        "/api/v1/generate",
        "/api/v1/generate/{task_id}/stream",
        "/api/v1/notifications/stream",
    }


def test_there_are_three_boards_and_none_draws_over_itself() -> None:
    assert [file.stem for file in BOARDS] == ["business", "jobs", "service"]
    for file in BOARDS:
        board = json.loads(file.read_text())
        assert board["uid"] == f"opora-{file.stem}"
        places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in board["panels"]]
        ids = [one["id"] for one in board["panels"]]
        assert len(set(places)) == len(places) == len(set(ids)) >= 8


def test_every_alert_is_graded_and_has_its_place_in_the_handbook() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    headings = {anchor(one) for one in re.findall(r"^### (.+)$", page, re.MULTILINE)}
    for rule in GROUP["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert anchor(rule["alert"]) in headings


def test_a_query_that_does_not_parse_is_found() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum(rate(opora_jobs[5m])")


def test_a_worker_alone_is_watched_on_its_own_port(tmp_path: Path, app_postgres_url: str) -> None:
    port = free_port()
    installation = Installation(tmp_path / "home")
    installation.environment = {
        "OPORA_DATABASE_URL": app_postgres_url,
        "OPORA_SECRET_KEY": "a root secret of forty characters or more",
        "OPORA_WORKER_PORT": str(port),
    }
    try:
        process = installation.start("worker")
        deadline_s = time.monotonic() + TOLD_WITHIN_S
        text = ""
        while "opora_jobs_due_seconds" not in text and time.monotonic() < deadline_s:
            assert process.poll() is None, installation.logs()
            try:
                text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
            except httpx.TransportError:
                time.sleep(0.1)
        assert {"opora_jobs", "opora_outbox_waiting", "opora_jobs_running"} <= families(text)
        assert json.loads(installation.command("health", "--worker", "--json").stdout)["ok"] is True
        assert set(installation.end()) == {0}
    finally:
        installation.end()
