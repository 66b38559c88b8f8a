"""Versions of the API on the wire: Deprecation (RFC 9745), Sunset (RFC 8594), successors, and 410 past the end."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from time import monotonic

from opora.api.errors import VersionRetired
from opora.api.security import Pairs
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.model import ApiVersion, VersionStatus
from opora.core.kernel.ports import Clock, VersionRegistry

CACHE_S = 5.0
ALWAYS_OPEN = ("/versions", "/admin/versions")
"""Answered past a sunset too: how a wrong date is seen and mended."""


def deprecation(since: datetime) -> tuple[bytes, bytes]:
    """Return the Deprecation header of an instant (a structured-field date)."""
    return (b"deprecation", b"@%d" % int(since.timestamp()))


def sunset(at: datetime) -> tuple[bytes, bytes]:
    """Return the Sunset header of an instant (an HTTP date)."""
    return (b"sunset", format_datetime(at.astimezone(UTC), usegmt=True).encode("ascii"))


def notice(since: datetime, until: datetime) -> Pairs:
    """Return the headers of a credential that a rotation has replaced."""
    return [deprecation(since), sunset(until)]


class Versions:
    """The registry as the gate sees it: read at most once in CACHE_S, and as last read while its store is down."""

    def __init__(self, registry: VersionRegistry | None, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._stale_at_s = 0.0 if registry is not None else float("inf")
        self._headers: dict[str, Pairs] = {}
        self._retired: dict[str, VersionRetired] = {}
        self.newest = "v1"
        """The version that a path without one means: the newest stable one."""

    def is_stale(self) -> bool:
        """Tell whether what is known has aged."""
        return monotonic() >= self._stale_at_s

    async def refresh(self) -> None:
        """Read the registry again; requests meanwhile go by what is known."""
        if self._registry is None:
            return
        self._stale_at_s = monotonic() + CACHE_S
        try:
            self._take(await self._registry.versions())
        except Unavailable:
            return

    def forget(self) -> None:
        """Read the registry at the next request: its rows were changed here."""
        if self._registry is not None:
            self._stale_at_s = 0.0

    def headers(self, version: str | None) -> Pairs:
        """Return what every answer of this version carries, refusals included."""
        return [] if version is None else self._headers.get(version, [])

    def refuse_retired(self, version: str | None, path: str) -> None:
        """Raise VersionRetired past the version's sunset."""
        retired = self._retired.get(version or "")
        if retired is not None and not path.removeprefix(f"/api/{version}").startswith(ALWAYS_OPEN):
            raise retired

    def _take(self, rows: Iterable[ApiVersion]) -> None:
        now = self._clock.now()
        self._headers, self._retired = {}, {}
        rows = list(rows)
        for row in rows:
            if row.status is VersionStatus.RETIRED or (row.sunset_on and now >= _midnight(row.sunset_on)):
                self._retired[row.version] = _retired(row)
            found = _headers(row)
            if found:
                self._headers[row.version] = found
        stable = [
            row.version for row in rows if row.status is VersionStatus.STABLE and row.version not in self._retired
        ]
        self.newest = max(stable, key=lambda word: int(word[1:]), default=self.newest)


def _headers(row: ApiVersion) -> Pairs:
    found: Pairs = []
    if row.deprecated_on is not None:
        found.append(deprecation(_midnight(row.deprecated_on)))
    if row.sunset_on is not None:
        found.append(sunset(_midnight(row.sunset_on)))
    if row.successor and found:
        found.append((b"link", f'</api/{row.successor}>; rel="successor-version"'.encode("ascii", "replace")))
    return found


def _retired(row: ApiVersion) -> VersionRetired:
    ended = row.sunset_on.isoformat() if row.sunset_on else None
    return VersionRetired(f"{row.version} is no longer served.", successor=row.successor, sunset_on=ended)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
