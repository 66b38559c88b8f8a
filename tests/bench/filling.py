"""Profiles in numbers: some made through the service, then copied by the database itself, and given to the peer too."""

import asyncio
import sqlite3
from hashlib import sha256
from pathlib import Path

import asyncpg
import httpx

from bench.staging import Process

MADE_AT_ONCE = 100
KEPT = "source_key, locale, seed, position, as_of, data_version, recipe, created_at, search"
COPY = f"""
INSERT INTO profiles (id, {KEPT}, payload)
SELECT id + {{step}} * {{made}}, {KEPT},
 '{{{{"id":' || (id + {{step}} * {{made}}) || substr(payload, {{comma}}) FROM profiles
WHERE id <= (SELECT min(id) + {{made}} - 1 FROM profiles)
"""
FIELDS = (
    "locale", "sex", "full_name", "last_name", "first_name", "middle_name", "birth_date", "birth_place", "phone",
    "email",
)  # fmt: skip
PARTS = ("passport", "address", "tax", "finance")
PEER_TABLES = """
CREATE TABLE usual_keys (id bigint PRIMARY KEY, digest text NOT NULL UNIQUE, active boolean NOT NULL);
CREATE TABLE usual_profiles (
  id bigint PRIMARY KEY, locale text NOT NULL, sex text NOT NULL, full_name text NOT NULL, last_name text NOT NULL,
  first_name text NOT NULL, middle_name text, birth_date date NOT NULL, birth_place text NOT NULL, passport jsonb,
  address jsonb, phone text NOT NULL, email text NOT NULL, tax jsonb, finance jsonb)
"""


def make(service: Process, key: str, count: int) -> None:
    """Have the service make and keep people."""
    with httpx.Client(base_url=service.url, headers={"X-API-Key": key}, timeout=60) as client:
        for _ in range(count // MADE_AT_ONCE):
            client.post("/api/v1/profiles/generate", json={"count": MADE_AT_ONCE, "persist": True}).raise_for_status()


def copies(made: int, times: int, comma: str) -> list[str]:
    """Write the statements that copy the made ones until there are `times` as many."""
    return [COPY.format(step=step, made=made, comma=comma) for step in range(1, times)]


def copy_in_sqlite(file: Path, made: int, times: int) -> None:
    """Copy inside a database file."""
    database = sqlite3.connect(file, timeout=30)
    with database:
        for sql in copies(made, times, "instr(payload, ',')"):
            database.execute(sql)
    database.close()


async def copy_in_postgres(url: str, made: int, times: int) -> None:
    """Copy inside a server's database, and let it know its tables."""
    driver = await asyncpg.connect(url)
    for sql in copies(made, times, "position(',' in payload)"):
        await driver.execute(sql)
    await driver.execute("VACUUM ANALYZE profiles")
    await driver.close()


async def give_to_peer(url: str, key: str) -> None:
    """Lay the same people out as the peer keeps them, under the same key."""
    driver = await asyncpg.connect(url)
    await driver.execute(PEER_TABLES)
    values = [f"(p->>'{name}'){'::date' if name == 'birth_date' else ''}" for name in FIELDS]
    values += [f"p->'{name}'" for name in PARTS]
    await driver.execute(
        f"INSERT INTO usual_profiles (id, {', '.join(FIELDS + PARTS)})"
        f" SELECT id, {', '.join(values)} FROM (SELECT id, payload::jsonb AS p FROM profiles) AS kept"
    )
    await driver.execute("INSERT INTO usual_keys VALUES (1, $1, true)", sha256(key.encode()).hexdigest())
    await driver.execute("VACUUM ANALYZE usual_profiles")
    await driver.close()


def fill_postgres(url: str, made: int, times: int, peers_key: str = "") -> None:
    """Copy, and where a key is given lay the people out for the peer."""
    asyncio.run(copy_in_postgres(url, made, times))
    if peers_key:
        asyncio.run(give_to_peer(url, peers_key))
