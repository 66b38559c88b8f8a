"""Tells what a file is: its first bytes choose the reader, which sees whether it is whole and harmless."""

import mmap
from pathlib import Path

from opora.adapters.sandbox.papers import docx, images, pdf
from opora.adapters.sandbox.papers.faults import Faulty

SIGNATURES = (
    (b"%PDF-", pdf.read),
    (b"PK\x03\x04", docx.read),
    (images.PNG_SIGNATURE, images.read_png),
    (b"\xff\xd8\xff", images.read_jpeg),
)


def examine(place: str, text_max: int = 100_000) -> dict[str, object]:
    """Return `media_type`, `pages` and `text`, or `fault` and `detail`."""
    try:
        with Path(place).open("rb") as file:
            if not file.read(1):
                raise Faulty("empty", "The file has no content.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                for signature, read in SIGNATURES:
                    if content[: len(signature)] == signature:
                        return read(content, text_max)
        raise Faulty("unsupported", "Send a PDF, a DOCX, a PNG or a JPEG.")
    except Faulty as faulty:
        return {"fault": faulty.fault, "detail": str(faulty)}
