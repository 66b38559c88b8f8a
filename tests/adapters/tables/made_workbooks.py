"""Workbooks for the tests: honest ones, and ones built to do harm."""

import io
import zipfile
from collections.abc import Sequence

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
    '<sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def archive(sheet: str, **others: str) -> bytes:
    """Return an XLSX file with this XML as its only sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in {**PARTS, "xl/worksheets/sheet1.xml": sheet, **others}.items():
            made.writestr(name, text)
    return file.getvalue()


def of_cells(cells: str) -> bytes:
    """Return a workbook of rows given as XML."""
    return archive(f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>')


def workbook(rows: Sequence[Sequence[object]]) -> bytes:
    """Return a workbook of these rows: numbers as numbers, texts as texts."""

    def cell(value: object) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if value is not None else "<c/>"

    return of_cells("".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows))


def sparse() -> bytes:
    """Return a workbook of two cells in opposite corners: dense, it has seventeen thousand million."""
    first = '<row r="1"><c r="A1" t="inlineStr"><is><t>phone</t></is></c></row>'
    return of_cells(first + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def with_declared_size(size: int) -> bytes:
    """Return a workbook whose archive says that its sheet unpacks to that size."""
    content = bytearray(workbook([["phone"], [79160000001]]))
    at = content.rfind(b"PK\x01\x02", 0, content.find(b"xl/worksheets/sheet1.xml", content.find(b"PK\x01\x02")))
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
    return bytes(content)


def many_entries(count: int) -> bytes:
    """Return an archive of that many entries beside the workbook's."""
    return archive(f'<worksheet xmlns="{MAIN}"/>', **{f"x/{nth}": "" for nth in range(count)})
