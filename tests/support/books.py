"""Workbooks and dbf files for tests, as bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import shapefile

HEADER = ("sid", "symbol", "order_business", "volume", "price", "remark")
ROW = ("S1", "SHSE.600000", "买入", 100, 10.35, "")

Rows = Sequence[Sequence[Any]]


def a_book(
    *rows: Sequence[Any], header: Sequence[Any] = HEADER, change: Callable[[Any], object] | None = None
) -> bytes:
    """One sheet, saved by openpyxl. change: what is done to the workbook before it is saved."""
    return a_book_of({"委托": [header, *(rows or [ROW])]}, change=change)


def a_book_of(sheets: Mapping[str, Rows], *, change: Callable[[Any], object] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if change is not None:
        change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(book: bytes, name: str, content: Callable[[bytes], bytes] | bytes) -> bytes:
    """The workbook with a part of its zip changed, or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info.filename, old.read(info))
        there = name in old.namelist()
        new.writestr(
            name, content if isinstance(content, bytes) else content(old.read(name) if there else b"")
        )
    return file.getvalue()


def with_xml(book: bytes, *changes: tuple[str, str]) -> bytes:
    """The workbook with texts of its first sheet's XML replaced, as another program would have saved them."""

    def change(xml: bytes) -> bytes:
        text = xml.decode().replace("<v></v>", "<v />")
        for old, new in changes:
            assert old in text, text
            text = text.replace(old, new)
        return text.encode()

    return with_part(book, "xl/worksheets/sheet1.xml", change)


def a_dbf(fields: Sequence[tuple[str, str, int, int]], rows: Rows, encoding: str = "gbk") -> bytes:
    """Saved by pyshp."""
    file = io.BytesIO()
    with shapefile.Writer(dbf=file, encoding=encoding) as writer:
        for field in fields:
            writer.field(*field)
        for row in rows:
            writer.record(*row)
    return file.getvalue()


EXCEL_PARTS = {
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>""",
    "_rels/.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/_rels/workbook.xml.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>""",
    "xl/workbook.xml": """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>""",
}


def a_book_of_xml(rows: str, texts: Sequence[str] = (), *, head: str = "", **parts: str) -> bytes:
    """A workbook in the form that Excel saves, its texts shared. rows: the XML of its rows; {n} in it: the text number n."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
    content = EXCEL_PARTS | {
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>',
        "xl/worksheets/sheet1.xml": f'{head}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
        **parts,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in content.items():
            new.writestr(name, text)
    return file.getvalue()


def shared_row(number: int, *cells: int | str) -> str:
    """XML of a row: a number n stands for the text number n, a text for a number."""
    made = "".join(
        f'<c r="{chr(65 + at)}{number}" t="s"><v>{cell}</v></c>'
        if isinstance(cell, int)
        else f'<c r="{chr(65 + at)}{number}"><v>{cell}</v></c>'
        for at, cell in enumerate(cells)
    )
    return f'<row r="{number}">{made}</row>'
