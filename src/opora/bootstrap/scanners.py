"""Chooses the virus scanner by the address of one."""

from opora.adapters.clamav.scanner import ClamScanner, scanner_at
from opora.adapters.sandbox.signatures import SignatureScanner
from opora.bootstrap.settings import Settings
from opora.core.documents.ports.files import VirusScanner


def scanner_of(settings: Settings) -> VirusScanner:
    """Return ClamAV where it is named, and otherwise the scanner that knows the test file alone."""
    return ClamScanner(scanner_at(settings.antivirus_url)) if settings.antivirus_url else SignatureScanner()
