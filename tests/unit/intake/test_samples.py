"""Drops as people and terminals make them."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake_reading import read

from orderdrop.domain.order import DropKind

SAMPLES = Path(__file__).parents[2] / "samples"
ACCOUNT = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"


def brief(name: str) -> list[tuple]:
    result = read((SAMPLES / name).read_bytes())
    assert not result.errors
    return [
        (o.row, o.sid, o.symbol, o.volume, o.order_type, o.order_business, o.price and str(o.price), o.remark)
        for o in result.orders
    ]


@pytest.mark.parametrize(
    ("name", "orders"),
    [
        (
            "drops/card.csv",
            [
                (2, "S1-0001", "SHSE.600000", 1000, 1, 1, "10.35", "csi300 enhance"),
                (3, "S1-0002", "SZSE.000001", 500, 1, 2, "11.20", ""),
                (4, "S1-0003", "SZSE.300750", 100, 2, 1, None, ""),
            ],
        ),
        (
            "drops/symbols_mixed.csv",
            [
                (2, "M-1", "SHSE.600000", 100, 1, 1, "10.35", ""),
                (3, "M-2", "SZSE.000001", 100, 1, 1, "11.20", ""),
                (4, "M-3", "SHSE.600519", 100, 1, 1, "1500.00", ""),
                (5, "M-4", "SHSE.510300", 100, 1, 1, "4.105", ""),
                (6, "M-5", "BJSE.920002", 100, 1, 1, "15.00", ""),
            ],
        ),
        (
            "drops/手工篮子_gbk.csv",
            [
                (2, "derived-2", "SHSE.600000", 1000, 1, 1, "10.35", "调仓"),
                (3, "derived-3", "SZSE.000001", 500, 1, 2, "11.20", "调仓"),
            ],
        ),
        (
            "goldminer/in/20261120.order.csv",
            [
                (2, "0d23bb4e-d81e-4ef2-ab21-c58e0fe6814f", "SZSE.000572", 100, 1, 1, "13", ""),
                (3, "1f0a3c52-0b1e-4b7c-9d0f-2b8f6f7a1c11", "SZSE.000002", 200, 24, 2, None, ""),
            ],
        ),
        (
            "goldminer/in/20261120_093101.125.order.csv",
            [
                (2, "C9F20261120093101001", "SHSE.600000", 1000, 1, 1, "10.35", ""),
                (3, "C9F20261120093101002", "SZSE.000001", 500, 1, 2, "11.20", "alpha-3"),
                (4, "C9F20261120093101003", "SZSE.300750", 100, 24, 1, None, ""),
                (5, "C9F20261120093101004", "SHSE.688981", 200, 1, 1, "98.76", ""),
            ],
        ),
    ],
)
def test_sample_when_read_then_exactly_these_orders(name, orders):
    assert brief(name) == orders


def test_sample_when_it_names_the_account_then_taken_and_else_the_only_one():
    assert {order.account_id for order in read((SAMPLES / "drops/card.csv").read_bytes()).orders} == {ACCOUNT}
    by_hand = read((SAMPLES / "drops/手工篮子_gbk.csv").read_bytes(), default_account="only")
    assert {order.account_id for order in by_hand.orders} == {"only"}


def test_sample_when_it_cancels_then_instructions():
    result = read((SAMPLES / "goldminer/in/20261120.cancel_order.csv").read_bytes(), DropKind.CANCEL)
    assert [(i.row, i.sid, i.remark) for i in result.instructions] == [
        (2, "0d23bb4e-d81e-4ef2-ab21-c58e0fe6814f", "")
    ]
    assert not result.errors
