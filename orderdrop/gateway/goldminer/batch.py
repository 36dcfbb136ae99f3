"""Writes for a terminal: the exact bytes of an order file and of a cancel file; says whose orders stand in one. Pure."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from orderdrop.domain.goldminer_format import cancel_file, order_file
from orderdrop.gateway.base import Cancel, Outgoing


class Row(NamedTuple):
    sid: str
    account_id: str


class Writing(Protocol):
    """One format of files."""

    suffix: str

    def orders(self, orders: Iterable[Outgoing]) -> bytes: ...

    def cancels(self, cancels: Sequence[Cancel]) -> bytes: ...

    def rows(self, content: bytes) -> list[Row]:
        """Whose orders stand in an order file of ours."""
        ...

    def sids(self, content: bytes) -> Iterable[str]:
        """The order ids in it, quickly; more words may stand among them."""
        ...


class CsvWriting:
    """UTF-8 with BOM, which the terminal is known to accept [W]; without it a comment in Chinese might be read as GBK [1]."""

    suffix = ".csv"

    def orders(self, orders: Iterable[Outgoing]) -> bytes:
        return codecs.BOM_UTF8 + order_file(orders)

    def cancels(self, cancels: Sequence[Cancel]) -> bytes:
        return codecs.BOM_UTF8 + cancel_file((cancel.sid, "") for cancel in cancels)

    def rows(self, content: bytes) -> list[Row]:
        cells = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return [Row(row[0], row[1]) for row in list(cells)[1:]]

    def sids(self, content: bytes) -> Iterable[str]:
        return (line.partition(",")[0] for line in content.decode("utf-8-sig").splitlines()[1:])
