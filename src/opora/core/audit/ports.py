"""Reading the audit log."""

from abc import ABC, abstractmethod

from opora.core.audit.model import AuditEntry, AuditFilter, Verification
from opora.core.kernel.model import Page, PageRequest


class AuditLog(ABC):
    """The audit log as administrators read it; nobody writes it but the change it tells of."""

    @abstractmethod
    async def page(self, wanted: AuditFilter, request: PageRequest) -> Page[AuditEntry]:
        """Return entries, the newest first; by cursor a page costs the same at any depth.

        Counts are exact up to ten thousand and a lower bound beyond.
        """

    @abstractmethod
    async def verify(self) -> Verification:
        """Walk the whole chain, off the event loop, and name the first entry altered, removed or inserted."""
