"""Papers to upload: honest ones of every kind, and hostile ones of every kind that is known here."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml"
TYPES = "[Content_Types].xml"
MAIN = "word/document.xml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def a_pdf(text: str = "Lease", pages: int = 1, padding: int = 0, extra: bytes = b"") -> bytes:
    """Return a PDF of that many pages, each with the text; `padding` bytes lie in a stream that nothing shows."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(pages):
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R"
        objects.append(f"{page} /Resources << /Font << /F1 3 0 R >> >> >>".encode())
        objects.append(stream(f"BT /F1 12 Tf 50 800 Td ({text} {number + 1}) Tj ET".encode()))
    if padding:
        objects.append(stream(b"%" + b"\xa5" * (padding - 1)))
    if extra:
        objects.append(stream(extra))
    return assembled(objects)


def stream(content: bytes) -> bytes:
    """Return a stream object of a PDF."""
    return b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)


def assembled(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects, numbered from 1, the first of which is the catalogue."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %b>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, table)
    return bytes(out)


def a_png(width: int = 2, height: int = 2) -> bytes:
    """Return a grey PNG; only its header knows of an extent past 100 pixels."""
    rows = b"".join(b"\x00" + b"\x7f" * min(width, 100) for _ in range(min(height, 100)))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def a_jpeg(width: int = 8, height: int = 8) -> bytes:
    """Return the structure of a JPEG: what a decoder would see of the picture is noise."""
    app = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x2a\x15\xff\x00\x7e"
    return b"\xff\xd8" + app + frame + scan + b"\xff\xd9"


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


type Parts = Mapping[str, str | bytes]


def a_docx(text: str = "Договор аренды", main: str = f"{DOCX}.document.main+xml", parts: Parts | None = None) -> bytes:
    """Return a DOCX with that text; `parts` are further ones, or take the place of its own."""
    return packed({**docx_parts(text, main), **(parts or {})})


def docx_parts(text: str = "Договор аренды", main: str = f"{DOCX}.document.main+xml") -> dict[str, str | bytes]:
    """Return the parts of a DOCX by name."""
    overrides = f'<Override PartName="/{MAIN}" ContentType="{main}"/>'
    relation = f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="{MAIN}"/>'
    return {
        TYPES: f'{XML}<Types xmlns="{PACKAGE}/content-types">{overrides}</Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{relation}</Relationships>',
        MAIN: f'{XML}<w:document xmlns:w="{WORDS}"><w:body><w:p><w:t>{text}</w:t></w:p></w:body></w:document>',
        "docProps/app.xml": f"{XML}<Properties><Pages>3</Pages></Properties>",
    }


def packed(parts: Parts, comment: bytes = b"") -> bytes:
    """Return an archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
        archive.comment = comment
    return out.getvalue()


def related(kind: str, target: str) -> str:
    """Return the relations of a DOCX's main part, one that leads outside."""
    row = f'<Relationship Id="rId9" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="External"/>'
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{row}</Relationships>'


def encrypted_flag(archive: bytes) -> bytes:
    """Return the archive with every part marked as encrypted."""
    out = bytearray(archive)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(signature)
        while at >= 0:
            out[at + place] |= 1
            at = out.find(signature, at + 4)
    return bytes(out)


def resized(archive: bytes, size: int) -> bytes:
    """Return the archive whose directory says that every part unpacks to that many bytes."""
    out = bytearray(archive)
    at = out.find(b"PK\x01\x02")
    while at >= 0:
        out[at + 24 : at + 28] = struct.pack("<I", size)
        at = out.find(b"PK\x01\x02", at + 4)
    return bytes(out)


GOOD: dict[str, bytes] = {
    "application/pdf": a_pdf(pages=2),
    f"{DOCX}.document": a_docx(),
    "image/png": a_png(),
    "image/jpeg": a_jpeg(),
}
"""An honest paper of each kind."""

BAD: dict[str, tuple[str, bytes]] = {
    "zero bytes": ("empty", b""),
    "text": ("unsupported", b"Hello, this is no paper."),
    "a PDF behind a page of HTML": ("unsupported", b"<html></html>\n" + a_pdf()),
    "an old Word document": ("unsupported", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)),
    "a program": ("unsupported", b"MZ" + bytes(512)),
    "an archive": ("unsupported", packed({"readme.txt": "hello", "word/document.xml": "<w/>"})),
    "a workbook": (
        "unsupported",
        a_docx(main="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"),
    ),
    "a DOCM": ("macros", a_docx(main="application/vnd.ms-word.document.macroEnabled.main+xml")),
    "a DOCX with a macro part": ("macros", a_docx(parts={"word/vbaProject.bin": b"\xcc\x61"})),
    "a DOCX with an ActiveX control": ("macros", a_docx(parts={"word/activeX/activeX1.xml": "<ax/>"})),
    "a DOCX that loads a template": (
        "macros",
        a_docx(parts={"word/_rels__settings.xml.rels": related("attachedTemplate", "http://203.0.113.7/a.dotm")}),
    ),
    "a DOCX with an entity": (
        "damaged",
        a_docx(parts={MAIN: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
    ),
    "a DOCX whose types declare an entity": ("damaged", a_docx(parts={TYPES: '<!DOCTYPE a [<!ENTITY b "c">]><a/>'})),
    "a DOCX whose types are no XML": ("damaged", a_docx(parts={TYPES: "<a"})),
    "a DOCX with an empty main part": ("damaged", a_docx(parts={MAIN: ""})),
    "a DOCX with a name that climbs": ("damaged", a_docx(parts={"../../evil.txt": "x"})),
    "a DOCX that is cut off": ("damaged", a_docx()[:-30]),
    "a DOCX with a wrong sum": ("damaged", resized(a_docx(), 1)),
    "an encrypted DOCX": ("encrypted", encrypted_flag(a_docx())),
    "a DOCX and something behind it": ("polyglot", a_docx() + b"MZ" + bytes(40)),
    "a DOCX with a comment": ("polyglot", packed(docx_parts(), comment=b"%PDF-1.4")),
    "two archives in one": ("polyglot", packed({"a.txt": "b"}) + a_docx()),
    "a zip bomb": ("bomb", resized(a_docx(), 210_000_000)),
    "a zip bomb of many parts": ("bomb", a_docx(parts={f"{number}.txt": "" for number in range(2_001)})),
    "a dense part": ("bomb", a_docx(parts={"word/media/a.xml": bytes(3_000_000)})),
    "a PDF of no version": ("damaged", b"%PDF-x" + a_pdf()[8:]),
    "a PDF that is cut off": ("damaged", a_pdf()[:-20]),
    "a PDF without objects": ("damaged", b"%PDF-1.4\n%%EOF\n"),
    "a PDF without pages": ("damaged", a_pdf(pages=0)),
    "a PDF and words behind it": ("damaged", a_pdf() + b"hello"),
    "a PDF and a program behind it": ("polyglot", a_pdf() + b"MZ" + bytes(range(1, 250)) * 8),
    "a PDF that is an archive": ("polyglot", a_pdf() + packed({"a.txt": "b"})),
    "a PDF with an archive in it": ("polyglot", a_pdf(extra=packed({"a.txt": "b"}))),
    "a PNG that is cut off": ("damaged", a_png()[:-6]),
    "a PNG with a wrong sum": ("damaged", a_png().replace(b"IDAT", b"IDBT")),
    "a PNG without extent": ("damaged", a_png(width=0)),
    "a PNG of a million by a million": ("bomb", a_png(1_000_000, 1_000_000)),
    "a PNG that is an archive": ("polyglot", a_png() + packed({"a.txt": "b"})),
    "a PNG and words behind it": ("polyglot", a_png() + b"hello"),
    "a JPEG that is cut off": ("damaged", a_jpeg()[:-2]),
    "a JPEG without a frame": ("damaged", b"\xff\xd8" + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x11\xff\xd9"),
    "a JPEG with a length of one": ("damaged", b"\xff\xd8\xff\xe0\x00\x01"),
    "a JPEG that is an archive": ("polyglot", a_jpeg() + packed({"a.txt": "b"})),
    "a JPEG that is a script": ("polyglot", a_jpeg() + b"<?php echo 1;"),
}
"""Papers that are not taken, each with its fault."""
