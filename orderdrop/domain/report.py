"""What a gateway tells: a status, a fill, a refused cancel, an account. Facts about the broker's side, never ours.

Owns the bounds within which a number, a time or a text of somebody else's program is taken at its word, and how its words are made fit to be shown.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from orderdrop.domain.status import Status
from orderdrop.system.clock import Micros

MOST_SHARES: Final = 1 << 53
"""No volume is as high; up to here a double counts every share."""

HIGHEST_PRICE: Final = Decimal(10**9)
MOST_MONEY: Final = Decimal(10**15)
PLACES: Final = 6
"""Of prices. What terminals have beyond is the noise of their doubles, and an average's digits."""

AHEAD: Final = 86_400_000_000
BEHIND: Final = 31 * AHEAD
"""Microseconds by which a told instant may lie before us (clocks differ, zones are forgotten), and behind us (a long holiday)."""

MOST_WORDS: Final = 500
_LONGEST_NAME: Final = 128
_LONGEST_NUMBER: Final = 64
_DEEPEST: Final = -40
_HIGHEST_CODE: Final = 10**9
_LAST_INSTANT: Final = 7_258_118_400_000_000  # of the year 2199


class Unreadable(ValueError):
    """What was told cannot be taken at its word; the message says what is wrong with it, without the value."""


class StatusReport(NamedTuple):
    """The broker says where an order stands.

    sid: as the terminal knows it (see `wire_sid`). filled_volume: cumulative, in shares, as claimed by the broker.
    code: 掘金's reject reason, 0 for none. text: the broker's own words, as they came. scan_name: the 文件单 setting that the terminal
    names, "" where it names none.
    """

    at: Micros
    account_id: str
    sid: str
    status: Status
    order_id: str = ""
    filled_volume: int = 0
    code: int = 0
    text: str = ""
    scan_name: str = ""


class Fill(NamedTuple):
    """One execution. exec_id is the broker's and unique within the account: the key by which a fill counts once.

    volume: shares; price: yuan; fee: yuan, all charges together, None where the broker does not tell.
    """

    at: Micros
    account_id: str
    sid: str
    exec_id: str
    volume: int
    price: Decimal
    order_id: str = ""
    fee: Decimal | None = None
    scan_name: str = ""


class CancelReject(NamedTuple):
    """The broker did not cancel (code: 掘金's 101 finished, 102 unknown order, 103 broker option, 104 pending)."""

    at: Micros
    account_id: str
    sid: str
    code: int
    text: str = ""
    scan_name: str = ""


Report = StatusReport | Fill | CancelReject


class Position(NamedTuple):
    """A holding in one symbol. Volumes in shares; vwap and price in yuan; vwap: None where nobody knows what it has cost."""

    symbol: str
    volume: int
    volume_today: int
    available: int
    vwap: Decimal | None
    price: Decimal


class Account(NamedTuple):
    """A snapshot of funds and holdings, in yuan. `frozen`: cash set aside for open buy orders.

    at: when the funds were so. held_at: when the holdings were; None: they were never told, and `positions` says nothing.
    """

    at: Micros
    account_id: str
    balance: Decimal
    available: Decimal
    frozen: Decimal
    market_value: Decimal
    pnl: Decimal
    positions: tuple[Position, ...]
    held_at: Micros | None = None


def clean(words: str, most: int = MOST_WORDS) -> str:
    """A terminal's words as they may be shown: one line, what would steer a screen or turn a line around is written out, what is endless is cut."""
    if not words.isprintable():
        words = "".join(map(_visible, words[: most + 1]))
    return words if len(words) <= most else words[: most - 1] + "…"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else ascii(character)[1:-1]


def number(text: str, what: str, beyond: Decimal = MOST_MONEY) -> Decimal:
    """A number of somebody's text: finite, nearer to zero than `beyond`, without an exponent in it. Raises Unreadable.

    Its exponent is looked at before anything is reckoned with it: `1E+99999999` is ten letters, and a hundred million digits.
    """
    try:
        told = Decimal(text) if len(text) <= _LONGEST_NUMBER else Decimal("NaN")
    except ArithmeticError:
        raise Unreadable(f"{what} is not a number") from None
    if not told.is_finite():
        raise Unreadable(f"{what} is not a number")
    exponent = told.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101  it is finite
    if told.adjusted() > _LONGEST_NUMBER or exponent < _DEEPEST or abs(told) >= beyond:
        raise Unreadable(f"{what} is beyond all bounds")
    return told if exponent <= 0 else told + 0


def price(text: str, what: str) -> Decimal:
    """A price of somebody's text; places beyond the sixth are rounded away. Raises Unreadable."""
    told = number(text, what, HIGHEST_PRICE)
    exponent = told.as_tuple().exponent
    return round(told, PLACES) if isinstance(exponent, int) and exponent < -PLACES else told


def whole(text: str, what: str, beyond: int = MOST_SHARES) -> int:
    """A count in somebody's text, `100`, and `100.0` as a dbf may have it. Raises Unreadable."""
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
        count = int(text)
        if count >= beyond:
            raise Unreadable(f"{what} is beyond all bounds")
        return count
    told = number(text, what, Decimal(beyond))
    if told < 0 or told != int(told):
        raise Unreadable(f"{what} is not a whole number")
    return int(told)


def reason_code(text: str, what: str) -> int:
    """Raises Unreadable."""
    return whole(text, what, _HIGHEST_CODE)


def name(text: str, what: str) -> str:
    """An id that somebody gave: it counts letter by letter, so it is neither cleaned nor cut. Raises Unreadable."""
    if len(text) > _LONGEST_NAME or not text.isprintable():
        raise Unreadable(f"{what} is no id")
    return text


def instant(at: int, now: int) -> Micros:
    """An instant that somebody tells, if it can be one of these days. Raises Unreadable."""
    if not now - BEHIND <= at <= now + AHEAD:
        raise Unreadable("a time that cannot be")
    return Micros(at)


def check(report: Report) -> None:
    """Whether a report can be reckoned with and written down, whoever made it. Raises Unreadable, or what a field of another kind brings about."""
    at, account_id, sid = report[:3]
    if not 0 <= at < _LAST_INSTANT:
        raise Unreadable("a time that cannot be")
    texts = account_id + sid + report.scan_name
    if isinstance(report, Fill):
        volumes, texts = report.volume, texts + report.exec_id + report.order_id
        for amount in (report.price, report.fee or Decimal(0)):
            if not (amount.is_finite() and amount.adjusted() < _LONGEST_NUMBER and abs(amount) < MOST_MONEY):
                raise Unreadable("an amount that cannot be")
    else:
        volumes, texts = report.code, texts + (report.order_id if isinstance(report, StatusReport) else "")
        if isinstance(report, StatusReport):
            volumes = max(volumes, report.filled_volume) if report.filled_volume >= 0 else -1
    if not 0 <= volumes < MOST_SHARES:
        raise Unreadable("a number that cannot be")
    if not texts.isprintable():
        raise Unreadable("an id that cannot be")


def cleaned(report: Report) -> Report:
    """The same with words that may be shown."""
    if isinstance(report, Fill) or (report.text.isprintable() and len(report.text) <= MOST_WORDS):
        return report
    return report._replace(text=clean(report.text))
