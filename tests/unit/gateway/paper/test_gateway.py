"""The paper broker: its rules, its money, its days and its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import ACCOUNT, FRIDAY, a_clock, an_outgoing
from hypothesis import given, settings
from hypothesis import strategies as st

from orderdrop.config.gateways import FeeSettings, PaperSettings
from orderdrop.domain.board import board_of
from orderdrop.domain.goldminer_format import ORDER_HEADER, position_row
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.status import Status
from orderdrop.errors import ConfigError, GatewayError
from orderdrop.gateway.base import Batch, Cancel, Cursor, Outcome
from orderdrop.gateway.paper.gateway import PaperGateway
from orderdrop.gateway.paper.rules import Tariff
from orderdrop.system.clock import from_datetime

BUY, SELL = 1, 2
SHARE, FUND, BOND = "SHSE.600000", "SHSE.510300", "SZSE.123001"


class Broker:
    """A paper gateway with a short way to trade, and everything that it told."""

    def __init__(self, folder, clock=None, known_price=lambda _symbol: None, **over):
        self.folder, self.clock, self.over, self.known_price = folder, clock or a_clock(), over, known_price
        self.gateway = self.new()
        self.batches = 0

    def new(self):
        gateway = PaperGateway(
            "paper", PaperSettings(**self.over), self.folder, self.folder / "quotes.csv", self.clock,
            known_price=self.known_price,
        )  # fmt: skip
        gateway.open()
        return gateway

    def trade(self, **over):
        """The last status of one order."""
        before = self.cursor()
        self.batches += 1
        order = an_outgoing(**{"sid": f"S{self.batches}", **over})
        self.gateway.submit(Batch(self.batches, self.gateway.encode([order])))
        return self.told(before)[-1]

    def told(self, after=Cursor("")):  # noqa: B008
        return self.gateway.poll(after, 100_000)[0]

    def cursor(self):
        return self.gateway.poll(Cursor(""), 100_000)[1]

    def account(self):
        return self.gateway.account(ACCOUNT)

    def held(self, symbol):
        return next(position for position in self.account().positions if position.symbol == symbol)

    def quotes(self, text):
        (self.folder / "quotes.csv").write_text(text, encoding="utf-8")


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path, positions={SHARE: 250, BOND: 20, "SHSE.688001": 150})
    yield broker
    broker.gateway.close()


# fees


@pytest.mark.parametrize(
    ("symbol", "side", "turnover", "fees"),
    [
        (SHARE, BUY, "1000", "5.01"),  # the least commission, and the transfer fee
        (SHARE, SELL, "1000", "5.51"),  # and the stamp duty
        (SHARE, BUY, "100000", "26.00"),
        (SHARE, SELL, "100000", "76.00"),
        (FUND, SELL, "100000", "25.00"),
        (BOND, SELL, "100000", "25.00"),
        (SHARE, BUY, "20020", "5.21"),  # 5.005 is 5.01, 0.2002 is 0.20
        (SHARE, BUY, "0", "0"),
    ],
)
def test_fees_when_charged_then_as_in_the_rules(symbol, side, turnover, fees):
    assert Tariff(FeeSettings()).total(board_of(symbol), side, Decimal(turnover)) == Decimal(fees)


def test_fees_when_filled_in_two_then_the_least_commission_once(broker):
    broker.trade(symbol="SZSE.000002", volume=200)
    first, second = (r for r in broker.told() if isinstance(r, Fill))
    assert (first.fee, second.fee) == (Decimal("5.01"), Decimal("0.01"))


# the broker's no


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"volume": 1_000_000}, 2),
        ({"order_business": SELL, "volume": 300}, 3),
        ({"order_business": SELL, "symbol": FUND}, 3),
        ({"symbol": "SHSE.700000"}, 6),
        ({"volume": 150}, 7),
        ({"volume": 0}, 7),
        ({"order_business": SELL, "volume": 30}, 7),  # would leave an odd lot of 20
        ({"price": None}, 8),
        ({"price": "10.001"}, 8),
        ({"order_type": 25, "price": None}, 8),
        ({"order_type": 26, "price": None}, 14),
        ({"order_type": 25, "price": None, "symbol": BOND, "volume": 10}, 14),
        ({"order_business": 10}, 14),
        ({"order_business": SELL, "symbol": "SHSE.204001", "volume": 10, "price": "1.850"}, 14),
    ],
)
def test_order_when_not_possible_then_rejected_and_nothing_changes(broker, over, code):
    report = broker.trade(**over)
    assert (report.status, report.code) == (Status.REJECTED, code)
    assert " / " in report.text
    account = broker.account()
    assert (account.balance, account.frozen, account.pnl) == (1_000_000, 0, 0)


@pytest.mark.parametrize("volume", [50, 150, 250, 100, 200])
def test_sale_when_it_takes_the_odd_remainder_or_none_of_it_then_filled(broker, volume):
    assert broker.trade(order_business=SELL, volume=volume).status is Status.FILLED


@pytest.mark.parametrize(("volume", "status"), [(150, Status.FILLED), (149, Status.REJECTED)])
def test_sale_when_below_the_minimum_of_star_then_only_whole(broker, volume, status):
    assert broker.trade(symbol="SHSE.688001", order_business=SELL, volume=volume).status is status


def test_sale_when_its_fees_eat_more_than_all_cash_then_rejected(tmp_path):
    broker = Broker(tmp_path, cash=0, positions={SHARE: 100})
    assert broker.trade(order_business=SELL, price="0.01").code == 2
    assert broker.trade(order_business=SELL, price="1.00").status is Status.FILLED
    assert broker.account().available > 0


# T+1, days


def test_share_when_bought_today_then_sold_tomorrow(broker):
    broker.trade(symbol="SHSE.600001")
    assert broker.trade(symbol="SHSE.600001", order_business=SELL).code == 3
    broker.clock.advance(86400)
    assert broker.trade(symbol="SHSE.600001", order_business=SELL).status is Status.FILLED


def test_convertible_when_bought_today_then_sold_today(broker):
    broker.trade(symbol="SZSE.123002", volume=10)
    assert broker.trade(symbol="SZSE.123002", volume=10, order_business=SELL).status is Status.FILLED


def test_day_when_over_then_open_orders_expire_and_give_back(broker):
    broker.trade(symbol="SHSE.018014")
    broker.trade(sid="S2", symbol="SZSE.000001", volume=200)
    before = broker.cursor()
    assert broker.account().frozen > 0
    broker.clock.at = from_datetime(FRIDAY.replace(hour=23, minute=59, second=59) + timedelta(seconds=1))
    assert [(r.sid, r.status, r.filled_volume) for r in broker.told(before)] == [
        ("S1", Status.EXPIRED, 0),
        ("S2", Status.EXPIRED, 100),
    ]
    assert broker.account().frozen == 0
    assert broker.held("SZSE.000001").available == 100


def test_day_when_it_ended_while_the_program_was_down_then_the_same(broker):
    broker.trade(symbol="SHSE.018014")
    before = broker.cursor()
    broker.gateway.close()
    broker.clock.advance(3 * 86400)
    broker.gateway = broker.new()
    assert [r.status for r in broker.told(before)] == [Status.EXPIRED]


def test_cancel_when_the_order_is_of_yesterday_then_unknown(broker):
    broker.trade(symbol="SHSE.018014")
    broker.clock.advance(86400)
    broker.gateway.cancel([Cancel("S1", ACCOUNT)])
    assert broker.told()[-1].code == 102


# market orders and quotes


def test_market_order_when_there_is_a_quote_then_filled_at_it(broker):
    broker.quotes("symbol,price\n600000.SH,12.345\n")
    broker.trade(order_type=25, price=None)
    assert next(r for r in broker.told() if isinstance(r, Fill)).price == Decimal("12.35")


def test_market_order_when_the_quotes_change_then_the_new_ones_count(broker):
    for price in ("12.30", "13"):
        broker.quotes(f"symbol,price\nsh600000,{price}\n")
        assert broker.trade(order_type=25, price=None).status is Status.FILLED
        assert broker.held(SHARE).price == Decimal(price)


def test_market_order_when_nobody_knows_a_price_then_rejected_with_what_to_do(broker):
    told = broker.trade(order_type=25, price=None)
    assert (told.status, told.code) == (Status.REJECTED, 8)
    refusal = Refusal(Code.BROKER_REJECTED, value=told.text, bound=str(told.code))
    chinese, english = explain(refusal, "zh"), explain(refusal, "en")
    assert chinese.remedy == "在工作区放 quotes.csv（列：symbol,price），或改为限价"
    assert english.remedy == "put quotes.csv (columns: symbol,price) into the workspace, or use a limit order"
    assert "→" not in chinese.text("zh+en")
    assert english.en.endswith("there is no reference price of SHSE.600000")


def test_market_order_when_there_is_no_quote_then_filled_at_the_last_fill_also_after_a_restart(broker):
    broker.trade(price="10.40")
    assert broker.trade(order_type=25, price=None).status is Status.FILLED
    broker.gateway.close()
    broker.gateway = broker.new()
    broker.trade(order_type=25, price=None)
    assert {r.price for r in broker.told() if isinstance(r, Fill)} == {Decimal("10.40")}


def test_market_order_when_only_the_day_s_securities_know_a_price_then_filled_at_it(tmp_path):
    known = {SHARE: Decimal("9.87")}
    broker = Broker(tmp_path, known_price=known.get)
    broker.trade(order_type=25, price=None)
    assert [r.price for r in broker.told() if isinstance(r, Fill)] == [Decimal("9.87")]
    assert broker.trade(order_type=25, price=None, symbol="SHSE.600004").status is Status.REJECTED
    broker.gateway.close()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("名称,最新价,代码\n浦发银行,9.87,600000\n", "gb18030"),
        ("\n证券代码,参考价\nsh600000,9.87\n", "utf-8-sig"),
        ("SHSE.600000,9.87\n", "utf-8"),
    ],
)
def test_quotes_when_a_header_names_the_columns_then_read_by_it(broker, text, encoding):
    (broker.folder / "quotes.csv").write_text(text, encoding=encoding)
    broker.trade(order_type=25, price=None)
    assert [r.price for r in broker.told() if isinstance(r, Fill)] == [Decimal("9.87")]


def test_account_when_no_setting_names_it_then_said_once(broker, caplog):
    broker.trade()
    broker.trade()
    assert [ACCOUNT in record.getMessage() for record in caplog.records] == [True]


def test_market_order_when_the_protective_price_is_worse_then_rejected(broker):
    broker.quotes("SHSE.600000,12.30\n")
    assert broker.trade(order_type=25, price="12.29").code == 8
    assert broker.trade(order_type=25, price="12.30").status is Status.FILLED
    assert broker.trade(order_type=25, price="12.31", order_business=SELL).code == 8


def test_quotes_when_a_line_is_rubbish_then_told_and_the_others_hold(broker, caplog):
    broker.quotes("symbol,price\nSHSE.600000,nan\nrubbish,1\nSHSE.600001\n\nSHSE.600004,9.99,浦发\n")
    assert broker.trade(order_type=25, price=None).code == 8
    assert broker.trade(order_type=25, price=None, symbol="SHSE.600004").status is Status.FILLED
    assert len([record for record in caplog.records if record.name.endswith("quotes")]) == 3


# the snapshot


def test_snapshot_when_shares_were_bought_and_sold_then_cost_and_profit_add_up(broker):
    broker.trade(symbol="SHSE.600001", price="10.00", volume=200)
    broker.trade(symbol="SHSE.600001", price="12.00", volume=200)
    position = broker.held("SHSE.600001")
    assert (position.vwap, position.price) == (Decimal("11.0000"), Decimal("12.00"))
    account = broker.account()
    assert account.market_value == 4800
    assert account.pnl == 400 - Decimal("10.04")  # two least commissions, two transfer fees


def test_snapshot_when_an_order_is_open_then_its_cash_or_shares_are_frozen(broker):
    broker.trade(symbol="SHSE.018014", volume=10, price="100.000")
    account = broker.account()
    assert (account.frozen, account.available) == (Decimal("1005.000"), Decimal("998995.000"))
    broker.gateway.cancel([Cancel("S1", ACCOUNT)])
    assert broker.account().available == 1_000_000


def test_positions_when_the_settings_are_wrong_then_a_config_error(tmp_path):
    for positions in ({"rubbish": 100}, {SHARE: -1}):
        with pytest.raises(ConfigError, match="positions"):
            Broker(tmp_path, positions=positions)


# simulated symbols


def test_simulated_symbols_when_switched_off_then_ordinary(tmp_path):
    broker = Broker(tmp_path, simulate=False)
    for symbol in ("SZSE.000001", "SZSE.000010", "SZSE.000008", "SZSE.000002"):
        assert broker.trade(symbol=symbol).status is Status.FILLED


def test_opening_position_when_the_settings_say_what_it_cost_then_that_is_told(tmp_path):
    broker = Broker(tmp_path, positions={SHARE: {"volume": 300, "cost": "9.80"}})
    broker.trade(symbol="SHSE.018014", volume=10, price="100")  # the account is open
    assert broker.held(SHARE).vwap == Decimal("9.80")
    broker.trade(volume=100, price="10.00")
    assert broker.held(SHARE).vwap == Decimal("9.85")


def test_opening_position_when_nobody_knows_what_it_cost_then_nothing_is_told_until_it_trades(tmp_path):
    broker = Broker(tmp_path, positions={SHARE: 300_000})
    broker.trade(symbol="SHSE.018014", volume=10, price="100")
    assert broker.held(SHARE).vwap is None
    row = position_row(ACCOUNT, broker.held(SHARE), 0, 0, 0)
    assert [row[place] for place in (5, 6, 9, 10)] == ["", "", "", ""]
    broker.gateway.close()
    broker.gateway.open()
    assert broker.held(SHARE).vwap is None
    broker.trade(volume=100, price="10.00")
    assert broker.held(SHARE).vwap == Decimal("10.00")
    assert abs(broker.account().pnl) < 10  # the fee


def test_simulated_sale_when_half_filled_then_the_rest_is_frozen(tmp_path):
    broker = Broker(tmp_path, positions={"SZSE.000001": 300})
    assert broker.trade(symbol="SZSE.000001", order_business=SELL, volume=300).filled_volume == 100
    assert broker.held("SZSE.000001").available == 0
    broker.gateway.cancel([Cancel("S1", ACCOUNT)])
    assert broker.held("SZSE.000001").available == 200


# batches, sids, the file


def test_batch_when_handed_over_twice_then_executed_once(broker):
    batch = Batch(1, broker.gateway.encode([an_outgoing()]))
    broker.gateway.submit(batch)
    before = broker.cursor()
    assert broker.gateway.submit(batch).outcome is Outcome.TAKEN
    assert broker.told(before) == []


def test_batch_when_another_one_has_its_number_then_it_is_executed(broker):
    """A journal that was begun anew counts from 1 again."""
    for sid in ("S1", "S2"):
        batch = Batch(1, broker.gateway.encode([an_outgoing(sid=sid)]))
        assert broker.gateway.settle(batch) == {sid: Outcome.NEVER_LEFT}
        broker.gateway.submit(batch)
    assert {r.sid for r in broker.told()} == {"S1", "S2"}


def test_sid_when_repeated_then_the_last_gate_holds_it(broker):
    broker.trade(sid="S1")
    again = Batch(7, broker.gateway.encode([an_outgoing(sid="S1"), an_outgoing(sid="S9")]))
    result = broker.gateway.submit(again)
    assert (result.outcome, result.doubtful) == (Outcome.UNKNOWN, {"S1"})
    with closing(sqlite3.connect(broker.folder / ".." / broker.folder.name / "paper-paper.db")) as file:
        assert file.execute("SELECT count(*) FROM orders WHERE sid IN ('S1', 'S9')").fetchone() == (1,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish\n",
        f"{ORDER_HEADER}\nS1,A1,SHSE.600000,100,1,1,10.00\n".encode(),
        f"{ORDER_HEADER}\nS1,A1,SHSE.600000,100,1,1,10.00,cut".encode(),
        f"{ORDER_HEADER}\nS1,A1,SHSE.600000,1e2,1,1,10.00,\n".encode(),
        f"{ORDER_HEADER}\nS1,A1,SHSE.600000,100,1,1,-10.00,\n".encode(),
        f"{ORDER_HEADER}\nS1,A1,SHSE.600000,１００,1,1,10.00,\n".encode(),
        f"{ORDER_HEADER}\n,A1,SHSE.600000,100,1,1,10.00,\n".encode(),
        b"\xff\xfe",
    ],
)
def test_batch_when_it_cannot_be_read_then_nothing_of_it_is_taken(broker, content):
    with pytest.raises(GatewayError):
        broker.gateway.submit(Batch(1, content))
    assert broker.told() == []


def test_file_when_deleted_and_made_anew_then_old_cursors_miss_nothing(broker):
    broker.trade()
    old = broker.cursor()
    broker.gateway.close()
    for file in broker.folder.glob("paper-paper.db*"):
        file.unlink()
    broker.clock.advance(1)
    broker.gateway = broker.new()
    broker.trade()
    assert [type(r) for r in broker.told(old)] == [StatusReport, Fill, StatusReport]


def test_file_when_full_then_a_fault_and_memory_stays_with_the_file(broker):
    broker.trade()
    account = broker.account()
    connection = broker.gateway._store._file._connected()
    connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite's own "disk is full"
    connection.rollback()
    batch = Batch(9, broker.gateway.encode([an_outgoing(sid=f"F{n}", remark="x" * 200) for n in range(500)]))
    with pytest.raises(GatewayError, match="full"):
        broker.gateway.submit(batch)
    connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    connection.rollback()
    assert broker.account() == account
    assert broker.gateway.settle(batch)["F0"] is Outcome.NEVER_LEFT
    assert broker.gateway.submit(batch).outcome is Outcome.TAKEN


def test_file_when_not_open_then_a_fault(tmp_path):
    gateway = Broker(tmp_path).gateway
    gateway.close()
    with pytest.raises(GatewayError):
        gateway.accounts()


def test_cursor_when_of_another_gateway_then_a_fault(broker):
    with pytest.raises(GatewayError, match="cursor"):
        broker.gateway.poll(Cursor('{"a": 1}'), 10)


# what must hold whatever is traded

orders = st.builds(
    an_outgoing,
    sid=st.sampled_from(["S1", "S2", "S3"]),
    symbol=st.sampled_from([SHARE, FUND, BOND, "SZSE.000001", "SZSE.000002", "SHSE.018014", "SZSE.000008"]),
    volume=st.sampled_from([1, 10, 30, 100, 200, 500, 10_000]),
    order_business=st.sampled_from([BUY, SELL]),
    price=st.sampled_from(["0.01", "1.23", "10.00", "99.99"]),
)
cancels = st.builds(Cancel, st.sampled_from(["S1", "S2", "S3"]), st.just(ACCOUNT))
steps = st.lists(orders | orders | cancels | st.just("next day") | st.just("restart"), max_size=25)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_money_and_shares_whatever_happens_are_conserved(steps):
    with TemporaryDirectory() as folder:
        opening = {SHARE: 500, BOND: 30}
        broker = Broker(Path(folder), cash=20_000, positions=opening)
        traded = []
        for step in steps:
            _carry_out(broker, step)
            if isinstance(step, tuple) and len(step) > 2:
                traded.append(step)
            _assert_adds_up(broker, opening)
        broker.gateway.close()


def _carry_out(broker, step):
    if step == "next day":
        broker.clock.advance(86400)
    elif step == "restart":
        broker.gateway.close()
        broker.gateway = broker.new()
    elif isinstance(step, Cancel):
        broker.gateway.cancel([step])
    else:
        broker.batches += 1
        broker.gateway.submit(Batch(broker.batches, broker.gateway.encode([step])))


def _assert_adds_up(broker, opening):
    account = broker.account()
    if account is None:
        return
    sides = _sides(broker)
    cash, shares = Decimal(20_000), dict(opening)
    for fill in (r for r in broker.told() if isinstance(r, Fill)):
        symbol, side = sides[fill.order_id]
        sign = 1 if side == BUY else -1
        cash -= sign * fill.price * fill.volume + fill.fee
        shares[symbol] = shares.get(symbol, 0) + sign * fill.volume
    assert account.balance == cash
    assert account.balance == account.available + account.frozen
    assert account.available >= 0
    assert account.frozen >= 0
    assert {p.symbol: p.volume for p in account.positions} == {s: v for s, v in shares.items() if v}
    assert all(0 <= p.available <= p.volume for p in account.positions)
    assert not [r for r in broker.told() if isinstance(r, CancelReject) and r.code not in {101, 102, 103}]


def _sides(broker):
    with closing(sqlite3.connect(broker.folder / "paper-paper.db")) as file:
        return {
            str(n): (symbol, side)
            for n, symbol, side in file.execute("SELECT number, symbol, business FROM orders")
        }
