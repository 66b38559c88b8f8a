"""The tables people are made from, read from the files of this package."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

import msgspec

from opora.core.profiles.model.tables import LocaleTable, Tables
from opora.core.profiles.ports.tables import ProfileTables

DATA_VERSION = 1
DIGESTS: Mapping[str, str] = {
    "ru_RU": "20e07ab48bdbb54cf5751b3763a6aa871c46f8e6d3e6047bec38ec4dac03300f",
    "en_US": "96b3a28472dd792f9ab3db6be5feb996a2172696b447ccb8fa7d1489d0da270d",
    "en_GB": "722db108ef84842f32c7c0590592736ebebd7029343812180ceaf25356c1d0da",
    "de_DE": "a08a344967d95555b7dd93f353f976bb1fd2e4d0c692af3c29a7ab117a09767d",
    "kk_KZ": "f114821671e246e062b7a5ebd26d930e5ee8a8e343e92f250096ee70adfbd191",
}
"""The SHA-256 of each locale's file. A changed file needs a new digest and, as the people change, a new version."""


class TamperedTables(RuntimeError):
    """A table is not the file its digest was taken of, so the promised people cannot be made from it."""


def read_table(locale: str, content: bytes, digest: str) -> LocaleTable:
    """Read one locale's file; raise TamperedTables unless its SHA-256 is `digest`."""
    found = sha256(content).hexdigest()
    if found != digest:
        raise TamperedTables(f"the table of {locale} has the SHA-256 {found}, not {digest}")
    return msgspec.json.decode(content, type=LocaleTable)


@cache
def packaged_tables() -> Tables:
    """Return the tables shipped with the program, read once."""
    folder = files("opora.adapters.files") / "profile_tables"
    contents = {locale: (folder / f"{locale}.json").read_bytes() for locale in DIGESTS}
    read = {locale: read_table(locale, contents[locale], digest) for locale, digest in DIGESTS.items()}
    return Tables(DATA_VERSION, read)


class FileProfileTables(ProfileTables):
    """The packaged tables."""

    def load(self) -> Tables:
        """Return them; the first call reads and checks the files."""
        return packaged_tables()
