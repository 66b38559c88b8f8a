"""A profile that is kept, and which kept profiles are wanted."""

from dataclasses import dataclass
from datetime import datetime

from opora.core.profiles.model.people import Profile
from opora.core.profiles.model.requests import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProfile:
    """A person with what makes them again: the data version, the recipe and the index in its seed.

    `source_key` is the caller that had it made; `search` the name as it is searched for. Past `expires_at` nobody
    sees it any more, whether or not it was deleted already.
    """

    id: int
    source_key: str
    profile: Profile
    recipe: Recipe
    index: int
    data_version: int
    search: str
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeepingPolicy:
    """How long profiles are kept when the call does not say: `ttl_s` seconds, or for ever where it is None.

    Where they are sealed, nothing that makes them again may stand beside them.
    """

    ttl_s: int | None = None
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """Which profiles are wanted; None wants any. Made at `created_after` or later, and before `created_before`.

    `q` holds words that must all occur in the name.
    """

    created_after: datetime | None = None
    created_before: datetime | None = None
    source_key: str | None = None
    locale: str | None = None
    q: tuple[str, ...] = ()
