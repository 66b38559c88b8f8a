"""Categories, seeded lists and client profiles as rows."""

from collections.abc import Sequence

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.core.documents.errors import CategoryTaken
from opora.core.documents.model.clients import ClientProfile
from opora.core.documents.model.documents import Reach
from opora.core.documents.model.reference import Category, ReferenceItem, ReferenceList
from opora.core.documents.ports.reference import CategoryRepository, ClientRepository, ClientViews, ReferenceViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.rules import folded

CATEGORY = "id, code, name, processing_days, retention_days, created_at"
ADD_CATEGORY = insertion(
    "document_categories",
    ("id", "code", "name", "folded_name", "processing_days", "retention_days", "created_at"),
    "ON CONFLICT DO NOTHING",
)
ONE_CATEGORY = f"SELECT {CATEGORY} FROM document_categories WHERE id = :id"
SAID = f"SELECT {CATEGORY} FROM document_categories WHERE folded_name = :said OR code = :said ORDER BY code = :said"
PROFILE = (
    "user_id", "last_name", "first_name", "middle_name", "birthday", "sex", "address", "inn", "financial_position_id",
    "user_type_id", "updated_at", "version",
)  # fmt: skip
READ_PROFILE = f"""
SELECT u.id AS the_user, {", ".join(f"p.{name}" for name in PROFILE)}
FROM users u LEFT JOIN client_profiles p ON p.user_id = u.id WHERE u.id = :id
"""
SAVE_PROFILE = insertion(
    "client_profiles",
    PROFILE,
    f"ON CONFLICT (user_id) DO UPDATE SET {', '.join(f'{name} = :{name}' for name in PROFILE[1:])}"
    " WHERE client_profiles.version = :previous",
)


class SqlCategoryRepository(CategoryRepository):
    """Categories inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("document_categories")

    async def get(self, id: int) -> Category | None:
        row = await self._connection.fetch_one(ONE_CATEGORY, id=id)
        return load(Category, row) if row else None

    async def add(self, category: Category) -> None:
        values = columns(category) | {"folded_name": folded(category.name)}
        if not await self._connection.execute(ADD_CATEGORY, **values):
            raise CategoryTaken


class SqlReferenceViews(ReferenceViews):
    """The lists, read by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def categories(self, request: PageRequest) -> Page[Category]:
        count = await self._connection.fetch_value("SELECT count(*) FROM document_categories")
        sql = f"SELECT {CATEGORY} FROM document_categories ORDER BY id LIMIT :limit OFFSET :offset"
        rows = await self._connection.fetch(sql, limit=request.limit, offset=request.offset)
        items = [load(Category, row) for row in rows]
        return Page(items, count, more=request.offset + len(items) < count)

    async def category(self, said: str | int) -> Category | None:
        if isinstance(said, int):
            row = await self._connection.fetch_one(ONE_CATEGORY, id=said)
        else:
            row = await self._connection.fetch_one(SAID, said=folded(said))
        return load(Category, row) if row else None

    async def items(self, of: ReferenceList) -> Sequence[ReferenceItem]:
        rows = await self._connection.fetch(f"SELECT id, code, name FROM {of} ORDER BY id")
        return [load(ReferenceItem, row) for row in rows]


class SqlClientRepository(ClientRepository):
    """Client profiles inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE OF u" if connection.dialect == "postgresql" else ""

    async def get(self, user_id: int, reach: Reach) -> ClientProfile | None:
        return await read_profile(self._connection, user_id, reach, self._lock)

    async def save(self, profile: ClientProfile, previous: int) -> None:
        if not await self._connection.execute(SAVE_PROFILE, **columns(profile), previous=previous):
            raise Stale(user_id=profile.user_id)


class SqlClientViews(ClientViews):
    """Client profiles, read by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, user_id: int, reach: Reach) -> ClientProfile | None:
        return await read_profile(self._connection, user_id, reach)

    async def exist(self, user_ids: Sequence[int]) -> frozenset[int]:
        sql = f"SELECT id FROM users WHERE id IN {self._connection.listed('ids')}"
        return frozenset(row["id"] for row in await self._connection.fetch(sql, ids=to_json(list(user_ids))))


async def read_profile(connection: Connection, user_id: int, reach: Reach, lock: str = "") -> ClientProfile | None:
    """Return a user's profile, an empty one where there is none yet, None where the user is out of reach."""
    if reach.user_id not in (None, user_id):
        return None
    row = await connection.fetch_one(READ_PROFILE + lock, id=user_id)
    if row is None:
        return None
    return ClientProfile(user_id=user_id) if row["user_id"] is None else load(ClientProfile, row)
