"""Figures against small days that were worked out by hand."""

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from orderdrop.audit import charts
from orderdrop.audit.differences import read_rows
from orderdrop.audit.figures import figures
from orderdrop.audit.frames import Choice, Order, Tables
from orderdrop.audit.page import page
from orderdrop.audit.program_trading import busiest_second, level, program_trading
from orderdrop.domain.codes import Code
from orderdrop.domain.identity import from_day_number
from orderdrop.domain.refusal import Refusal
from orderdrop.system.clock import SHANGHAI, from_datetime

DAY = 20261120
FRIDAY_AT = from_datetime(datetime(2026, 11, 20, 9, 31, tzinfo=SHANGHAI))
MS, SECOND = 1000, 1_000_000


def traded(number: int = 1, **over) -> Order:
    """A limit order to buy 100 shares at 10.00, filled at its limit, all in one instant."""
    facts = {
        "id": number, "day": DAY, "sid": f"S{number}", "account_id": "acc", "strategy": "", "symbol": "SHSE.600000", "side": "buy",
        "order_type": 1, "order_business": 1, "volume": 100, "price": Decimal("10.00"), "remark": None, "status": "filled",
        "filled_volume": 100, "filled_value": Decimal("1000.00"), "fee": Decimal("5.01"), "order_id": "1", "gateway": "paper",
        "batch_id": 1, "why": None, "drop": "a.csv", "row": number + 1, "written_at": FRIDAY_AT, "received_at": FRIDAY_AT,
        "admitted_at": FRIDAY_AT, "submitted_at": FRIDAY_AT, "confirmed_at": FRIDAY_AT, "filled_at": FRIDAY_AT,
        "closed_at": FRIDAY_AT, "updated_at": FRIDAY_AT,
    }  # fmt: skip
    return Order(**facts | over)


def an_event(order: int, event: str, at: int = FRIDAY_AT, **over) -> SimpleNamespace:
    facts = {
        "id": 1,
        "at": at,
        "order_ref": order,
        "event": event,
        "source": "router",
        "detail": None,
        "filled_volume": None,
    }
    return SimpleNamespace(**facts | over)


def a_cancel(order: int, at: int, state: str = "done", code: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        order_ref=order, kind="cancel_order", state=state, reason_code=code, received_at=at
    )


def tables(*orders: Order, events=(), fills=(), drops=(), rows=(), instructions=()) -> Tables:
    return Tables(list(orders), list(events), list(fills), list(drops), list(rows), list(instructions))


def told(*orders: Order, **others) -> dict:
    day = from_day_number(DAY)
    return figures(tables(*orders, **others), day, day)


# latency


def test_latency_when_worked_out_by_hand_is_median_p95_and_worst():
    orders = [traded(n, submitted_at=FRIDAY_AT + n * MS) for n in range(1, 21)]
    (found,) = [one for one in told(*orders)["latency"] if one["stage"] == "admitted_handed_over"]
    assert found == {
        "stage": "admitted_handed_over", "orders": 20, "median_ms": 10.5, "p95_ms": 19.0, "worst_ms": 20.0, "worst_sid": "S20",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("count", "median", "p95"),
    [(1, 1.0, 1.0), (2, 1.5, 2.0), (3, 2.0, 3.0), (100, 50.5, 95.0), (101, 51.0, 96.0)],
)
def test_latency_when_there_are_few_or_many_takes_a_value_that_occurred(count, median, p95):
    orders = [traded(n, submitted_at=FRIDAY_AT + n * MS) for n in range(count, 0, -1)]
    found = told(*orders)["latency"][1]
    assert (found["median_ms"], found["p95_ms"], found["worst_ms"]) == (median, p95, float(count))


def test_latency_when_a_stage_was_not_reached_does_not_count_it():
    orders = [
        traded(1, written_at=None, filled_at=FRIDAY_AT + 3 * MS),
        traded(2, status="partially_filled", filled_at=FRIDAY_AT + 9 * MS, confirmed_at=FRIDAY_AT + 2 * MS),
        traded(3, status="denied", submitted_at=None, confirmed_at=None, filled_at=None),
    ]
    stages = {one["stage"]: (one["orders"], one["worst_ms"]) for one in told(*orders)["latency"]}
    assert stages == {
        "dropped_admitted": (2, 0.0), "admitted_handed_over": (2, 0.0), "handed_over_confirmed": (2, 2.0),
        "confirmed_filled": (1, 3.0), "dropped_confirmed": (1, 2.0),
    }  # fmt: skip


# outcomes


def test_orders_when_counted_are_told_by_outcome_strategy_hour_and_minute():
    orders = [
        traded(1, strategy="alpha"),
        traded(2, strategy="alpha", status="rejected", filled_volume=0, filled_value=Decimal(0)),
        traded(3, admitted_at=FRIDAY_AT + 3600 * SECOND),
    ]
    found = told(*orders)
    assert found["orders"] == {"total": 3, "by_outcome": {"filled": 2, "rejected": 1}}
    assert [(one["strategy"], one["orders"], one["turnover"]) for one in found["by_strategy"]] == [
        ("", 1, "1000.00"),
        ("alpha", 2, "1000.00"),
    ]
    assert [(one["hour"], one["by_outcome"]) for one in found["by_hour"]] == [
        ("09", {"filled": 1, "rejected": 1}), ("10", {"filled": 1}),
    ]  # fmt: skip
    assert found["flow"] == {
        "minutes": 1,
        "steps": [
            {"at": "09:31", "by_outcome": {"filled": 1, "rejected": 1}},
            {"at": "10:31", "by_outcome": {"filled": 1}},
        ],
    }


def test_refusals_when_counted_are_told_by_rule_and_by_who_said_no():
    lot = Refusal(Code.LOT_SIZE, "volume", "150", "x")
    none = {"filled_volume": 0, "filled_value": Decimal(0)}
    row = SimpleNamespace(
        outcome="error",
        drop_name="b.csv",
        row=4,
        reason_code="NUMBER_BAD",
        reason_column="price",
        reason_value="abc",
        reason_bound=None,
    )
    found = told(
        traded(1, status="denied", why=lot, **none), traded(2, status="denied", why=lot, **none),
        traded(3, status="rejected", why=Refusal(Code.BROKER_REJECTED, value="no cash", bound="2"), **none),
        traded(4, status="canceled", why=Refusal(Code.CANCELED_HERE), **none),
        rows=[row],
    )["refusals"]  # fmt: skip
    assert [(one["by"], one["code"], one["count"], one["first"]) for one in found] == [
        ("check", "LOT_SIZE", 2, "S1"), ("broker", "BROKER_REJECTED", 1, "S3"), ("row", "NUMBER_BAD", 1, "b.csv:4"),
    ]  # fmt: skip
    assert "150" in found[0]["en"]


def test_unknown_and_resent_orders_when_there_are_some_come_with_their_evidence():
    events = [
        an_event(1, "submitting"),
        an_event(1, "unknown", detail="UNCONFIRMED"),
        an_event(1, "ready"),
        an_event(1, "submitting"),
        an_event(2, "submitting"),
    ]
    found = told(traded(1), traded(2), events=events)
    assert [one["sid"] for one in found["unknown"]] == [one["sid"] for one in found["resent"]] == ["S1"]
    assert [one["event"] for one in found["unknown"][0]["evidence"]] == [
        "submitting",
        "unknown",
        "ready",
        "submitting",
    ]
    assert found["unknown"][0]["evidence"][1]["detail"] == "UNCONFIRMED"


# trades


def test_trades_when_worked_out_by_hand_are_exact():
    orders = [
        traded(1, filled_value=Decimal("990.00")),  # 10.00 bought at 9.90: 10 yuan better
        traded(2, filled_value=Decimal("1000.00"), fee=None),
        traded(
            3,
            side="sell",
            order_business=2,
            volume=300,
            filled_volume=200,
            filled_value=Decimal("2010.00"),
            fee=Decimal("10.10"),
        ),
        traded(4, order_type=24, price=None, filled_value=Decimal("1234.56"), fee=Decimal("5.01")),
        traded(5, status="canceled", filled_volume=0, filled_value=Decimal(0), fee=None),
    ]
    fills = [SimpleNamespace(fee=fee) for fee in ("5.01", None, "5.05", "5.05", "5.01")]
    assert told(*orders, fills=fills)["trades"] == {
        "fills": 5, "filled_orders": 4, "filled_volume": 500,
        "turnover": {"buy": "3224.56", "sell": "2010.00", "total": "5234.56"},
        "fees": {"told": "20.12", "fills_without": 1},
        "price": {
            "buy": {"orders": 2, "better_by": "10.00", "basis_points": "50.00"},
            "sell": {"orders": 1, "better_by": "10.00", "basis_points": "50.00"},
        },
    }  # fmt: skip


# program trading


@pytest.mark.parametrize(
    ("instants", "expected"),
    [
        ([], (0, None)),
        ([5], (1, 5)),
        ([0, 999_999], (2, 0)),
        ([0, 1_000_000], (1, 0)),
        ([0, 600_000, 900_000, 1_500_000, 1_700_000, 1_800_000], (4, 900_000)),
    ],
)
def test_busiest_second_when_it_crosses_the_tick_of_the_clock_is_found(instants, expected):
    assert busiest_second(instants) == expected


def test_messages_when_counted_are_hand_overs_and_cancels_that_went_out():
    orders = [traded(n) for n in range(1, 5)] + [
        traded(5, batch_id=None, submitted_at=None),
        traded(6, account_id="other"),
    ]
    events = [
        *(an_event(n, "submitting", FRIDAY_AT + n) for n in (1, 2, 3, 4, 6)),
        an_event(2, "ready"), an_event(2, "submitting", FRIDAY_AT + 5 * SECOND),  # the first time, it never left
        an_event(3, "unknown"), an_event(3, "submitting", FRIDAY_AT + 9 * SECOND),  # sent again
    ]  # fmt: skip
    cancels = [
        a_cancel(1, FRIDAY_AT + SECOND),  # within a second
        a_cancel(2, FRIDAY_AT + SECOND + 1, "sent"),
        a_cancel(3, FRIDAY_AT + 20 * SECOND, "refused", "CANCEL_REJECTED"),
        a_cancel(4, FRIDAY_AT, "refused", "CANCEL_FINISHED"),  # it did not go out
        a_cancel(5, FRIDAY_AT),  # of an order that had not left
        a_cancel(4, FRIDAY_AT, "asked"),
    ]
    acc, other = program_trading(tables(*orders, events=events, instructions=cancels))
    assert (
        acc["account_id"],
        acc["orders"],
        acc["cancels"],
        acc["messages"],
        acc["cancels_within_a_second"],
    ) == ("acc", 5, 3, 8, 1)
    measures = {one["measure"]: (one["value"], one["level"]) for one in acc["measures"]}
    assert measures == {
        "busiest_second": (4, "ok"),
        "messages_a_day": (8, "ok"),
        "cancel_ratio": (0.6, "limit"),
    }
    assert (other["account_id"], other["orders"], other["cancels"]) == ("other", 1, 0)


@pytest.mark.parametrize(
    ("measure", "value", "expected"),
    [
        ("busiest_second", 9, "ok"), ("busiest_second", 10, "watch"), ("busiest_second", 100, "limit"),
        ("busiest_second", 299, "limit"), ("busiest_second", 300, "high_frequency"),
        ("messages_a_day", 1_999, "ok"), ("messages_a_day", 2_000, "watch"), ("messages_a_day", 15_000, "limit"),
        ("messages_a_day", 20_000, "high_frequency"),
        ("cancel_ratio", 0.149, "ok"), ("cancel_ratio", 0.15, "watch"), ("cancel_ratio", 0.5, "limit"), ("cancel_ratio", None, "ok"),
    ],
)  # fmt: skip
def test_level_when_a_threshold_is_reached_says_so(measure, value, expected):
    assert level(measure, value) == expected


# the page


def a_report(*orders: Order, **over) -> dict:
    extra = {
        "differences": [],
        "by_hand": [],
        "gateways": [{"name": "paper", "live": False}],
        "chain": {"seal": 3, "head": "ab" * 32},
    }
    return told(*orders) | extra | over


def test_page_when_made_stands_alone():
    text = page(a_report(traded(1), traded(2, strategy="alpha", status="denied", submitted_at=None)))
    assert "<script" not in text
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert " src=" not in text
    assert text.count("<svg") == 6  # each for screens, and for phones
    assert "ab" * 32 in text
    assert "2026-11-20" in text


def test_page_when_names_are_hostile_holds_them_as_text_only():
    hostile = "=1+1<script>x</script>"
    text = page(
        a_report(
            traded(1, strategy=hostile),
            differences=[{"between": "sent", "about": "@SUM(A1)", "journal": "+1", "other": "<b>"}],
        )
    )
    assert "<script" not in text
    assert "&#x27;=1+1&lt;" in text
    assert "&#x27;@SUM(A1)" in text
    assert "<b>" not in text.partition("对账差异<small>")[2]


def test_page_when_there_are_no_orders_says_so():
    assert "没有委托 no orders" in page(a_report())


def test_charts_when_everything_happens_in_one_minute_or_at_once_are_drawn():
    assert "<rect" in charts.flow(1, [{"at": "09:31", "by_outcome": {"filled": 1}}])
    assert "<circle" in charts.latencies([("x", 0.0, 0.0, 0.0)])
    assert [charts.duration(value) for value in (0.2412, 12, 1500, 192_000, 7.2e6)] == [
        "0.241 ms",
        "12 ms",
        "1.5 s",
        "3.2 min",
        "2 h",
    ]


def test_choice_when_made_takes_what_it_names():
    order = traded(account_id="a", strategy="s", symbol="SZSE.000001")
    assert all(choice.takes(order) for choice in (Choice(), Choice("a"), Choice("a", "s", "SZSE.000001")))
    assert not any(
        choice.takes(order) for choice in (Choice("b"), Choice("a", "t"), Choice(symbol="SHSE.600000"))
    )


def test_batch_when_it_is_not_in_this_format_is_not_read():
    assert read_rows(b"\x03dbf\xff") is None
    assert read_rows(b"sid,other\n1,2\n") is None
