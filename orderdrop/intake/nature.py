"""Owns what a file is by its first bytes, whatever its name says: text, a workbook, a dbf, a web page, or what must be saved anew."""

from __future__ import annotations

import re
from typing import Final

from orderdrop.intake.encoding import CANDIDATES, byte_order_mark

HEAD_BYTES: Final = 4096
"""As much of a file as is looked at."""

TEXT, WORKBOOK, DBF, PAGE, OTHER = ".csv", ".xlsx", ".dbf", ".html", ".xls"
"""Each by the suffix that such a file should have. OTHER: a table that only a spreadsheet program can save anew."""

_ZIP: Final = b"PK\x03\x04"
_OF_OTHERS: Final = frozenset({b"P", b"M", b"m"})
_OLE: Final = b"\xd0\xcf\x11\xe0"
_DBF: Final = frozenset(b"\x02\x03\x30\x31\x32\x83\x8b\xcb\xf5\xfb")
_DBF_HEAD: Final = 32
_PAGE: Final = re.compile(rb"(?:<!doctype\s+html|<html|<head|<meta|<body|<table|<style|<div)", re.IGNORECASE)
_XML: Final = re.compile(rb"<\?xml|<workbook|mime-version:", re.IGNORECASE)
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1e]")


def suffix_of(head: bytes, named: str) -> str:
    """The suffix that the content asks for; `named`, where the content does not say. head: the first HEAD_BYTES."""
    if named == TEXT and head[:1].isalpha() and head[:1] not in _OF_OTHERS:  # almost all, quickly
        return TEXT
    if head.startswith(_ZIP if named == TEXT else _ZIP[:2]):
        return WORKBOOK
    if head.startswith(_OLE):
        return OTHER
    if len(head) >= _DBF_HEAD and head[0] in _DBF and _CONTROLS.search(head, 1, _DBF_HEAD):
        return DBF
    if byte_order_mark(head) is not None and b"\0" in head:
        return TEXT  # UTF-16
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _PAGE.match(start):
        return PAGE
    if _XML.match(start):
        return PAGE if b"<html" in start.lower() else OTHER
    return TEXT if start and _is_text(head) else named


def _is_text(head: bytes) -> bool:
    """Whether a beginning holds no control characters and reads in an encoding of texts; its last character may be cut."""
    return not _CONTROLS.search(head) and any(_decodes_but_for_its_end(head, one) for one in CANDIDATES)


def _decodes_but_for_its_end(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError as error:
        return len(head) >= HEAD_BYTES and error.start >= len(head) - 4
    return True
