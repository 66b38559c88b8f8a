"""The virus scanner of the embedded set-up: it knows the test file of EICAR, and nothing else."""

from collections.abc import AsyncIterable

from opora.core.documents.model.files import Verdict
from opora.core.documents.ports.files import VirusScanner

# In two halves, so that no scanner takes this file for the test file.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD" + "-ANTIVIRUS-TEST-FILE!$H+H*").encode()


class SignatureScanner(VirusScanner):
    """Looks for the EICAR test string anywhere in a file; a bank sets a real scanner in its place."""

    async def scan(self, content: AsyncIterable[bytes]) -> Verdict:
        """See the port."""
        kept = b""
        async for some in content:
            window = kept + some
            if EICAR in window:
                return Verdict(is_clean=False, signature="Eicar-Test-Signature")
            kept = window[-len(EICAR) + 1 :]
        return Verdict(is_clean=True)
