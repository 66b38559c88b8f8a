"""What each context holds on a person: shown to them whole, and erased when they ask."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence


class PersonalRecords(ABC):
    """What one context holds on people. A context that holds anything contributes one, in its wiring.

    `section` is the member of the export under which the records stand.
    """

    section: str

    @abstractmethod
    def held(self, user_id: int) -> AsyncIterator[Mapping[str, object]]:
        """Yield every record held on the person, as plain JSON values, with bounded memory; no secret is one."""

    @abstractmethod
    async def erase(self, user_id: int) -> None:
        """Erase what is personal, in transactions of its own; what the law or a ledger keeps stays without a name.

        Called after the person was erased, once or more often: the second time changes nothing.
        """


class PersonalRegistry(ABC):
    """Every context's records of people."""

    @abstractmethod
    def all(self) -> Sequence[PersonalRecords]:
        """Return them in the order of the export."""
