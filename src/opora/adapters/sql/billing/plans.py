"""Plans in a relational store: versions of their terms, which never change, and which of them is the newest."""

from collections.abc import Sequence
from dataclasses import fields

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.core.billing.model.plans import Plan
from opora.core.billing.ports.plans import PlanRepository, PlanViews

NAMES = tuple(field.name for field in fields(Plan))
TERMS = ", ".join(f"v.{name}" for name in NAMES)
CURRENT = f"SELECT {TERMS} FROM plans p JOIN plan_versions v ON v.code = p.code AND v.version = p.version"
OFFERED = f"{CURRENT} WHERE p.is_offered ORDER BY v.rank, v.code"
NEWEST = f"{CURRENT} ORDER BY v.rank, v.code"
NEWEST_OF = f"{CURRENT} WHERE p.code = :code"
VERSION = f"SELECT {TERMS} FROM plan_versions v WHERE v.code = :code AND v.version = :version"
ADD_TERMS = insertion("plan_versions", NAMES)
POINT = """
INSERT INTO plans (code, version, is_offered) VALUES (:code, :version, true)
ON CONFLICT (code) DO UPDATE SET version = excluded.version, is_offered = true
"""
OFFER = "UPDATE plans SET is_offered = :is_offered WHERE code = :code AND is_offered <> :is_offered"


class SqlPlanViews(PlanViews):
    """Plans as everybody sees them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def offered(self) -> Sequence[Plan]:
        return [load(Plan, row) for row in await self._connection.fetch(OFFERED)]

    async def terms(self, code: str, version: int | None = None) -> Plan | None:
        if version is None:
            row = await self._connection.fetch_one(NEWEST_OF, code=code)
        else:
            row = await self._connection.fetch_one(VERSION, code=code, version=version)
        return load(Plan, row) if row else None


class SqlPlanRepository(SqlPlanViews, PlanRepository):
    """Plans inside one transaction."""

    async def newest(self) -> Sequence[Plan]:
        lock = " FOR UPDATE OF p" if self._connection.dialect == "postgresql" else ""
        return [load(Plan, row) for row in await self._connection.fetch(NEWEST + lock)]

    async def publish(self, plan: Plan) -> None:
        nested = {"names": to_json(dict(plan.names)), "options": to_json(dict(plan.options))}
        await self._connection.execute(ADD_TERMS, **{**columns(plan), **nested})
        await self._connection.execute(POINT, code=plan.code, version=plan.version)

    async def offer(self, code: str, *, is_offered: bool) -> bool:
        return bool(await self._connection.execute(OFFER, code=code, is_offered=is_offered))
