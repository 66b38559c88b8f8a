"""The usual way: FastAPI, SQLAlchemy over asyncpg, slowapi over Redis, keys by their SHA-256, offset and count.

`USUAL_DATABASE_URL` and `USUAL_REDIS_URL` say where; the tables are the bench's to make.
"""

import os
from collections.abc import AsyncIterator
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from slowapi.extension import _rate_limit_exceeded_handler
from sqlalchemy import BigInteger, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["USUAL_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"))
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables' common root."""

    type_annotation_map = {int: BigInteger, dict[str, Any]: JSONB}  # noqa: RUF012


class UsualKey(Base):
    """A key."""

    __tablename__ = "usual_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool]


class UsualProfile(Base):
    """A person."""

    __tablename__ = "usual_profiles"
    id: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str]
    sex: Mapped[str]
    full_name: Mapped[str]
    last_name: Mapped[str]
    first_name: Mapped[str]
    middle_name: Mapped[str | None]
    birth_date: Mapped[date]
    birth_place: Mapped[str]
    passport: Mapped[dict[str, Any]]
    address: Mapped[dict[str, Any]]
    phone: Mapped[str]
    email: Mapped[str]
    tax: Mapped[dict[str, Any]]
    finance: Mapped[dict[str, Any]]


class ProfileOut(BaseModel):
    """A person on the wire."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    locale: str
    sex: str
    full_name: str
    last_name: str
    first_name: str
    middle_name: str | None
    birth_date: date
    birth_place: str
    passport: dict[str, Any]
    address: dict[str, Any]
    phone: str
    email: str
    tax: dict[str, Any]
    finance: dict[str, Any]


class PageOut(BaseModel):
    """A page with the count of all."""

    count: int
    results: list[ProfileOut]


def caller(request: Request) -> str:
    """Name whose limit a call is charged to."""
    return request.headers.get("x-api-key", "")


limiter = Limiter(key_func=caller, storage_uri=os.environ["USUAL_REDIS_URL"])
app = FastAPI()
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)


async def session() -> AsyncIterator[AsyncSession]:
    """Give a request its session."""
    async with sessions() as one:
        yield one


Session = Annotated[AsyncSession, Depends(session)]


async def key(x_api_key: Annotated[str, Header()], db: Session) -> UsualKey:
    """Look the key up by its digest."""
    digest = sha256(x_api_key.encode()).hexdigest()
    found = await db.scalar(select(UsualKey).where(UsualKey.digest == digest, UsualKey.active))
    if found is None:
        raise HTTPException(401)
    return found


Key = Annotated[UsualKey, Depends(key)]


@app.get("/profiles/{profile_id}", response_model=ProfileOut)
@limiter.limit("10000000/minute")
async def profile(request: Request, profile_id: int, key: Key, db: Session) -> Any:
    """Read one person."""
    found = await db.get(UsualProfile, profile_id)
    if found is None:
        raise HTTPException(404)
    return found


@app.get("/profiles", response_model=PageOut)
@limiter.limit("10000000/minute")
async def profiles(
    request: Request, key: Key, db: Session, offset: Annotated[int, Query(ge=0)] = 0, limit: int = 50
) -> Any:
    """List people."""
    count = await db.scalar(select(func.count()).select_from(UsualProfile))
    rows = await db.scalars(select(UsualProfile).order_by(UsualProfile.id.desc()).offset(offset).limit(limit))
    return {"count": count, "results": rows.all()}


def build() -> FastAPI:
    """Give the application to the server."""
    return app
