"""Where the tables that people are made from come from."""

from abc import ABC, abstractmethod

from opora.core.profiles.model.tables import Tables


class ProfileTables(ABC):
    """The tables that people are made from."""

    @abstractmethod
    def load(self) -> Tables:
        """Return the one version this program ships, the same at every call."""
