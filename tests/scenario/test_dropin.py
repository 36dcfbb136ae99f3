"""A program written for the terminal's two folders works unchanged on ours, whatever the gateway."""

from __future__ import annotations

from datetime import datetime

import pytest
from dropin_client import CANCELED, FILLED, PARTLY, REJECTED, REPORTED, Program
from routed_desk import Desk
from terminal_desk import ACCOUNT, ALIAS, TerminalDesk

from orderdrop.config.sources import load
from orderdrop.errors import ConfigError
from orderdrop.system.clock import SHANGHAI, FixedClock

FULL, TWO_FILLS, HALF, PENDING, REFUSED = (
    "SZSE.000725",
    "SZSE.000002",
    "SZSE.000001",
    "SHSE.018014",
    "SZSE.000010",
)
HEADER = "sid,symbol,volume,order_type,order_business,price\n"


class PaperDesk(TerminalDesk):
    """The same turns, with the paper broker behind them."""

    def __init__(self, root, **settings) -> None:
        Desk.__init__(self, root, accounts={ACCOUNT: {"alias": ALIAS}}, **settings)
        self.asleep = True

    def in_scan(self) -> list[str]:
        return []


@pytest.fixture(params=[PaperDesk, TerminalDesk], ids=["paper", "goldminer"])
def desk(request, tmp_path):
    made = request.param(tmp_path / "交易 desk")
    yield made
    made.crash()


def program(desk: TerminalDesk, folder: str = "", encoding: str = "utf-8-sig") -> Program:
    where = desk.inbox / folder
    where.mkdir(exist_ok=True)
    made = Program(where, desk.root / "outbox", ACCOUNT, desk.open().router.today, encoding)
    desk.until(made.ready)
    return made


def test_program_when_it_starts_then_all_five_files_and_its_cash_are_there_before_any_order(desk):
    made = program(desk)
    assert made.available() > 0
    assert made.status("S1") == ""
    assert made.changes("S1") == []


@pytest.mark.parametrize("folder", ["", ALIAS, ACCOUNT], ids=["inbox", "alias", "account id"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_program_when_it_appends_all_day_then_it_reads_what_became_of_each_order(desk, folder, encoding):
    made = program(desk, folder, encoding)
    made.order("S1", FULL, 500, "4.02")
    desk.until(lambda: made.status("S1") == FILLED and made.filled("S1") == 500)
    desk.until(lambda: made.holding(FULL) == 500)
    made.order("S2", HALF, 1000, "11.20")
    made.order("S3", REFUSED, 100, "3.05")
    made.order("S4", PENDING, 10, "100")
    desk.until(
        lambda: (
            (made.status("S2"), made.filled("S2"), made.status("S3"), made.status("S4"))
            == (PARTLY, 500, REJECTED, REPORTED)
        )
    )
    made.cancel("S2")
    made.cancel("S4")
    desk.until(lambda: made.status("S2") == made.status("S4") == CANCELED)
    assert made.filled("S2") == 500
    assert [made.changes(sid)[-1] for sid in ("S1", "S2", "S3", "S4")] == [
        FILLED,
        CANCELED,
        REJECTED,
        CANCELED,
    ]
    assert {order["strategy"] for order in desk.orders().values()} == {None}


def test_program_when_it_writes_baskets_then_each_row_is_answered(desk):
    made = program(desk)
    made.basket("093101.125", [("B1", FULL, 100, "4.02"), ("B2", TWO_FILLS, 600, "7.15")])
    made.basket("093102.250", [("B3", FULL, 200, "4.02")])
    desk.until(lambda: [made.filled(sid) for sid in ("B1", "B2", "B3")] == [100, 600, 200])


def test_program_when_we_deny_its_order_then_it_reads_a_rejection_with_the_reason(desk):
    made = program(desk)
    made.order("S1", FULL, 150, "4.02")
    desk.until(lambda: made.status("S1") == REJECTED)
    code, words = made.reason("S1")
    assert code == "1"
    assert "lot" in words or "100" in words
    assert made.changes("S1") == [REJECTED]
    assert made.lines_cut_at_commas("order_status") == {17}
    assert made.lines_cut_at_commas("order_status_change") == {17}


def test_program_when_the_router_starts_again_then_the_day_is_still_told(desk):
    made = program(desk)
    made.order("S1", FULL, 500, "4.02")
    desk.until(lambda: made.filled("S1") == 500)
    desk.close()
    made.order("S2", FULL, 100, "4.02")
    desk.until(lambda: made.filled("S2") == 100)
    assert made.filled("S1") == 500


def test_folder_when_it_is_an_accounts_then_rows_without_account_are_that_accounts(tmp_path):
    desk = Desk(tmp_path, accounts={"1001": {"alias": "主账户"}, "1002": {}})
    row = "{},SHSE.600000,100,1,1,10.35\n"
    try:
        desk.route({
            "主账户/a.csv": HEADER + row.format("A1"), "1002/b.csv": HEADER + row.format("B1"),
            "alpha/c.csv": HEADER.replace("sid", "sid,account_id") + "C1,1002,SHSE.600000,100,1,1,10.35\n",
            "alpha/d.csv": HEADER + row.format("D1"),
        })  # fmt: skip
        told = {sid: (order["account_id"], order["strategy"]) for sid, order in desk.orders().items()}
        assert told == {"A1": ("1001", None), "B1": ("1002", None), "C1": ("1002", "alpha")}
        assert desk.outcomes("alpha/d.csv") == [("D1", "error", "ACCOUNT_MISSING")]
    finally:
        desk.crash()


def test_cash_when_a_price_moves_without_orders_then_the_file_follows(tmp_path):
    desk = Desk(tmp_path, accounts={"1001": {}})
    try:
        desk.route({"a.csv": HEADER + "A1,SHSE.600000,100,1,1,10\n"})
        assert [row["price"] for row in desk.table("1001/position.csv")] == ["10"]
        (tmp_path / "quotes.csv").write_text("symbol,price\nSHSE.600000,20\n", encoding="utf-8")
        desk.open().chores._outbox._funds_at = 0.0
        desk.route()
        assert [row["price"] for row in desk.table("1001/position.csv")] == ["20"]
    finally:
        desk.crash()


def test_result_files_when_a_day_begins_then_an_idle_accounts_are_begun_anew(tmp_path):
    clock = FixedClock(datetime(2026, 11, 19, 10, tzinfo=SHANGHAI))
    desk = Desk(tmp_path, clock, accounts={"1001": {}})
    try:
        desk.route({"a.csv": HEADER + "A1,SHSE.600000,100,1,1,10\n"})
        clock.advance(86400)
        desk.route()
        assert [
            desk.table(f"1001/{name}.csv")
            for name in ("order_status", "order_status_change", "execution_report")
        ] == [[], [], []]
        assert desk.table("1001/cash.csv")[0]["updated_at"].startswith("2026-11-20")
    finally:
        desk.crash()


def test_settings_when_an_account_and_a_strategy_share_a_name_then_they_are_refused(tmp_path):
    (tmp_path / "orderdrop.toml").write_text(
        '[accounts.1001]\nalias = "alpha"\n[strategies.alpha]\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="alpha"):
        load(tmp_path)
