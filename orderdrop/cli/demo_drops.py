"""Plays the demo: sample drops, the results that are expected, and the results that came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orderdrop import client
from orderdrop.cli.context import Place, logged
from orderdrop.config.workspace import SETTINGS_FILE
from orderdrop.domain.status import Status
from orderdrop.errors import JournalError
from orderdrop.service.app import App
from orderdrop.views.orders import drop_view, order_view

_SETTINGS: Final = """\
# The demo's settings; `orderdrop init` writes a file with all of them. 演示用的设置
[inbox]
settle = 0.1
archive_after = 0.2

[gateways.paper]
type = "paper"
positions = { "SZSE.000651" = 1000 }
"""

_BASKET: Final = """\
证券代码,证券名称,买卖方向,委托数量,委托价格,备注
600000,浦发银行,买入,1000,10.35,建仓
651,格力电器,卖出,500,41.20,减仓
510300,沪深300ETF,买入,2000,4.105,
"""

_CARD: Final = """\
sid,symbol,volume,order_type,order_business,price,remark
DEMO-FULL,SZSE.000572,1000,1,1,5.10,filled at once
DEMO-HALF,000001.SZ,1000,1,1,11.20,half of it is filled
DEMO-PENDING,SHSE.018014,100,1,1,100.00,stays in the book
DEMO-REJECT,sz000010,100,1,1,3.05,the broker says no
"""

_BAD: Final = """\
sid,symbol,volume,order_type,order_business,price
DEMO-GOOD,600000.SH,100,1,1,10.35
DEMO-LOT,600000.SH,150,1,1,10.35
DEMO-SIDE,600000.SH,100,1,,10.35
"""

_FOLLOWED: Final = (
    {"sid": "DEMO-F1", "symbol": "SZSE.000725", "volume": 500, "order_business": 1, "price": "4.02"},
    {"sid": "DEMO-F2", "symbol": "SZSE.000002", "volume": 600, "order_business": 1, "price": "7.15"},
)


@dataclass(frozen=True)
class Sample:
    """A drop of the demo. put: puts it into the inbox and returns where. counts: accepted, denied, duplicates, errors."""

    zh: str
    en: str
    put: Callable[[Path], Path]
    counts: tuple[int, int, int, int]
    statuses: tuple[Status, ...] = ()


@dataclass
class Told:
    """What came of a sample. Journal rows."""

    sample: Sample
    drop: Any
    rows: list[Any]
    orders: list[Any]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.drop.accepted, self.drop.denied, self.drop.duplicates, self.drop.errors

    @property
    def as_expected(self) -> bool:
        statuses = tuple(order.status for order in self.orders)
        return (self.counts, statuses) == (self.sample.counts, self.sample.statuses)

    def data(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "drop": drop_view(self.drop, self.rows).model_dump(mode="json"),
            "orders": [order_view(order).model_dump(mode="json") for order in self.orders],
            "expected": list(self.sample.statuses),
            "as_expected": self.as_expected,
            "explanation": f"{self.sample.zh} / {self.sample.en}",
        }


def play(place: Place) -> list[Told]:
    """Drop one sample after the other and let each be routed; then look."""
    (place.root / SETTINGS_FILE).write_text(_SETTINGS, encoding="utf-8")
    place.workspace.make()
    names = []
    with logged(place), App(place.settings, place.workspace) as app:
        for sample in SAMPLES:
            names.append(_put(place, sample))
            app.run_once()
    return [_told(place, sample, name) for sample, name in zip(SAMPLES, names, strict=True)]


def _put(place: Place, sample: Sample) -> str:
    return sample.put(place.root).relative_to(place.workspace.inbox).as_posix()


def _told(place: Place, sample: Sample, name: str) -> Told:
    with place.journal() as reading:
        drops = reading.drops_by_name(name) if reading else []
        if reading is None or not drops:
            raise JournalError(f"{name}: 没有被接收 / was not taken")
        drop = drops[0]
        return Told(sample, drop, reading.row_outcomes(drop.id), list(reading.orders_of_drop(drop.id)))


def _file(name: str, text: str, encoding: str = "utf-8") -> Callable[[Path], Path]:
    """Writes the file as a person would keep it, beside the inbox, and drops it."""

    def put(root: Path) -> Path:
        folder = root / "samples"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(text.encode(encoding))
        return client.drop(folder / name, root)

    return put


def _append(root: Path) -> Path:
    """Row by row, as a strategy does all day."""
    for row in _FOLLOWED:
        client.append([row], root)
    return root / "inbox" / f"{Place(root).today:%Y%m%d}.order.csv"


def _cancel(root: Path) -> Path:
    return client.cancel(["DEMO-PENDING", "DEMO-HALF"], root)


SAMPLES: Final = (
    Sample(
        "手工篮子:GBK 编码,中文表头,没有编号,Excel 吃掉了 000651 前面的零。编号自动生成,代码已补全。",
        "A basket made by hand: GBK, Chinese headers, no sids, and Excel ate the zeros of 000651. Sids are made, zeros restored.",
        _file("手工篮子.csv", _BASKET, "gbk"),
        (3, 0, 0, 0),
        (Status.FILLED, Status.FILLED, Status.FILLED),
    ),
    Sample(
        "卡片格式:模拟代码演示柜台的各种回答。其中两笔随后被第 6 个文件撤单。",
        "The card's columns; simulated symbols show what a broker may answer. Two are cancelled by the sixth file.",
        _file("card.csv", _CARD),
        (4, 0, 0, 0),
        (Status.FILLED, Status.CANCELED, Status.CANCELED, Status.REJECTED),
    ),
    Sample(
        "有坏行的篮子:整份拒绝,好行也不发送;改好后原样重放即可。",
        "A basket with bad rows is refused whole, and the good row is not sent; mend it and drop it again, sids may stay.",
        _file("bad_rows.csv", _BAD),
        (0, 2, 0, 1),
        (Status.DENIED, Status.DENIED),
    ),
    Sample(
        "同一份文件换名再放一次:全部是重复,什么也不会再发送。",
        "The same file once more under another name: all duplicates, nothing is sent twice.",
        _file("card_again.csv", _CARD),
        (0, 0, 4, 0),
    ),
    Sample(
        "全天追加的文件:程序一行一行写入,每一行只发送一次。",
        "A file that a program appends to all day: each row is sent once.",
        _append,
        (2, 0, 0, 0),
        (Status.FILLED, Status.FILLED),
    ),
    Sample(
        "撤单文件:挂单全部撤掉,部分成交的撤掉剩余。",
        "A cancel file: the pending order, and the rest of the half filled one.",
        _cancel,
        (2, 0, 0, 0),
    ),
)
