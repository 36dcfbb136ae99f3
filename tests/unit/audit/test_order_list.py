"""The page lists the orders, and its pictures fit their labels."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from orderdrop.audit import charts, order_list
from orderdrop.audit.order_list import order_list as listed
from orderdrop.domain.codes import Code
from orderdrop.domain.refusal import Refusal
from orderdrop.system.clock import SHANGHAI, from_datetime


def an_order(number: int = 1, **over) -> SimpleNamespace:
    at = from_datetime(datetime(2026, 11, 20, 9, 31, number % 60, tzinfo=SHANGHAI))
    facts = {"day": 1, "sid": f"S{number}", "drop": "篮子.csv", "row": number, "symbol": "SHSE.600000", "side": "buy",
             "volume": 1000, "price": Decimal("10.35"), "status": "filled", "filled_volume": 1000, "avg_price": Decimal("10.3400"),
             "why": None, "received_at": at}  # fmt: skip
    return SimpleNamespace(**facts | over)


def test_order_is_told_by_file_and_row_and_with_its_name():
    text = listed(
        [an_order(3, status="denied", filled_volume=0, avg_price=None, why=Refusal(Code.LOT_SIZE))],
        {"SHSE.600000": "浦发银行"},
    )
    cells = re.sub(r"<[^>]+>", "|", text.partition("<tbody>")[2])
    for word in ("09:31:03", "篮子.csv:3", "浦发银行", "买 buy", "1,000", "10.35", "denied", "LOT_SIZE"):
        assert word in cells
    assert "<details open>" in text


def test_orders_when_there_are_thousands_are_folded_into_parts_and_bounded():
    text = listed([an_order(number) for number in range(order_list.MOST + 7)], {})
    assert text.count("<details>") == order_list.MOST // order_list.PART
    assert text.count("<tr>") - text.count("<thead>") == order_list.MOST
    assert "7 more" in text
    assert len(text) < 400 * order_list.MOST


def test_orders_of_several_days_tell_the_day():
    assert "11-20 09:31:01" in listed([an_order(1), an_order(2, day=2)], {})


def test_words_of_users_are_text_and_nothing_else():
    text = listed([an_order(drop='=1+1"<b>', sid='"><script>')], {"SHSE.600000": "<i>x"})
    assert "<script" not in text
    assert "<b>&lt;i&gt;x</b>" in text
    assert "&#x27;=1+1&quot;&lt;b&gt;" in text


def _labels(picture: str) -> list[tuple[float, str, str]]:
    """Where each text of a picture begins or ends, its anchor and its words."""
    found = re.findall(
        r'<text(?: class="ink")? x="([-0-9.]+)"[^>]*?(?: text-anchor="(\w+)")?>([^<]*)<', picture
    )
    return [(float(x), anchor, words) for x, anchor, words in found]


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
@pytest.mark.parametrize("count", [1, 900, 1_500_000, 123_456_789])
def test_labels_of_large_numbers_are_not_cut(count: int, width: int):
    flow = charts.flow(1, [{"at": "09:31", "by_outcome": {"filled": count}}], width)
    bars = charts.bars([("alpha", charts.grouped({"filled": count}))], width)
    for x, anchor, words in (*_labels(flow), *_labels(bars)):
        needed = 6.7 * len(words)
        assert (x - needed >= 0) if anchor == "end" else (x + needed <= width), words


@pytest.mark.parametrize("at", ["00:00", "09:31", "23:59"])
def test_one_bar_of_a_day_is_no_block(at: str):
    picture = charts.flow(1, [{"at": at, "by_outcome": {"filled": 5}}])
    (wide,) = [float(found) for found in re.findall(r'<rect [^>]*width="([0-9.]+)"', picture)]
    assert wide <= charts.WIDE / 30
    assert "24:0" not in picture
