"""What of people other services are told, from a relational store."""

from opora.adapters.sql.connection import Database
from opora.adapters.sql.mapping import load
from opora.adapters.sql.people import ROLES_OF
from opora.core.access.model.identities import Contact
from opora.core.access.ports.identities import Contacts

FIND = """
SELECT id AS user_id, email, email_verified, is_active, {roles} AS roles FROM users WHERE id = :id
"""


class SqlContacts(Contacts):
    """One statement a look-up."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read
        self._sql = FIND.format(roles=ROLES_OF[self._connection.dialect])

    async def find(self, user_id: int) -> Contact | None:
        row = await self._connection.fetch_one(self._sql, id=user_id)
        return load(Contact, row) if row else None
