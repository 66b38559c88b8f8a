"""Types of events and their schemas over HTTP; what happens over HTTP waits for the bus with its cause."""

from pathlib import Path

import jsonschema
import pytest

from api.program import Program
from opora.core.bus.ports import BusQueue

pytestmark = pytest.mark.anyio


async def test_the_schema_of_every_type_is_found_where_its_events_say(tmp_path: Path) -> None:
    async with Program.over(tmp_path, OPORA_BASE_URL="https://api.example.org") as program, program.client() as client:
        listed = (await client.get("/api/v1/events/schemas")).json()["results"]
        names = {one["type"] for one in listed}
        assert {"user.registered", "document.status_changed", "profile.generated"} <= names
        for one in listed:
            assert one["says"]
            answer = await client.get(one["dataschema"].removeprefix("https://api.example.org"))
            assert answer.headers["content-type"] == "application/schema+json"
            jsonschema.Draft202012Validator.check_schema(answer.json())
            assert (answer.json()["$id"], answer.json()["title"]) == (one["dataschema"], one["type"])
        missing = await client.get("/api/v1/events/schemas/user.unheard_of")
        assert (missing.status_code, missing.json()["code"]) == (404, "no_such_event_type")


async def test_what_happens_over_http_waits_for_the_bus_and_readiness_tells_of_it(tmp_path: Path) -> None:
    nowhere = {"OPORA_AMQP_URL": "amqp://127.0.0.1:9/"}
    async with Program.over(tmp_path, **nowhere) as program, program.client() as client:
        queue = await program.container.get(BusQueue)
        before = (await queue.backlog()).waiting
        person = {"email": "anna@example.org", "password": "correct horse battery"}
        assert (await client.post("/api/v1/auth/register", json=person)).status_code == 202
        batch = await queue.take("test", 100, 1.0)
        assert batch is not None
        assert "user.registered" in {event.topic for event in batch.events}
        assert all("anna" not in event.payload for event in batch.events)
        ready = (await client.get("/health/ready")).json()
        assert ready["status"] == "ok"
        assert ready["checks"]["bus"]["waiting"] == len(batch.events) > before


async def test_without_a_bus_nothing_waits_for_one(tmp_path: Path) -> None:
    async with Program.over(tmp_path) as program, program.client() as client:
        person = {"email": "anna@example.org", "password": "correct horse battery"}
        assert (await client.post("/api/v1/auth/register", json=person)).status_code == 202
        assert await (await program.container.get(BusQueue)).is_empty()
        assert "bus" not in (await client.get("/health/ready")).json()["checks"]
