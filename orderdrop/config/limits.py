"""The user's limits as settings: `[limits]`, `[accounts.<id>.limits]`, `[strategies.<name>.limits]`, and `soft` below each.

A limit that is not set bounds nothing. A soft one lets the order pass and says so on its receipt.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ORDERS_PER_SECOND_CEILING = 100
ORDERS_PER_DAY_CEILING = 15_000
"""Of one account on a live gateway; docs/rules.md, "Programmatic trading"."""

_Money = Annotated[Decimal, Field(gt=0)]
_Hours = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]
_SymbolPattern = Annotated[
    str, StringConstraints(pattern=r"^(ST|(SHSE|SZSE|BJSE)\.\d{0,5}\*|(SHSE|SZSE|BJSE)\.\d{6})$")
]


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bounds(_Limits):
    """What an order, and the orders of a day, may come to."""

    max_order_value: _Money | None = Field(
        None, description="yuan of one order 单笔金额上限", examples=[Decimal(500_000)]
    )
    max_order_volume: int | None = Field(
        None, gt=0, description="shares of one order 单笔数量上限", examples=[100_000]
    )
    max_day_value: _Money | None = Field(
        None,
        description="yuan bought and sold today, open orders included 当日买卖金额上限",
        examples=[Decimal(10_000_000)],
    )
    max_day_bought: _Money | None = Field(
        None,
        description="yuan bought today, open orders included 当日买入上限",
        examples=[Decimal(5_000_000)],
    )
    max_day_sold: _Money | None = Field(
        None, description="yuan sold today, open orders included 当日卖出上限", examples=[Decimal(5_000_000)]
    )
    orders_per_day: int | None = Field(
        None, gt=0, description="orders today; in [limits]: of each account 当日委托笔数上限", examples=[2000]
    )
    open_orders: int | None = Field(
        None, gt=0, description="orders that are not finished 未完成委托上限", examples=[200]
    )
    price_deviation: _Money | None = Field(
        None,
        description="percent away from the last price, else the previous close 价格偏离上限(%)",
        examples=[Decimal(3)],
    )
    symbols_allowed: tuple[_SymbolPattern, ...] = Field(
        (),
        description="only these: SHSE.600000, SHSE.60*; empty: all 只许交易的代码",
        examples=[["SHSE.60*", "SZSE.000001"]],
    )
    symbols_forbidden: tuple[_SymbolPattern, ...] = Field(
        (),
        description="never these; ST: what instruments.csv marks so 禁止交易的代码",
        examples=[["ST", "BJSE.*"]],
    )
    sides_allowed: tuple[Literal["buy", "sell"], ...] = Field(
        ("buy", "sell"), min_length=1, description="only these sides 允许的方向"
    )
    hours_allowed: tuple[_Hours, ...] = Field(
        (),
        description="only within these hours of Shanghai; empty: all 允许的时段",
        examples=[["09:35-11:30", "13:00-14:55"]],
    )


class AccountBounds(Bounds):
    """As above, and what an account may hold (in [limits]: each account)."""

    max_position: int | None = Field(
        None,
        gt=0,
        description="shares of one symbol, purchases under way included 单一证券持仓上限",
        examples=[100_000],
    )
    max_position_percent: Annotated[Decimal, Field(gt=0, le=100)] | None = Field(
        None,
        description="percent of the account's assets in one symbol 单一证券占比上限(%)",
        examples=[Decimal(20)],
    )
    max_holdings: int | None = Field(
        None, gt=0, description="different symbols held 持仓只数上限", examples=[100]
    )


class SoftBounds(Bounds):
    """The same limits, but an order that passes one of these goes all the same, and its receipt says so. 软限额:只提示"""


class SoftAccountBounds(AccountBounds):
    """The same limits, but an order that passes one of these goes all the same, and its receipt says so. 软限额:只提示"""


class AccountLimits(AccountBounds):
    """Limits of one account."""

    orders_per_second: int | None = Field(
        None, gt=0, description="orders and cancels in any second; more wait in order 每秒笔数", examples=[10]
    )
    soft: SoftAccountBounds = Field(default_factory=SoftAccountBounds)


class StrategyLimits(Bounds):
    """Limits of one strategy."""

    soft: SoftBounds = Field(default_factory=SoftBounds)


class Limits(AccountLimits):
    """Limits of all accounts together; those that say so, of each account. On live gateways 10 orders a second and 2,000 a day at most.

    Live gateways are also held to the sessions, to cash and shares, to prices and to what may cross or repeat, whatever stands here.
    """

    as_live: bool = Field(
        False, description="hold gateways with live = false to all that as well 模拟通道也按实盘检查"
    )
    max_wait: float = Field(
        120,
        ge=0,
        le=3600,
        description="seconds an order may wait for its turn, else it is refused 限速排队上限(秒)",
    )
    cancels_warn: Annotated[Decimal, Field(gt=0, le=100)] = Field(
        Decimal(15), description="percent of an account's orders cancelled today that is said 撤单率提示(%)"
    )
    cancels_hold: Annotated[Decimal, Field(gt=0, le=100)] = Field(
        Decimal(50), description="percent from which orders are held for release 撤单率暂存(%)"
    )
    repeat_window: float | None = Field(
        None, ge=0, le=86400,
        description="seconds in which the same order under another sid counts as a repeat; live: 60 重复委托窗口(秒)", examples=[60],
    )  # fmt: skip
    repeats: Literal["hold", "refuse", "warn"] = Field(
        "hold", description="what becomes of a repeat 重复委托"
    )
    snapshot_age: float = Field(
        60, gt=0, description="seconds after which an account's snapshot is said to be old 资金快照过旧(秒)"
    )
    fee_rate: Annotated[Decimal, Field(ge=0, lt=1)] = Field(
        Decimal("0.0003"), description="fees that are set aside for a purchase, as a fraction 买入预留费率"
    )
    fee_minimum: Annotated[Decimal, Field(ge=0)] = Field(
        Decimal(5), description="yuan, at least 买入预留费用下限"
    )
