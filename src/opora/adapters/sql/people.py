"""People in a relational store."""

from dataclasses import fields
from typing import Any

from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.pages import page_of
from opora.core.access.errors import EmailTaken, NoSuchUser
from opora.core.access.model.people import User, UserFilter, UserView, user_view
from opora.core.access.ports.people import UserRepository, UserViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.rules import folded, words

ADMINS_LOCK = 0x0B0BA_AD
"""A number of PostgreSQL's advisory locks: who asks for the admins asks alone."""
USER = tuple(field.name for field in fields(User) if field.name != "roles")
KEPT = tuple(name for name in USER if name not in {"id", "version"})
ROLES_OF = {
    "postgresql": "(SELECT CAST(COALESCE(json_agg(role ORDER BY role), '[]') AS text)"
    " FROM user_roles WHERE user_id = users.id)",
    "sqlite": "(SELECT json_group_array(role) FROM user_roles WHERE user_id = users.id)",
}
"""A user's roles as JSON text."""
ADD = insertion("users", (*USER, "search"), "ON CONFLICT (email) DO NOTHING")
SAVE = f"""
UPDATE users SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version, search = :search
WHERE id = :id AND version = :version - 1
"""
ADD_ROLE = insertion("user_roles", ("user_id", "role"))
DROP_ROLES = "DELETE FROM user_roles WHERE user_id = :user_id"
REPLACE_HASH = "UPDATE users SET password_hash = :new WHERE id = :id AND password_hash = :old"
COUNT_ADMINS = """
SELECT count(*) FROM users JOIN user_roles ON user_roles.user_id = users.id
WHERE user_roles.role = 'admin' AND users.is_active AND users.id <> :user_id
"""


def user_sql(dialect: str, rest: str) -> str:
    """Write the query for whole users."""
    return f"SELECT {', '.join(USER)}, {ROLES_OF[dialect]} AS roles FROM users {rest}"


class SqlUserRepository(UserRepository):
    """User rows with their roles inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("users")

    async def get(self, user_id: int) -> User | None:
        return await self._one("WHERE id = :id", id=user_id)

    async def with_email(self, email: str) -> User | None:
        return await self._one("WHERE email = :email", email=email)

    async def _one(self, where: str, **values: object) -> User | None:
        row = await self._connection.fetch_one(user_sql(self._connection.dialect, where), **values)
        return load(User, row) if row else None

    async def add(self, user: User) -> None:
        if not await self._connection.execute(ADD, **stored(user)):
            raise EmailTaken
        await self._add_roles(user)

    async def save(self, user: User) -> None:
        if not await self._connection.execute(SAVE, **stored(user)):
            raise Stale(user_id=user.id)
        await self._connection.execute(DROP_ROLES, user_id=user.id)
        await self._add_roles(user)

    async def _add_roles(self, user: User) -> None:
        rows = [{"user_id": user.id, "role": role.value} for role in sorted(user.roles)]
        await self._connection.execute_many(ADD_ROLE, rows)

    async def replace_hash(self, user_id: int, old: str, new: str) -> bool:
        return await self._connection.execute(REPLACE_HASH, id=user_id, old=old, new=new) == 1

    async def admins_besides(self, user_id: int) -> int:
        if self._connection.dialect == "postgresql":
            await self._connection.fetch(f"SELECT pg_advisory_xact_lock({ADMINS_LOCK})")
        return int(await self._connection.fetch_value(COUNT_ADMINS, user_id=user_id))


def stored(user: User) -> dict[str, Any]:
    """Give the columns of a user's own row."""
    values = columns(user)
    del values["roles"]
    return values | {"search": folded(f"{user.email} {user.full_name}")}


class SqlUserViews(UserViews):
    """Users as the administration lists them."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read

    async def one(self, user_id: int) -> UserView:
        row = await self._connection.fetch_one(user_sql(self._connection.dialect, "WHERE id = :id"), id=user_id)
        if row is None:
            raise NoSuchUser(user_id=user_id)
        return user_view(load(User, row))

    async def page(self, wanted: UserFilter, page: PageRequest) -> Page[UserView]:
        found = wanted_users(wanted)
        return await page_of(
            self._connection,
            lambda row: user_view(load(User, row)),
            f"users WHERE {found.where}",
            user_sql(self._connection.dialect, f"WHERE {found.where} ORDER BY id DESC"),
            page,
            found.parameters,
        )


def wanted_users(wanted: UserFilter) -> Filter:
    """Write which users are wanted."""
    found = Filter()
    found.narrow("EXISTS (SELECT 1 FROM user_roles WHERE user_id = users.id AND role = :role)", role=wanted.role)
    found.narrow("is_active = :is_active", is_active=wanted.is_active)
    found.containing("search", words(wanted.text))
    return found
