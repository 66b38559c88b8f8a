"""What a paper is, told by its own structure."""

import io
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from opora.adapters.sandbox.papers import archives, docx, examining, pdf
from opora.core.documents.model.documents import MediaType
from opora.core.documents.model.files import Fault
from opora.testing.papers import BAD, GOOD, a_docx, a_jpeg, a_pdf, a_png, packed, related, segment

type Examining = Callable[[bytes], dict[str, Any]]


@pytest.fixture
def examine(tmp_path: Path) -> Examining:
    """Examine a file of these bytes."""

    def examined(content: bytes) -> dict[str, Any]:
        place = tmp_path / "file"
        place.write_bytes(content)
        return examining.examine(str(place))

    return examined


@pytest.mark.parametrize("kind", GOOD)
def test_an_honest_paper_is_told_by_its_structure(kind: str, examine: Examining) -> None:
    assert MediaType(examine(GOOD[kind])["media_type"]) == kind


@pytest.mark.parametrize("name", BAD)
def test_a_paper_that_is_not_taken_is_refused_for_its_fault(name: str, examine: Examining) -> None:
    fault, content = BAD[name]
    found = examine(content)
    assert (Fault(found["fault"]), bool(found["detail"])) == (fault, True), found


def test_pages_and_text_of_a_pdf_are_read(examine: Examining) -> None:
    found = examine(a_pdf("Lease", pages=3))
    assert (found["pages"], found["text"]) == (3, "Lease 1\nLease 2\nLease 3")


def test_the_text_that_is_read_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(a_pdf("Lease", pages=60))
    assert examining.examine(str(tmp_path / "a"), text_max=10)["text"] == "Lease 1\nLea"
    (tmp_path / "b").write_bytes(a_docx("слово " * 50))
    assert examining.examine(str(tmp_path / "b"), text_max=10)["text"] == "слово слов"


def test_pages_and_text_of_a_docx_are_read(examine: Examining) -> None:
    found = examine(a_docx("Договор &amp; срок"))
    assert (found["pages"], found["text"]) == (3, "Договор & срок\n")
    assert examine(a_docx(parts={"docProps/app.xml": "<Properties/>"}))["pages"] is None


def test_links_that_a_reader_clicks_are_no_harm(examine: Examining) -> None:
    rows = related("hyperlink", "https://example.org")
    assert "fault" not in examine(a_docx(parts={"word/_rels/document.xml.rels": rows}))


def test_a_pdf_that_asks_for_a_password_is_refused(examine: Examining) -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(a_pdf())))
    writer.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert examine(out.getvalue())["fault"] == "encrypted"


def test_a_pdf_of_a_real_writer_is_taken(examine: Examining) -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(a_pdf(pages=2))))
    writer.compress_identical_objects()
    out = io.BytesIO()
    writer.write(out)
    assert examine(out.getvalue())["pages"] == 2


def test_pages_that_form_a_ring_do_not_hang_the_reader(examine: Examining) -> None:
    ring = a_pdf().replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    assert examine(ring)["fault"] == "damaged"


def test_an_unreadable_text_costs_no_page(examine: Examining, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = a_pdf().replace(b"Tj ET", b"Tj (((")
    assert examine(broken)["pages"] == 1


def test_text_is_freed_of_what_no_store_keeps() -> None:
    assert pdf.sober("a\x00b\ud800c") == "abc"
    assert docx.text_of(b"<w:t>a&#0;b</w:t>", 10) == "a\ufffdb"


def test_an_archive_whose_sizes_are_told_elsewhere_is_one(tmp_path: Path) -> None:
    end = b"PK\x05\x06" + bytes(8) + b"\xff\xff\xff\xff" + bytes(6)
    for content, is_archive in ((a_png() + end, True), (a_png() + b"PK\x05\x06" + bytes(18), False)):
        (tmp_path / "a").write_bytes(content)
        with (tmp_path / "a").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert archives.has_archive(mapped) is is_archive


def test_a_jpeg_may_have_fill_bytes_and_bare_markers(examine: Examining) -> None:
    whole = a_jpeg()
    filled = whole[:2] + b"\xff" + whole[2:4] + whole[4:]
    assert examine(whole[:2] + b"\xff" + whole[2:])["media_type"] == "image/jpeg"
    assert examine(whole[:2] + b"\xff\x01" + whole[2:])["media_type"] == "image/jpeg"
    assert examine(filled)["media_type"] == "image/jpeg"
    assert examine(b"\xff\xd8" + segment(0xE0, b"a"))["fault"] == "damaged"


def test_a_huge_part_that_is_looked_into_is_refused(examine: Examining, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx, "PART_MAX", 1_000)
    assert examine(a_docx("слово " * 2_000))["fault"] == "bomb"
    monkeypatch.setattr(docx, "PART_MAX", 10)
    assert examine(a_docx())["fault"] == "unsupported"


def test_what_unpacks_to_more_than_it_says_is_stopped(examine: Examining, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = packed({"a.txt": "hello"})
    monkeypatch.setattr(archives, "UNPACKED_MAX", 100)
    assert examine(whole)["fault"] == "unsupported"
    assert examine(a_docx())["fault"] == "bomb"


def test_a_window_reads_as_a_file_does(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with (tmp_path / "a").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        window = pdf.Window(mapped)
        assert (window.seek(-3, 2), window.read()) == (7, b"789")
        assert (window.seek(2), window.seek(1, 1), window.read(2)) == (2, 3, b"34")
        with pytest.raises(OSError):
            window.seek(-1)
