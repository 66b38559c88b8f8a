"""What may be asked of the generator, and what is kept of what it gave."""

from dataclasses import dataclass
from datetime import date

from opora.core.profiles.model.people import Profile, Sex

AGE_MIN_DEFAULT = 18
AGE_MAX_DEFAULT = 80
LOCALE_DEFAULT = "ru_RU"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything besides the index that a person follows from, with the data version; `region` is a region's code."""

    locale: str
    seed: int
    as_of: date
    sex: Sex | None = None
    age_min: int = AGE_MIN_DEFAULT
    age_max: int = AGE_MAX_DEFAULT
    region: str | None = None


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a caller asks for, unchecked; a `seed` of None means any, `as_of` of None today, `index` is the first
    person's place in the seed."""

    count: int = 1
    persist: bool = False
    locale: str = LOCALE_DEFAULT
    seed: int | None = None
    index: int = 0
    as_of: date | None = None
    sex: str | None = None
    age_min: int | None = None
    age_max: int | None = None
    region: str | None = None
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """The people made for one request, with what makes them again; `ids` are given to those that were kept."""

    profiles: list[Profile]
    recipe: Recipe
    index: int
    data_version: int
    ids: tuple[int, ...] | None = None
