"""What must hold whatever happened: looked at in the store after the storm, and in its history, written by triggers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from opora.adapters.sql.connection import Connection, Row
from opora.bootstrap.simulation.work import ASKED, EFFECT, KNOWN, SUBSCRIBERS, TICK, UNKNOWN, WORK, job_of
from opora.core.jobs.model import MOVES, JobState, RetryPolicy
from opora.core.kernel.model import StoredAnswer

URGENT_S = 1.0
RETRY = RetryPolicy(base_s=0.5, cap_s=8.0)
HISTORY = f"""
CREATE TABLE sim_history (
  number INTEGER PRIMARY KEY, id TEXT, kind TEXT, was TEXT, state TEXT, attempt INTEGER, attempts_max INTEGER,
  lease_id TEXT, taken_early INTEGER, early INTEGER, pause_s REAL, urgent INTEGER);
CREATE INDEX sim_history_id ON sim_history(id);
CREATE TRIGGER sim_moves AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
  INSERT INTO sim_history (id, kind, was, state, attempt, attempts_max, lease_id, taken_early, early, pause_s, urgent)
  VALUES (NEW.id, NEW.kind, OLD.state, NEW.state, NEW.attempt, NEW.attempts_max, NEW.lease_id,
   OLD.state = 'running' AND NEW.state <> 'succeeded' AND OLD.lease_until >= now() AND NEW.run_at = OLD.run_at
    AND NEW.attempt = OLD.attempt,
   NEW.state = 'running' AND NEW.run_at > now(),
   CASE WHEN NEW.run_at = OLD.run_at THEN 0 ELSE (julianday(NEW.run_at) - julianday(now())) * 86400 END,
   CASE WHEN NEW.state = 'running' THEN (SELECT count(*) FROM jobs WHERE state = 'queued' AND priority > NEW.priority
    AND run_at <= later(-{URGENT_S}) AND kind IN ({", ".join(f"'{kind}'" for kind in KNOWN)})) ELSE 0 END);
END;
CREATE TRIGGER sim_finishes BEFORE UPDATE ON jobs WHEN OLD.state IN ('succeeded', 'cancelled') BEGIN
  INSERT INTO sim_history (id, kind, was, state) VALUES (OLD.id, OLD.kind, OLD.state, NEW.state);
END;
"""
"""Every move of a job, kept in the transaction of the move."""

ENDED = {str(state) for state in MOVES.final()} | {str(JobState.DEAD)}


class Records:
    """Everything the store holds after a run, read once."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self.jobs = {str(row["id"]): row for row in tables.get("jobs", ())}
        self.moves: dict[str, list[Row]] = defaultdict(list)
        for row in tables.get("sim_history", ()):
            self.moves[str(row["id"])].append(row)
        self.outbox = list(tables.get("outbox", ()))
        self.effects: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        for row in tables.get("audit_log", ()):
            if row["action"] == EFFECT:
                self.effects[row["entity_id"]] += 1
            elif row["action"] == ASKED:
                self.asked[row["entity_id"]] += 1

    @classmethod
    async def read(cls, connection: Connection) -> "Records":
        """Read every table that the invariants speak of."""
        names = ("jobs", "sim_history", "outbox", "audit_log")
        return cls({name: await connection.fetch(f"SELECT * FROM {name} ORDER BY rowid") for name in names})


class Told:
    """What the clients were told: the answers to each key, and the jobs whose cancelling came before any claim."""

    def __init__(self) -> None:
        self.answers: dict[str, list[StoredAnswer]] = defaultdict(list)
        self.cancelled_unclaimed: set[UUID] = set()
        self.asked: dict[str, Any] = {}


def violations(records: Records, told: Told) -> Iterator[str]:
    """Yield every promise that was broken."""
    yield from calls(records, told)
    for id, job in records.jobs.items():
        yield from job_ends(records, id, job)
        yield from job_moves(records, id)
    yield from events(records)
    keys = Counter(job["dedup_key"] for job in records.jobs.values() if job["dedup_key"])
    yield from (f"J7: {count} jobs of dedup key {key}" for key, count in keys.items() if count > 1)
    for cancelled in told.cancelled_unclaimed:
        if records.effects[str(cancelled)]:
            yield f"J10: job {cancelled} was cancelled before any claim and had its effect"


def calls(records: Records, told: Told) -> Iterator[str]:
    """P1 and P2 of the service: what was acknowledged is there, once, and every answer is the same."""
    for key, answers in told.answers.items():
        if records.asked[key] != 1:
            yield f"P2: call {key} was answered and had {records.asked[key]} effects"
        if len({answer.body for answer in answers}) != 1:
            yield f"P2: call {key} was answered differently"
        if str(job_of(answers[0])) not in records.jobs:
            yield f"P1: call {key} was answered and its job is not there"
    yield from (f"P2: call {key} had {count} effects" for key, count in records.asked.items() if count > 1)


def job_ends(records: Records, id: str, job: Row) -> Iterator[str]:
    """J1, J2, J5, J13: where a job ended and how often it had its effect."""
    if job["kind"] == UNKNOWN:
        if (job["state"], job["attempt"]) not in {("queued", 0), ("cancelled", 0)}:
            yield f"J13: job {id} of an unknown kind is {job['state']}"
        return
    if job["state"] not in ENDED:
        yield f"J1: job {id} is still {job['state']}"
    expected = 1 if job["state"] == JobState.SUCCEEDED else 0
    if job["kind"] != "jobs.tidy" and records.effects[id] != expected:
        yield f"J2: {job['state']} job {id} had {records.effects[id]} effects"
    if job["attempt"] > job["attempts_max"]:
        yield f"J5: job {id} made {job['attempt']} of {job['attempts_max']} attempts"


def job_moves(records: Records, id: str) -> Iterator[str]:
    """J3, J4, J8: every move followed the table, and no lease was given over a living one."""
    state, attempt = str(JobState.QUEUED), 0
    leases: list[str] = []
    for move in records.moves[id]:
        if move["was"] != state or JobState(move["state"]) not in MOVES.table[JobState(state)]:
            yield f"J4: job {id} went from {state} ({move['was']}) to {move['state']}"
        state = move["state"]
        if move["taken_early"]:
            yield f"J3: job {id} was taken from a worker whose lease held"
        if move["was"] == JobState.RUNNING and state == JobState.QUEUED and move["pause_s"] > RETRY.cap_s + 0.01:
            yield f"J6: job {id} waits {move['pause_s']:.1f} s for its next attempt"
        if move["early"]:
            yield f"J6: job {id} began before its time"
        if move["urgent"]:
            yield f"J8: job {id} was claimed before {move['urgent']} more urgent ones"
        if state == JobState.RUNNING:
            leases.append(move["lease_id"])
            if move["attempt"] != attempt + 1:
                yield f"J5: job {id} began attempt {move['attempt']} after {attempt}"
            if move["attempt"] > move["attempts_max"]:
                yield f"J5: job {id} began attempt {move['attempt']} of {move['attempts_max']}"
        attempt = move["attempt"]
    if len(leases) != len(set(leases)):
        yield f"J3: two attempts of job {id} had one lease"


def events(records: Records) -> Iterator[str]:
    """J9, J11: an event for every effect, a job for every event and subscriber, and no more."""
    worked = Counter(row["subject"] for row in records.outbox if row["topic"] == "sim.worked")
    for id, job in records.jobs.items():
        if job["kind"] == WORK and worked[id] != (job["state"] == JobState.SUCCEEDED):
            yield f"J11: {job['state']} job {id} told of {worked[id]} effects"
        deaths = sum(move["state"] == JobState.DEAD for move in records.moves[id])
        died = sum(row["topic"] == "job.dead" and row["subject"] == id for row in records.outbox)
        if deaths != died:
            yield f"J11: job {id} died {deaths} times and was told of {died} times"
    keys = Counter(job["dedup_key"] for job in records.jobs.values())
    for row in records.outbox:
        heard = [keys[f"{name}:{row['id']}"] for name in SUBSCRIBERS]
        if row["topic"] == "sim.worked" and heard != [1] * len(SUBSCRIBERS):
            yield f"J9: event {row['id']} reached its subscribers {heard} times"


def ticks(records: Records) -> Counter[str]:
    """J12: how often each slot of the clock had its effect."""
    slots = {id: job["dedup_key"] for id, job in records.jobs.items() if job["kind"] == TICK}
    return Counter({slot: records.effects[id] for id, slot in slots.items()})
