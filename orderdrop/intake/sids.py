"""Owns the names of orders that came without one: known by what a row says, never by its bytes. The same row gets the same name, today."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from orderdrop.domain.order import Order

_KEY_BYTES = 8


def derived_sid(day: date, key: str, place: int) -> str:
    """`D20261120-5346962dcd4d-2`.

    Args:
        day: the trading day.
        key: what all rows of the drop say, or what one says that came later, in hex.
        place: the row's place among the sorted rows of the drop, or the line of one that came later.
    """
    return f"D{day:%Y%m%d}-{key[:12]}-{place}"


def row_key(order: Order) -> int:
    """64 bits, signed, of what a row says: not how its numbers are spelled, nor its remark. A sid, where one is given, belongs to it."""
    said = (
        f"{order.account_id}\x1f{order.symbol}\x1f{order.order_business}\x1f{order.order_type}\x1f{_plain(order.price)}\x1f{order.volume}"
        f"\x1f{order.strategy}\x1f{order.not_before}\x1f{order.not_after}\x1f{order.sid}"
    )
    return int.from_bytes(
        hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest(),
        "little",
        signed=True,
    )


@lru_cache(maxsize=8192)
def _plain(price: Decimal | None) -> str:
    return "" if price is None else str(price.normalize())


class Unnamed:
    """Stands in for the names of a finished file's rows while it is read: what a row is called hangs on all of them."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _row: int, _line: str) -> str:
        self.asked = True
        return ""


class DropSids:
    """The names of a finished file's rows: made of the day, of what all its rows say, sorted, and of a row's place among them.

    So the same rows in another file, in another order, encoding or spelling, have the same names. One instance counts one reading of
    the file; `restart` before it is read from its beginning again.
    """

    __slots__ = ("_day", "_equal", "_keys", "_met", "space")

    def __init__(self, day: date, keys: Iterable[int]) -> None:
        """keys: `row_key` of each row."""
        self._day = day
        self._keys = array("q", sorted(keys))
        self._equal = {key for key, following in pairwise(self._keys) if key == following}
        self._met: Counter[int] = Counter()
        self.space = hashlib.sha256(
            b"".join(key.to_bytes(_KEY_BYTES, "little", signed=True) for key in self._keys)
        ).hexdigest()

    def name(self, key: int) -> str:
        place = bisect_left(self._keys, key) + 1
        if key in self._equal:
            place += self._met[key]
            self._met[key] += 1
        return derived_sid(self._day, self.space, place)

    def restart(self) -> None:
        self._met.clear()


class LaterSids:
    """The names of rows that come later to a finished file: made of the day, of its first rows, what the row says and its line."""

    __slots__ = ("_day", "_space")

    def __init__(self, day: date, space: str) -> None:
        self._day, self._space = day, space

    def name(self, key: int, row: int) -> str:
        return derived_sid(self._day, hashlib.sha256(f"{self._space}\0{key}".encode()).hexdigest(), row)


class FollowedSids:
    """For a file that is appended to all day: named by what the line says and how often it was said before.

    So rewriting or reordering the file never renames an old row, and a second identical line is a second order.
    One instance counts one reading of the file from its beginning; `restart` before the file is read from its beginning again.
    """

    __slots__ = ("_named", "_occurrences", "_prefix", "_salt")

    def __init__(self, day: date, file_name: str) -> None:
        self._prefix = f"F{day:%Y%m%d}"
        self._salt = f"{file_name}\0".encode("utf-8", "surrogatepass")
        self._occurrences: dict[bytes, int] = {}
        self._named: set[int] = set()

    def __call__(self, row: int, line: str) -> str:
        digest = hashlib.blake2b(self._salt + line.encode(), digest_size=8).digest()
        occurrence = self._occurrences[digest] = self._occurrences.get(digest, 0) + 1
        self._named.add(row)
        return f"{self._prefix}-{digest.hex()}-{occurrence}"

    @property
    def asked(self) -> bool:
        """Whether rows were named since the last `take_named`."""
        return bool(self._named)

    def take_named(self) -> set[int]:
        """The rows that were named since this was asked before."""
        named, self._named = self._named, set()
        return named

    def restart(self) -> None:
        self._occurrences.clear()
        self._named.clear()
