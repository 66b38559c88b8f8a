"""More than a process can do: who would wait too long is told at once to come again, so that others are in time."""

from collections.abc import Mapping
from typing import Any

from opora.api.errors import Overloaded

REQUESTS_MAX = 256
WAIT_MAX_S = 2.0
LOOK_S = 0.005
"""While nobody is late it is looked no more often than this: a look is a call to the kernel."""


class Crowd:
    """Counts the requests that are worked on, and looks how long those that come have waited to be begun.

    Where others are waited for (the database), requests pile up here. Where the processor is short they pile up before
    the process, in the kernel, and each is ended before the next is begun: there only their age tells. The server puts
    a way to ask it into the scope as `waited_s`; without it nobody is late. The first request of a connection, which
    may have waited to be accepted too, has `is_newcomer` there, and is looked at whenever it comes.
    """

    def __init__(self, requests_max: int = REQUESTS_MAX, wait_max_s: float = WAIT_MAX_S) -> None:
        """Work on `requests_max` at once; refuse who has waited for `wait_max_s`, nobody where it is 0."""
        self._requests_max = requests_max
        self._wait_max_s = wait_max_s
        self._busy = 0
        self._looked_s = 0.0
        self._is_late = False

    def refuse(self, scope: Mapping[str, Any], now_s: float) -> None:
        """Raise Overloaded for a request that comes too many or too late."""
        self.refuse_another()
        is_due = self._is_late or now_s - self._looked_s >= LOOK_S or scope.get("is_newcomer", False)
        if not self._wait_max_s or not is_due:
            return
        waited_s = scope.get("waited_s")
        self._looked_s = now_s
        self._is_late = waited_s is not None and waited_s() >= self._wait_max_s
        if self._is_late:
            raise Overloaded

    def refuse_another(self) -> None:
        """Raise Overloaded while all places are taken."""
        if self._busy >= self._requests_max:
            raise Overloaded

    def enter(self) -> None:
        """Take a place; raises Overloaded where others took the last one meanwhile."""
        self.refuse_another()
        self._busy += 1

    def leave(self) -> None:
        """Give the place back."""
        self._busy -= 1
