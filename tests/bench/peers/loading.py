"""How others bring numbers in: document 2's own table by COPY, Django's bulk_create, rows by DictReader and an ORM."""

import csv
import time
from collections.abc import Callable
from itertools import batched
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
import psycopg
from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, create_engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

AS_WRITTEN = """
CREATE SCHEMA seed; SET search_path TO seed;
CREATE TABLE projects (id BIGSERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL);
CREATE TABLE providers (id BIGSERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL);
CREATE TABLE geo (id BIGSERIAL PRIMARY KEY, city VARCHAR(255));
CREATE TABLE phone_numbers (
 id BIGSERIAL PRIMARY KEY, phone_number VARCHAR(20) NOT NULL,
 project_id BIGINT REFERENCES projects(id) ON DELETE SET NULL,
 provider_id BIGINT REFERENCES providers(id) ON DELETE SET NULL,
 geo_id BIGINT REFERENCES geo(id) ON DELETE SET NULL,
 status VARCHAR(50) DEFAULT 'new', call_attempts INT DEFAULT 0, last_call_at TIMESTAMP, result_data JSONB,
 created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX idx_phone_numbers_phone ON phone_numbers(phone_number);
CREATE INDEX idx_phone_numbers_project_id ON phone_numbers(project_id);
CREATE INDEX idx_phone_numbers_status ON phone_numbers(status);
CREATE INDEX idx_phone_numbers_provider_id ON phone_numbers(provider_id);
CREATE INDEX idx_phone_numbers_geo_id ON phone_numbers(geo_id);
CREATE INDEX idx_phone_numbers_created_at ON phone_numbers(created_at DESC);
INSERT INTO projects VALUES (1, 'one'); INSERT INTO providers VALUES (1, 'one'); INSERT INTO geo VALUES (1, 'one');
"""
BATCH = 1000


def made_as_written(url: str) -> None:
    """Make the tables of document 2 in a schema of their own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(AS_WRITTEN)  # type: ignore[arg-type]  # a text of ours


def emptied(url: str) -> None:
    """Empty the table, and have the server write down what it owes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE seed.phone_numbers")
        connection.execute("CHECKPOINT")


def timed(url: str, way: Callable[[], None]) -> float:
    """Return the seconds a way takes on the empty table."""
    emptied(url)
    started_s = time.perf_counter()
    way()
    return time.perf_counter() - started_s


def copied(url: str, file: Path) -> None:
    """COPY, unchecked, as `psql \\copy` does: the file has clean numbers and the ids of their parents."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        sql = "COPY seed.phone_numbers (phone_number, project_id, provider_id, geo_id) FROM STDIN (FORMAT csv)"
        with cursor.copy(sql) as copy, file.open("rb") as source:
            while some := source.read(1 << 18):
                copy.write(some)


def django_numbers(url: str) -> Any:
    """Set Django up over the tables of document 2, once, and return its model of a number."""
    from django.apps import apps
    from django.conf import settings

    if not settings.configured:
        parts = urlsplit(url)
        base = {
            "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.strip("/"), "USER": parts.username,
            "PASSWORD": parts.password or "", "HOST": parts.hostname, "PORT": parts.port or 5432,
            "OPTIONS": {"options": "-c search_path=seed"},
        }  # fmt: skip
        settings.configure(DATABASES={"default": base}, INSTALLED_APPS=[], USE_TZ=False)
        apps.populate([])
    from bench.peers.django_numbers import PhoneNumber

    return PhoneNumber


def by_django(url: str, file: Path) -> None:
    """Django's bulk_create in batches, as document 2 advises."""
    numbers = django_numbers(url)
    with file.open(newline="") as source:
        for rows in batched(csv.DictReader(source), BATCH):
            numbers.objects.bulk_create(
                [numbers(phone_number=row["phone"], project_id=1, provider_id=1, geo_id=1) for row in rows],
                batch_size=BATCH,
            )


def changed_by_django(url: str, status: str) -> None:
    """Django's bulk_update in batches: every number that there is takes a status."""
    numbers = django_numbers(url)
    found = list(numbers.objects.all())
    for one in found:
        one.status = status
    numbers.objects.bulk_update(found, ["status"], batch_size=BATCH)


class Tables(DeclarativeBase):
    """Tables of the usual service, in a schema of their own."""


class Project(Tables):
    """A project."""

    __tablename__ = "projects"
    __table_args__ = {"schema": "seed"}  # noqa: RUF012
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class UsualNumber(Tables):
    """A number of the usual service: document 2's, and unique in its project."""

    __tablename__ = "usual_numbers"
    __table_args__ = (UniqueConstraint("phone_number", "project_id"), {"schema": "seed"})
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    phone_number: Mapped[str] = mapped_column(String(20))
    project_id: Mapped[int] = mapped_column(ForeignKey("seed.projects.id"), index=True)
    status: Mapped[str] = mapped_column(String(50), default="new", index=True)


def by_orm(url: str, file: Path) -> None:
    """DictReader, phonenumbers and SQLAlchemy, a thousand rows at a time with ON CONFLICT."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    Tables.metadata.create_all(engine)
    with Session(engine) as session, file.open(newline="") as source:
        for rows in batched(csv.DictReader(source), BATCH):
            found = []
            for row in rows:
                number = phonenumbers.parse(row["phone"], "RU")
                if phonenumbers.is_valid_number(number):
                    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                    found.append({"phone_number": text, "project_id": 1, "status": "new"})
            session.execute(insert(UsualNumber).on_conflict_do_nothing(), found)
            session.commit()
    engine.dispose()
