"""Who sees a kept profile, how it is searched for, and what is kept of a batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from opora.core.kernel.model import Actor
from opora.core.kernel.rules import folded, words
from opora.core.profiles.model.exports import EVERYONES, Reach
from opora.core.profiles.model.kept import KeptProfile, ProfileFilter
from opora.core.profiles.model.requests import Generated

READ_ALL = "profiles:read_all"
"""What lets a caller see everyone's profiles and the exports made of them; `admin` includes it."""


def reach(actor: Actor) -> Reach:
    """Return whose profiles and exports the caller may see."""
    return EVERYONES if actor.may(READ_ALL) else Reach(actor.subject)


def source_key(text: str) -> str:
    """Return the name of a caller; a bare number is a key's."""
    return f"key:{int(text)}" if text.isascii() and text.isdecimal() else text


def wanted(
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    source: str | None = None,
    locale: str | None = None,
    q: str | None = None,
) -> ProfileFilter:
    """Return the filter that these words mean; of `q` the first eight words count."""
    return ProfileFilter(
        created_after,
        created_before,
        None if source is None else source_key(source),
        locale,
        words(q),
    )


def kept(
    generated: Generated, ids: Sequence[int], owner: str, now: datetime, ttl_seconds: int | None
) -> list[KeptProfile]:
    """Return the records of a batch under these ids, in order."""
    expires_at = None if ttl_seconds is None else now + timedelta(seconds=ttl_seconds)
    return [
        KeptProfile(
            id=profile_id,
            source_key=owner,
            profile=profile,
            recipe=generated.recipe,
            index=generated.index + place,
            data_version=generated.data_version,
            search=folded(profile.full_name),
            created_at=now,
            expires_at=expires_at,
        )
        for place, (profile_id, profile) in enumerate(zip(ids, generated.profiles, strict=True))
    ]
