"""Locust's way through the journeys: `LOAD_ADMIN_KEY=opk_… locust -f deploy/load/locustfile.py -H http://host:8000`.

A Locust user goes on one journey after another. The key needs the scope `admin` and a limit that is not reached, and so
do people: `opora keys create --scope admin --rate-limit-per-min 1000000`, OPORA_RATE_LIMIT_PER_MIN.
"""

import os
import threading
import time
from collections.abc import Generator
from random import Random
from typing import Any

from journeys import Answer, Call, Cast, chosen
from locust import HttpUser, constant, task
from stage import stage

LOCK = threading.Lock()
CASTS: list[Cast] = []


class Caller(HttpUser):
    """Somebody who does what journeys say, without a pause: load is what the number of users and their rate make it."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Set the stage if nobody of this process has yet."""
        self.chance = Random()  # noqa: S311 — it guards nothing
        with LOCK:
            if not CASTS:
                CASTS.append(self.driven(stage(os.environ["LOAD_ADMIN_KEY"], f"{os.getpid()}-{int(time.time())}")))
        self.cast = CASTS[0]

    @task
    def journey(self) -> None:
        """Take one journey to its end."""
        self.driven(chosen(self.cast, self.chance))

    def driven[T](self, calls: Generator[Call, Answer, T]) -> T:
        """Make the calls that a journey yields, and return what it returns."""
        try:
            call = next(calls)
            while True:
                call = calls.send(self.made(call))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def made(self, call: Call) -> Answer:
        """Make one call; a status that it does not hold for good fails it."""
        options: dict[str, Any] = {"name": call.name, "headers": dict(call.headers), "data": call.body or None}
        with self.client.request(call.method, call.path, catch_response=True, **options) as answer:
            if answer.status_code in call.good:
                answer.success()
            else:
                answer.failure(f"{answer.status_code}")
            return Answer(answer.status_code, answer.content or b"")
