"""A stand-in for MiniQMT and the broker behind it, which may live in a process of its own; xtquant_native is the way to it.

The broker executes whatever it is given, also the same remark twice: that this never happens is what the tests are about.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orderdrop.config.gateways import FeeSettings
from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Cancel, Outgoing
from orderdrop.gateway.miniqmt.codes import stock_code, symbol_of
from orderdrop.gateway.paper.book import Book, Opening, PaperOrder, Terms
from orderdrop.gateway.paper.rules import Tariff
from orderdrop.system.clock import Clock, SystemClock, trade_date

ADDRESS = "stand-in.json"
KEY = b"stand-in"
LONGEST_REMARK = 24
STALL = 2.0
BUSINESS_OF = {23: 1, 24: 2, 27: 1, 28: 2, 29: 1, 31: 2}
STATUS_OF = {
    Status.NEW: 50, Status.PARTIALLY_FILLED: 55, Status.FILLED: 56, Status.REJECTED: 57, Status.PENDING_CANCEL: 51,
    Status.CANCELED: 54, Status.EXPIRED: 54,
}  # fmt: skip
FREE = FeeSettings(
    commission=Decimal(0), commission_minimum=Decimal(0), stamp_duty=Decimal(0), transfer_fee=Decimal(0)
)


@dataclass
class Habits:
    """What has been seen in the field. Sets hold the numbers of orders (the first is 1) as they come in."""

    latency: float = 0
    stall_every: int = 0  # before each so manieth order it does nothing for two seconds; what was sent waits, also if the sender dies
    event_first: bool = True
    minus_one: set[int] = field(default_factory=set)  # answered with -1, and live
    unlisted: set[int] = field(default_factory=set)  # taken, and never heard of again
    vanished: set[int] = field(default_factory=set)  # answered with a number, and never listed
    in_words: set[int] = field(default_factory=set)  # refused by an error only, never listed
    executed_unseen: set[int] = field(default_factory=set)  # of those, executed all the same
    disconnect_at: set[int] = field(default_factory=set)  # taken, then the connection goes
    tells_orders: bool = True
    tells_answers: bool = True
    tells_remarks: bool = True
    cancels_nothing: bool = False  # a cancel of a finished order is answered with success
    repeats: int = 1
    backwards: bool = False  # events in the wrong order
    stale: dict[str, list] | None = None  # what queries answer instead of the truth
    mute: bool = False  # queries are not answered
    accepts: bool = True  # connections


class Broker:
    """Accounts and orders; any number of connections. `lock` guards everything."""

    def __init__(
        self, clock: Clock, cash: Decimal = Decimal(10**12), shares: dict[str, int] | None = None
    ) -> None:
        self.habits = Habits()
        self.clock = clock
        self.lock = threading.RLock()
        self.received: list[SimpleNamespace] = []
        self.sessions: set[int] = set()
        self.refused_sessions = 0
        self._terms = Terms(
            Tariff(FREE),
            cash,
            {one: Opening(volume, Decimal(10)) for one, volume in (shares or {}).items()},
            simulate=True,
        )
        self._book = Book(self._terms, trade_date(clock.now()), 0, 0)
        self._orders: dict[int, PaperOrder] = {}
        self._remarks: dict[str, SimpleNamespace] = {}  # the book's sid to what was asked
        self._trades: list[SimpleNamespace] = []
        self._offset = 0
        self._connections: list[Connection] = []

    # the way in

    def serve(self, folder: Path) -> None:
        """Until `close`; the address stands in the folder."""
        self._listener = Listener(("localhost", 0), authkey=KEY)
        (folder / ADDRESS).write_text(json.dumps(self._listener.address))
        self._serving = threading.Thread(target=self._accept, daemon=True)
        self._serving.start()

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError), Client(self._listener.address, authkey=KEY):
            pass
        self._serving.join(5)
        self._listener.close()
        self.disconnect()

    _closed = False

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                continue
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: Connection) -> None:
        with contextlib.suppress(OSError, EOFError, TypeError):
            while True:
                message = connection.recv()
                if message == ("goodbye",):
                    break
                answers = list(self._answers(connection, *message))
                with self.lock:
                    for answer in answers:
                        connection.send(answer)
        with self.lock, contextlib.suppress(ValueError):
            self._connections.remove(connection)
        connection.close()

    def disconnect(self) -> None:
        with self.lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)  # a close would wait for the thread that reads

    def restart(self) -> None:
        """The terminal is started again: its order numbers are others, the broker's contracts stay."""
        with self.lock:
            self._offset += 100_000
        self.disconnect()

    def tell_account(self, account: str, state: int) -> None:
        """The account is logged in (0), or is not."""
        with self.lock:
            for connection in self._connections:
                status = {"m_strAccountID": account, "m_nAccountType": 2, "m_nStatus": state}
                connection.send(("OnUpdateAccountStatus", status))

    # what is asked

    def _answers(self, connection: Connection, what: str, *asked: Any) -> Iterator[tuple]:
        if what == "order" and self.habits.latency:
            time.sleep(self.habits.latency)
        if (
            what == "order"
            and self.habits.stall_every
            and not (len(self.received) + 1) % self.habits.stall_every
        ):
            time.sleep(STALL)
        with self.lock:
            yield from list(getattr(self, f"_on_{what}")(connection, *asked))

    def _on_connect(self, connection: Connection, session: int) -> Iterator[tuple]:
        fresh = self.habits.accepts and session not in self.sessions
        self.refused_sessions += not fresh
        self.sessions.add(session)
        if fresh:
            self._connections.append(connection)
        yield ("connected", 0 if fresh else -1)

    def _on_ledger(self, _connection: Connection) -> Iterator[tuple]:
        yield ("ledger", [vars(one) for one in self.received])

    def _on_subscribe(self, _connection: Connection, seq: int, _account: str) -> Iterator[tuple]:
        yield ("OnSubscribeResp", seq, 0)

    def _on_order(self, connection: Connection, seq: int, asked: dict) -> Iterator[tuple]:
        number = len(self.received) + 1
        habits = self.habits
        asked = SimpleNamespace(**asked, remark_sent=asked["remark"])
        asked.remark = asked.remark[:LONGEST_REMARK] if habits.tells_remarks else ""
        asked.live = number not in habits.unlisted | habits.in_words | habits.vanished
        self.received.append(asked)
        if number in habits.in_words:
            if number in habits.executed_unseen:
                asked.unseen = True
                self._take(asked)
                list(self._told())
            yield ("OnOrderStockResp", seq, self._response(asked, -1, "资金不足"))
            yield ("OnOrderError", self._fault(asked, seq, 0, "资金不足"))
            return
        if number in habits.vanished:
            yield ("OnOrderStockResp", seq, self._response(asked, 900_000 + number, ""))
            return
        if number in habits.unlisted:
            return
        taken = self._take(asked)
        events = list(self._told()) if habits.tells_orders else list(self._told())[:0]
        answer = (
            "OnOrderStockResp",
            seq,
            self._response(asked, -1 if number in habits.minus_one else taken, ""),
        )
        if number in habits.disconnect_at:
            self.disconnect()
            return
        events = (events[::-1] if habits.backwards else events) * habits.repeats
        answers = [answer] if habits.tells_answers else []
        yield from events + answers if habits.event_first else answers + events

    def _on_cancel(self, _connection: Connection, seq: int, account: str, number: int) -> Iterator[tuple]:
        order = self._orders.get(number - self._offset)
        done = order is not None and self._book.cancel(Cancel(order.sid, account), self.clock.now())
        refused = any(isinstance(report, CancelReject) for report in self._book.changes.reports)
        taken = (done and not refused) or self.habits.cancels_nothing
        words = "" if taken else "该委托不能撤单"
        yield ("OnCancelOrderStockResp", seq, {
            "m_strAccountID": account, "m_nCancelResult": 0 if taken else -1, "m_nOrderID": number, "m_strOrderSysID": "", "m_strErrorMsg": words,
        })  # fmt: skip
        if not taken:
            yield (
                "OnCancelError",
                {
                    "account_id": account,
                    "order_id": number,
                    "market": 0,
                    "order_sysid": "",
                    "error_id": 1,
                    "error_msg": words,
                },
            )
        events = list(self._told())
        if self.habits.tells_orders:
            yield from events

    def _on_query(self, _connection: Connection, seq: int, question: str, account: str) -> Iterator[tuple]:
        if self.habits.mute:
            return
        stale = self.habits.stale
        found = stale[question] if stale is not None else self.view(account)[question]
        yield (f"OnQueryStock{question}", seq, found)

    def view(self, account: str) -> dict[str, list]:
        """What a full query answers now."""
        with self.lock:
            self._book._account(account, lambda _symbol: Decimal(10))
            money = self._book.snapshot(account, lambda _symbol: Decimal(10), self.clock.now())
            asset = {"account_id": account, "cash": float(money.available), "frozen_cash": float(money.frozen),
                         "market_value": float(money.market_value), "total_asset": float(money.balance + money.market_value)}  # fmt: skip
            positions = [
                {"account_id": account, "stock_code": stock_code(p.symbol), "volume": p.volume, "can_use_volume": p.available,
                     "yesterday_volume": p.volume - p.volume_today, "avg_price": float(p.vwap), "last_price": float(p.price),
                     "market_value": float(p.price * p.volume)}
                for p in money.positions
            ]  # fmt: skip
            orders = [
                self._listed(order)
                for order in self._orders.values()
                if order.account_id == account and self._is_seen(order)
            ]
            trades = [
                self._trade(one)
                for one in self._trades
                if one.account_id == account and self._is_seen(one.order)
            ]
            return {"Orders": orders, "Trades": trades, "Positions": positions, "Asset": [asset]}

    def _is_seen(self, order: PaperOrder) -> bool:
        return not getattr(self._remarks[order.sid], "unseen", False)

    # the market

    def by_hand(self, account: str, symbol: str, volume: int, price: str = "10.00") -> int:
        """Somebody enters an order in the terminal."""
        with self.lock:
            asked = SimpleNamespace(
                account=account,
                stock=stock_code(symbol),
                order_type=23,
                volume=volume,
                price=float(price),
                remark="",
                live=True,
            )
            return self._take(asked)

    def _take(self, asked: SimpleNamespace) -> int:
        """Execute it. Returns its number."""
        sid = f"{len(self._orders) + 1}"
        price = Decimal(str(round(asked.price, 3))) if asked.price else Decimal(10)
        outgoing = Outgoing(
            sid,
            asked.account,
            symbol_of(asked.stock),
            asked.volume,
            1,
            BUSINESS_OF[asked.order_type],
            price,
            "",
        )
        self._remarks[sid] = asked
        before = self._book.last_number
        self._book.take(outgoing, 1, lambda _symbol: Decimal(10), self.clock.now())
        assert self._book.last_number == before + 1
        self._orders[before + 1] = self._book.changes.orders[before + 1]
        return before + 1 + self._offset

    def _told(self) -> Iterator[tuple]:
        reports, self._book.changes.reports = self._book.changes.reports, []
        for report in reports:
            if isinstance(report, Fill):
                order = self._orders[int(report.order_id)]
                trade = SimpleNamespace(account_id=report.account_id, order=order, fill=report)
                self._trades.append(trade)
                yield ("OnStockTrade", self._trade(trade))
            elif isinstance(report, StatusReport):
                order = self._orders[int(report.order_id)]
                yield ("OnStockOrder", self._listed(order, report.status, report.filled_volume, report.text))

    def _listed(
        self, order: PaperOrder, status: Status | None = None, filled: int | None = None, text: str = ""
    ) -> dict:
        asked = self._remarks[order.sid]
        traded = order.filled if filled is None else filled
        code = STATUS_OF[status or order.status]
        return {
            "account_id": order.account_id, "stock_code": asked.stock, "order_id": order.number + self._offset, "order_sysid": f"C{order.number}",
            "order_time": order.taken_at // 1_000_000, "order_type": asked.order_type, "order_volume": order.volume, "price_type": 11,
            "price": asked.price, "traded_volume": traded, "traded_price": float(order.price or 0),
            "order_status": {54: 53, 51: 52}.get(code, code) if traded else code, "status_msg": text or ("[COUNTER] 废单" if code == 57 else ""),
            "strategy_name": "", "order_remark": asked.remark, "direction": 48, "offset_flag": 48,
        }  # fmt: skip

    def _trade(self, one: SimpleNamespace) -> dict:
        asked = self._remarks[one.order.sid]
        return {
            "account_id": one.account_id, "stock_code": asked.stock, "order_type": asked.order_type, "traded_id": one.fill.exec_id,
            "traded_time": one.fill.at // 1_000_000, "traded_price": float(one.fill.price), "traded_volume": one.fill.volume,
            "traded_amount": float(one.fill.price * one.fill.volume), "order_id": one.order.number + self._offset,
            "order_sysid": f"C{one.order.number}", "strategy_name": "", "order_remark": asked.remark, "commission": 0.0,
        }  # fmt: skip

    def _response(self, asked: SimpleNamespace, number: int, words: str) -> dict:
        return {
            "m_strAccountID": asked.account,
            "m_nOrderID": number,
            "m_strStrategyName": "",
            "m_strOrderRemark": asked.remark,
            "m_strErrorMsg": words,
        }

    def _fault(self, asked: SimpleNamespace, seq: int, number: int, words: str) -> dict:
        return {"account_id": asked.account, "order_id": number, "seq": seq, "error_id": 2147483647, "error_msg": words,
                    "strategy_name": "", "order_remark": asked.remark}  # fmt: skip


def ledger(folder: Path) -> list[dict]:
    """What the broker has ever been given, in its order."""
    with Client(tuple(json.loads((folder / ADDRESS).read_text())), authkey=KEY) as connection:
        connection.send(("ledger",))
        return connection.recv()[1]


def main() -> None:
    """A broker in a process of its own: `python xtquant_broker.py FOLDER SECONDS-PER-ORDER STALL-EVERY`, until its input ends."""
    folder, latency, stall_every = sys.argv[1:]
    broker = Broker(SystemClock())
    broker.habits = Habits(latency=float(latency), stall_every=int(stall_every))
    broker.serve(Path(folder))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
