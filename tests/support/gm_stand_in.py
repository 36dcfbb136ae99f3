"""A stand-in for the native half of 掘金's package: `gm.csdk.c_sdk`, with a book in a file that outlives whoever calls it.

The vendor's messages and enumerations are real; only the calls are ours. Run as a program it is the worker process with this book:
`gm_stand_in.py FOLDER`. In FOLDER: `book.db`, `now` (microseconds; without it the machine's clock), `faults` put in by tests, `symbols.json` (what
it knows of the day's securities; without it, it tells none). `gm_stand_in.py FOLDER securities` is the process that is asked for these.

Orders of 掘金's simulated symbols go their way in steps of a second, other orders fill at once. An order's state is a function of
its age, so nobody has to step the book.
"""

import json
import os
import sqlite3
import sys
import time
from pathlib import Path

from gm import enum
from gm.pb import account_pb2 as pb
from gm.pb import instrument_service_pb2 as service
from gm.pb import trade_pb2
from gm.pb.tradegw_service_pb2 import GetAccountStatusesReq

SECOND = 1_000_000
OPENING_CASH = 1_000_000.0
HALVES, HALF_STAYS, REJECTS, PENDS = (
    {"SZSE.000002"},
    {"SZSE.000001", "SZSE.000008"},
    {"SZSE.000010"},
    {"SHSE.018014"},
)
STUCK = {"SZSE.000008"}
ERRORS = {1001: "无法连接到终端服务", 1013: "交易服务调用错误", 1020: "无效的ACCOUNT_ID"}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    n INTEGER PRIMARY KEY, account TEXT, symbol TEXT, side INTEGER, volume INTEGER, price REAL, type INTEGER, at INTEGER,
    strategy TEXT, cancelled_at INTEGER);
CREATE TABLE IF NOT EXISTS noes (n INTEGER, account TEXT, cl TEXT, code INTEGER, at INTEGER);
CREATE TABLE IF NOT EXISTS faults (seq INTEGER PRIMARY KEY, call TEXT, what TEXT);
"""


class Book:
    """The broker's side. opening: shares held from the start, by symbol."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.db = sqlite3.connect(self.folder / "book.db", isolation_level=None, timeout=10)
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.executescript(_SCHEMA)
        self.db.row_factory = sqlite3.Row
        self._parts: dict[int | tuple[int, int], bytes] = {}
        opening = self.folder / "opening.json"
        self.opening = json.loads(opening.read_text()) if opening.exists() else {}

    def __del__(self) -> None:
        self.db.close()

    def now(self) -> int:
        try:
            return int((self.folder / "now").read_text())
        except (OSError, ValueError):
            return time.time_ns() // 1000

    def fail(self, call: str, what: str) -> None:
        """For tests: what the next call of this name is to do."""
        self.db.execute("INSERT INTO faults (call, what) VALUES (?, ?)", (call, what))

    def fault(self, call: str) -> str:
        found = self.db.execute(
            "SELECT seq, what FROM faults WHERE call = ? ORDER BY seq", (call,)
        ).fetchone()
        if found is None:
            return ""
        self.db.execute("DELETE FROM faults WHERE seq = ?", (found["seq"],))
        return found["what"]

    def place(self, order, at: int | None = None) -> str:
        done = self.db.execute(
            "INSERT INTO orders (account, symbol, side, volume, price, type, at, strategy) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order.account_id, order.symbol, order.side, order.volume, order.price, order.order_type,
                at or self.now(), order.strategy_id,
            ),
        )  # fmt: skip
        return client_id(done.lastrowid)

    def rows(self, account: str | None = None) -> list:
        where, values = ("WHERE account = ?", (account,)) if account else ("", ())
        return self.db.execute(f"SELECT * FROM orders {where} ORDER BY n", values).fetchall()

    def cancel(self, cl: str, account: str) -> None:
        row = next((row for row in self.rows(account) if client_id(row["n"]) == cl), None)
        if row is None:
            code = enum.CancelOrderRejectReason_UnknownOrder
        elif row["symbol"] in STUCK:
            code = enum.CancelOrderRejectReason_BrokerOption
        elif self.state(row)[0] not in {1, 2, 10}:
            code = enum.CancelOrderRejectReason_OrderFinalized
        else:
            self.db.execute("UPDATE orders SET cancelled_at = ? WHERE n = ?", (self.now(), row["n"]))
            return
        n = self.db.execute("SELECT count(*) FROM noes").fetchone()[0]
        self.db.execute("INSERT INTO noes VALUES (?, ?, ?, ?, ?)", (n, account, cl, code, self.now()))

    def state(self, row) -> tuple[int, list]:
        """Status, and the fills: number, volume, time."""
        age = self.now() - row["at"]
        gone = None if row["cancelled_at"] is None else self.now() - row["cancelled_at"]
        fills = [f for f in _fills(row) if f[2] <= self.now() and f[2] <= (row["cancelled_at"] or f[2])]
        filled = sum(volume for _number, volume, _at in fills)
        if row["symbol"] in REJECTS:
            return enum.OrderStatus_Rejected, []
        if filled == row["volume"]:
            return enum.OrderStatus_Filled, fills
        if gone is not None:
            return (enum.OrderStatus_Canceled if gone >= SECOND else enum.OrderStatus_PendingCancel), fills
        if filled:
            return enum.OrderStatus_PartiallyFilled, fills
        return (enum.OrderStatus_New if age >= SECOND else enum.OrderStatus_PendingNew), fills

    def order(self, row) -> pb.Order:
        status, fills = self.state(row)
        rejected = status == enum.OrderStatus_Rejected
        order = pb.Order(
            strategy_id=row["strategy"], account_id=row["account"], cl_ord_id=client_id(row["n"]),
            order_id=f"c{row['n']}", symbol=row["symbol"], side=row["side"], order_type=row["type"],
            position_effect=row["side"], volume=row["volume"], price=row["price"], status=status,
            ord_rej_reason=enum.OrderRejectReason_NoEnoughCash if rejected else 0,
            ord_rej_reason_detail="资金不足" if rejected else "",
            filled_volume=sum(volume for _number, volume, _at in fills),
        )  # fmt: skip
        stamp(order.created_at, row["at"])
        stamp(order.updated_at, max([row["at"], row["cancelled_at"] or 0, *(at for _n, _v, at in fills)]))
        return order

    def fill(self, row, number: int, volume: int, at: int) -> pb.ExecRpt:
        report = pb.ExecRpt(
            account_id=row["account"], cl_ord_id=client_id(row["n"]), order_id=f"c{row['n']}",
            exec_id=f"e{row['n']}-{number}", exec_type=enum.ExecType_Trade, symbol=row["symbol"],
            side=row["side"], price=row["price"], volume=volume, commission=5.0,
        )  # fmt: skip
        stamp(report.created_at, at)
        return report

    def no(self, no) -> pb.ExecRpt:
        report = pb.ExecRpt(
            account_id=no["account"], cl_ord_id=no["cl"], exec_id=f"no{no['n']}", ord_rej_reason=no["code"],
            exec_type=enum.ExecType_CancelRejected, ord_rej_reason_detail="撤不了",
        )  # fmt: skip
        stamp(report.created_at, no["at"])
        return report

    # Lists as the wire has them are their parts one after another. Parts that do not change any more are kept.

    def orders(self, account: str) -> bytes:
        return b"".join(self._order_part(row) for row in self.rows(account))

    def _order_part(self, row) -> bytes:
        part = self._parts.get(row["n"])
        if part is None:
            order = self.order(row)
            part = pb.Orders(data=[order]).SerializeToString()
            if order.status == enum.OrderStatus_Filled:
                self._parts[row["n"]] = part
        return part

    def reports(self, account: str) -> bytes:
        parts = []
        for row in self.rows(account):
            for fill in self.state(row)[1]:
                key = (row["n"], fill[0])
                if key not in self._parts:
                    self._parts[key] = pb.ExecRpts(data=[self.fill(row, *fill)]).SerializeToString()
                parts.append(self._parts[key])
        noes = self.db.execute("SELECT * FROM noes WHERE account = ?", (account,)).fetchall()
        return b"".join(parts) + pb.ExecRpts(data=map(self.no, noes)).SerializeToString()

    def cash(self, account: str) -> pb.Cash:
        spent = frozen = 0.0
        for row in self.rows(account):
            status, fills = self.state(row)
            filled = sum(volume for _number, volume, _at in fills)
            sign = 1 if row["side"] == enum.OrderSide_Buy else -1
            spent += sign * filled * row["price"] + 5.0 * len(fills)
            if status in {1, 2, 6, 10} and sign > 0:
                frozen += (row["volume"] - filled) * row["price"]
        balance = OPENING_CASH - spent
        return pb.Cash(account_id=account, balance=balance, available=balance - frozen, order_frozen=frozen)

    def positions(self, account: str) -> list[pb.Position]:
        today: dict[str, int] = {}
        for row in self.rows(account):
            filled = sum(volume for _number, volume, _at in self.state(row)[1])
            sign = 1 if row["side"] == enum.OrderSide_Buy else -1
            today[row["symbol"]] = today.get(row["symbol"], 0) + sign * filled
        return [
            pb.Position(
                account_id=account, symbol=symbol, side=enum.PositionSide_Long, vwap=10.0, price=10.0,
                volume=self.opening.get(symbol, 0) + today.get(symbol, 0), volume_today=today.get(symbol, 0),
                available_now=self.opening.get(symbol, 0),
            )
            for symbol in sorted({*self.opening, *today})
        ]  # fmt: skip


def _fills(row) -> list[tuple[int, int, int]]:
    at, volume = row["at"], row["volume"]
    half = volume // 200 * 100 or volume
    if row["symbol"] in PENDS | REJECTS:
        return []
    if row["symbol"] in HALF_STAYS:
        return [(1, half, at + 2 * SECOND)]
    if row["symbol"] in HALVES:
        return [(1, half, at + 2 * SECOND), (2, volume - half, at + 3 * SECOND)]
    return [(1, volume, at + 2 * SECOND)]


def client_id(n: int) -> str:
    return f"t-{n}"


def stamp(field, at: int) -> None:
    field.seconds, field.nanos = at // SECOND, at % SECOND * 1000


class NativeCalls:
    """Stands for `gm.csdk.c_sdk`, over a book."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._mode = 0
        self._strategy = ""

    def _answer(self, call, make):
        """Say what `make` makes, and do it, unless a test wants it otherwise."""
        fault = self._book.fault(call)
        if fault == "hang":
            time.sleep(600)
        if fault == "refuse":
            return 1013, None
        if fault == "empty":
            return 0, b""
        made = make()
        if fault == "refuse-after":
            return 1013, None
        if fault == "hang-after":
            time.sleep(600)
        if fault == "die-after":
            os._exit(9)
        return 0, made if isinstance(made, bytes) else made.SerializeToString()

    def gmi_set_mode(self, mode):
        self._mode = mode

    def py_gmi_set_strategy_id(self, strategy):
        self._strategy = strategy

    def py_gmi_set_token(self, token):
        (self._book.folder / "token").write_text(token)

    def py_gmi_set_serv_addr(self, _value):
        pass

    py_gmi_set_account_id = py_gmi_set_max_wait_time = py_gmi_set_serv_addr

    def gmi_strerror(self, status):
        return ERRORS.get(status, "?").encode()

    def gmi_get_ext_errormsg(self):
        return b""

    def py_gmi_place_order(self, request):
        if self._mode != enum.MODE_LIVE:
            return 1030, None
        return self._answer("place", lambda: self._placed(pb.Orders.FromString(request)))

    def _placed(self, told):
        for order in told.data:
            assert order.order_style == pb.OrderStyle_Volume
            assert order.position_effect == (1 if order.side == 1 else 2)
            order.strategy_id = self._strategy
            order.cl_ord_id = self._book.place(order)
            order.status = enum.OrderStatus_PendingNew
        return told

    def py_gmi_cancel_order(self, request):
        for order in pb.Orders.FromString(request).data:
            self._book.cancel(order.cl_ord_id, order.account_id)
        return self._answer("cancel", pb.Orders)[0]

    def py_gmi_get_orders(self, request):
        account = trade_pb2.GetOrdersReq.FromString(request).account_id
        return self._answer("orders", lambda: self._book.orders(account))

    def py_gmi_get_execution_reports(self, request):
        account = trade_pb2.GetExecrptsReq.FromString(request).account_id
        return self._answer("reports", lambda: self._book.reports(account))

    def py_gmi_get_cash(self, request):
        account = trade_pb2.GetCashReq.FromString(request).account_id
        return self._answer("cash", lambda: pb.Cashes(data=[self._book.cash(account)]))

    def py_gmi_get_positions(self, request):
        account = trade_pb2.GetPositionsReq.FromString(request).account_id
        return self._answer("positions", lambda: pb.Positions(data=self._book.positions(account)))

    def py_gmi_get_account_status(self, request):
        told = pb.AccountStatuses()
        for account in GetAccountStatusesReq.FromString(request).account_ids:
            told.data.add(account_id=account).status.state = enum.State_LOGGEDIN
        return self._answer("statuses", lambda: told)

    def py_gmi_get_symbols_v2(self, request):
        asked = service.GetSymbolsReq.FromString(request)
        path = self._book.folder / "symbols.json"
        if not path.exists() or not asked.sec_type1:
            return 1001, None
        return self._answer("symbols", lambda: service.GetSymbolsResp(symbols=_asked_for(path, asked)))

    def py_gmi_get_accounts(self):
        return self._answer("accounts", pb.Accounts)


def _asked_for(path, asked):
    """The securities of a kind and some exchanges, those that are suspended or ST unless they are to be left out."""
    for one in json.loads(path.read_text()):
        told = service.Symbol(**{name: value for name, value in one.items() if name not in {"info", "at"}})
        told.info.CopyFrom(service.SymbolInfo(**one["info"]))
        stamp(told.trade_date, one["at"])
        wanted = not (told.is_suspended and asked.skip_suspended) and not (told.is_st and asked.skip_st)
        if wanted and told.info.sec_type1 == asked.sec_type1 and told.info.exchange in asked.exchanges:
            yield told


if __name__ == "__main__":
    sys.modules["gm.csdk.c_sdk"] = NativeCalls(Book(Path(sys.argv[1])))
    if sys.argv[2:] == ["securities"]:
        from orderdrop.gateway.gm.securities import find
        from orderdrop.gateway.securities_query import answer

        answer(find)
    else:
        from orderdrop.gateway.gm.worker import main

        main()
