"""Decides for the paper broker: how it reads a batch, what it rejects, what it charges, how its simulated symbols answer. Pure.

It is strict in its own right and shares nothing with our checks but the table of boards: what slips through them meets a
broker, not a mirror.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Final, NamedTuple

from orderdrop.config.gateways import FeeSettings
from orderdrop.domain.board import Board, board_of
from orderdrop.domain.goldminer_format import reason
from orderdrop.domain.order import OrderBusiness, OrderType
from orderdrop.domain.refusal import TO_DO
from orderdrop.gateway.base import Outgoing

CENT: Final = Decimal("0.01")
BUY: Final = int(OrderBusiness.BUY)
SELL: Final = int(OrderBusiness.SELL)
_LIMIT: Final = int(OrderType.LIMIT)
_ORDER_TYPES: Final = frozenset(map(int, OrderType))
_SHARES: Final = frozenset({"stock", "b_share"})
# Far beyond any rule, and products stay exact in 28 digits.
_VOLUME_CEILING: Final = 10**10
_PRICE_CEILING: Final = Decimal(10**7)

NO_CASH, NO_POSITION, BAD_SYMBOL, BAD_VOLUME, BAD_PRICE, BAD_TYPE = 2, 3, 6, 7, 8, 14
RISK_RULE = 1
CANCEL_FINISHED, CANCEL_UNKNOWN, CANCEL_NOT_ALLOWED = 101, 102, 103


class Answer(Enum):
    """How the broker answers an order that it accepts."""

    FULL = "full"
    TWO_FILLS = "two fills"
    HALF = "half filled"
    HALF_STUCK = "half filled and not cancelable"
    PENDING = "pending"
    REJECT = "reject"


SIMULATED: Final[dict[str, Answer]] = {
    "SZSE.000572": Answer.FULL,
    "SZSE.000725": Answer.FULL,
    "SZSE.000002": Answer.TWO_FILLS,
    "SZSE.000001": Answer.HALF,
    "SZSE.000004": Answer.HALF,
    "SHSE.018014": Answer.PENDING,
    "SHSE.020417": Answer.PENDING,
    "SZSE.000010": Answer.REJECT,
    "SHSE.010609": Answer.REJECT,
    "SZSE.000008": Answer.HALF_STUCK,
    "SZSE.000151": Answer.HALF_STUCK,
}
"""掘金's simulated accounts (docs/protocol.md, "Archive and day's end")."""


class Rejection(NamedTuple):
    """The broker's no. code: 掘金's reject reason."""

    code: int
    text: str


class Deal(NamedTuple):
    """What comes of an order that has the cash or shares it needs. price: of each fill; fills: volumes, at once."""

    board: Board
    price: Decimal
    fills: tuple[int, ...]
    cancelable: bool


def reject(code: int, zh: str = "", en: str = "", remedy: tuple[str, str] | None = None) -> Rejection:
    """remedy: what to do, in Chinese and English, where the code alone says too little (`domain.refusal.explain` shows it)."""
    words = reason(code)
    halves = (f"{words.zh}：{zh}", f"{words.en}: {en}") if zh or en else words
    if remedy is not None:
        halves = (f"{halves[0]}{TO_DO}{remedy[0]}", f"{halves[1]}{TO_DO}{remedy[1]}")
    return Rejection(code, " / ".join(halves))


def judge(order: Outgoing, quote: Callable[[str], Decimal | None], *, simulate: bool) -> Deal | Rejection:
    """Everything but cash and shares. quote: the reference price of a symbol, None when there is none."""
    board = board_of(order.symbol)
    if board is None:
        return reject(BAD_SYMBOL, order.symbol, order.symbol)
    answer = SIMULATED.get(order.symbol, Answer.FULL) if simulate else Answer.FULL
    if answer is Answer.REJECT:
        return reject(
            RISK_RULE, f"{order.symbol} 是仿真代码，总是拒绝", f"{order.symbol} is a simulated symbol that is always rejected",
            ("换代码，或在 [gateways.paper] 设 simulate = false", "use another symbol, or set simulate = false in [gateways.paper]"),
        )  # fmt: skip
    wrong = _wrong_kind(order, board) or _wrong_volume(order, board)
    if wrong is not None:
        return wrong
    price = _limit_price(order, board) if order.order_type == _LIMIT else _market_price(order, board, quote)
    if isinstance(price, Rejection):
        return price
    fills = _fills(answer, order.volume, board.lot)
    return Deal(board, price, fills, cancelable=answer is not Answer.HALF_STUCK)


def is_regular(board: Board, volume: int) -> bool:
    """Whether a volume may be bought; or sold, whatever is held."""
    return volume >= board.minimum and volume % board.step == 0


def is_whole_remainder(board: Board, volume: int, sellable: int) -> bool:
    """Whether an odd sale leaves no odd lot behind."""
    rest = sellable - volume
    return board.odd_below > 0 and (rest == 0 or (board.lot > 1 and rest > 0 and rest % board.lot == 0))


class Tariff:
    """What the broker charges. All amounts in yuan, each charge rounded half up to 0.01."""

    def __init__(self, settings: FeeSettings) -> None:
        self._commission = settings.commission
        self._minimum = settings.commission_minimum
        self._stamp_duty = settings.stamp_duty
        self._transfer_fee = settings.transfer_fee

    def total(self, board: Board, business: int, turnover: Decimal) -> Decimal:
        """All charges of an order that has traded `turnover` so far; a fill pays what is not paid yet."""
        if not turnover:
            return Decimal(0)
        fees = max(self._minimum, cents(turnover * self._commission))
        if board.kind in _SHARES:
            fees += cents(turnover * self._transfer_fee)
            if business == SELL:
                fees += cents(turnover * self._stamp_duty)
        return fees


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _wrong_kind(order: Outgoing, board: Board) -> Rejection | None:
    if board.kind == "repo":
        return reject(
            BAD_TYPE, "模拟柜台不做逆回购", "the paper broker has no repo",
            ("在终端的模拟账户上试，或换证券", "try it with a terminal's simulated account, or use another security"),
        )  # fmt: skip
    if order.order_business not in {BUY, SELL}:
        return reject(
            BAD_TYPE, f"业务 {order.order_business}", f"business {order.order_business}",
            ("模拟柜台只做买入（1）和卖出（2）", "the paper broker only buys (1) and sells (2)"),
        )  # fmt: skip
    if order.order_type not in _ORDER_TYPES or (order.order_type != _LIMIT and not board.market_orders):
        return reject(
            BAD_TYPE, f"{order.order_type} 用于 {board.name}", f"{order.order_type} on {board.name}"
        )
    return None


def _wrong_volume(order: Outgoing, board: Board) -> Rejection | None:
    if not 0 < order.volume < _VOLUME_CEILING:
        return reject(BAD_VOLUME, str(order.volume), str(order.volume))
    if order.order_business == BUY and not is_regular(board, order.volume):
        return reject(BAD_VOLUME, f"{order.volume} 不是整手", f"{order.volume} is not in whole lots")
    return None


def _limit_price(order: Outgoing, board: Board) -> Decimal | Rejection:
    price = order.price
    if price is None or not 0 < price < _PRICE_CEILING or price % board.tick:
        return reject(BAD_PRICE, f"{price}，最小变动 {board.tick}", f"{price}, the tick is {board.tick}")
    return price


def _market_price(
    order: Outgoing, board: Board, quote: Callable[[str], Decimal | None]
) -> Decimal | Rejection:
    """The reference price, rounded to the tick; a protective price (0 and empty: none) must not be worse."""
    found = quote(order.symbol)
    if found is None or not 0 < found < _PRICE_CEILING:
        return reject(
            BAD_PRICE, f"没有 {order.symbol} 的参考价", f"there is no reference price of {order.symbol}",
            (
                "在工作区放 quotes.csv（列：symbol,price），或改为限价",
                "put quotes.csv (columns: symbol,price) into the workspace, or use a limit order",
            ),
        )  # fmt: skip
    price = max((found / board.tick).quantize(Decimal(1), ROUND_HALF_UP), Decimal(1)) * board.tick
    bound = order.price
    if bound and (bound < price if order.order_business == BUY else bound > price):
        return reject(
            BAD_PRICE, f"保护限价 {bound}，参考价 {price}", f"protective price {bound}, reference price {price}",
            ("放宽保护限价，或等参考价变动", "give a wider protective price, or wait until the reference price moves"),
        )  # fmt: skip
    return price


def _fills(answer: Answer, volume: int, lot: int) -> tuple[int, ...]:
    if answer is Answer.FULL:
        return (volume,)
    if answer is Answer.PENDING:
        return ()
    half = volume // 2 // lot * lot or volume // 2
    parts = (half, volume - half) if answer is Answer.TWO_FILLS else (half,)
    return tuple(part for part in parts if part)
