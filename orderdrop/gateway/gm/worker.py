"""Runs 掘金's package in its own process: asked in lines of JSON on stdin, answers in lines of JSON on stdout.

A call into the vendor's library holds Python's lock, and was seen to stay there for minutes when the terminal is away; no
thread could stop waiting for it. So it runs here, where the router can end it. It ends itself when a call takes longer than it
may, and when its router is gone. It holds a lock file while it lives: a call of an earlier life is over before the next one begins.

Of the package it uses the messages (`gm.pb`) and the calls (`gm.csdk.c_sdk`). Not `gm.api`, whose `get_orders` answers
a failed query with an empty list. It never tries anything twice.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from filelock import FileLock, Timeout

LIVE: Final = 1
_BUY, _OPEN, _CLOSE, _BY_VOLUME = 1, 1, 2, 1
_SDK_WAITS: Final = 0.5
"""The part of a call's time that the vendor's library may spend to keep its own rate limit."""


class Refused(Exception):
    """The vendor's library returned an error. Whether the call had an effect nobody knows."""


class Vendor:
    """掘金's library, told who we are. Raises Refused, and whatever Python raises when the package is not as expected."""

    def __init__(self, ask: dict[str, Any]) -> None:
        self._sdk: Any = import_module("gm.csdk.c_sdk")
        self._pb: Any = import_module("gm.pb.account_pb2")
        self._trade: Any = import_module("gm.pb.trade_pb2")
        self._gateway: Any = import_module("gm.pb.tradegw_service_pb2")
        self._seen: dict[tuple[str, str], set[bytes]] = {}
        if ask["serv_addr"]:
            self._sdk.py_gmi_set_serv_addr(ask["serv_addr"])
        self._sdk.py_gmi_set_token(ask["token"])
        self._sdk.py_gmi_set_strategy_id(ask["strategy_id"])
        self._sdk.gmi_set_mode(LIVE)
        self._sdk.py_gmi_set_max_wait_time(int(ask["call_timeout"] * _SDK_WAITS * 1000))
        if ask["accounts"]:
            self._sdk.py_gmi_set_account_id(ask["accounts"][0].encode())

    def place(self, ask: dict[str, Any]) -> Any:
        """One order by volume, as the vendor's `order_volume` places it."""
        orders = self._pb.Orders()
        order = orders.data.add()
        order.account_id, order.symbol, order.volume = ask["account_id"], ask["symbol"], ask["volume"]
        order.side, order.order_type, order.order_style = ask["business"], ask["order_type"], _BY_VOLUME
        order.position_effect = _OPEN if ask["business"] == _BUY else _CLOSE
        order.price = float(ask["price"] or 0)
        answer = self.call("py_gmi_place_order", orders)
        return [_order(told) for told in self._pb.Orders.FromString(answer).data]

    def cancel(self, ask: dict[str, Any]) -> Any:
        orders = self._pb.Orders()
        for account_id, client_id in ask["orders"]:
            orders.data.add(account_id=account_id, cl_ord_id=client_id)
        self.call("py_gmi_cancel_order", orders)
        return None

    def look(self, ask: dict[str, Any]) -> Any:
        """What has changed of an account's orders and reports since this process began. full: and whether all is well with it."""
        account = ask["account_id"]
        healthy = bool(ask["full"]) and self._is_healthy(account)
        orders = list(_parts(self.call("py_gmi_get_orders", self._trade.GetOrdersReq(account_id=account))))
        reports = _parts(
            self.call("py_gmi_get_execution_reports", self._trade.GetExecrptsReq(account_id=account))
        )
        return {
            "healthy": healthy,
            "count": len(orders),
            "orders": [_order(self._pb.Order.FromString(part)) for part in self._new(account, "orders", orders)],
            "reports": [
                _report(self._pb.ExecRpt.FromString(part)) for part in self._new(account, "reports", reports)
            ],
        }  # fmt: skip

    def account(self, ask: dict[str, Any]) -> Any:
        who = ask["account_id"]
        cash = self.call("py_gmi_get_cash", self._trade.GetCashReq(account_id=who))
        held = self.call("py_gmi_get_positions", self._trade.GetPositionsReq(account_id=who))
        cashes = self._pb.Cashes.FromString(cash).data
        return {
            "cash": _fields(cashes[0], _CASH) if cashes else None,
            "positions": [_fields(told, _POSITION) for told in self._pb.Positions.FromString(held).data],
        }

    def accounts(self, _ask: dict[str, Any]) -> Any:
        """Those that the terminal tells of; none when it has no connection, too."""
        return [
            told.account_id for told in self._pb.Accounts.FromString(self.call("py_gmi_get_accounts")).data
        ]

    def _is_healthy(self, account: str) -> bool:
        """Logged in at the broker, and its cash is told: then a list without an order is one that has been asked for."""
        ask = self._gateway.GetAccountStatusesReq(account_ids=[account])
        statuses = self._pb.AccountStatuses.FromString(self.call("py_gmi_get_account_status", ask)).data
        cash = self.call("py_gmi_get_cash", self._trade.GetCashReq(account_id=account))
        return bool(cash) and any(told.status.state == _LOGGED_IN for told in statuses)

    def _new(self, account: str, what: str, parts: Iterable[bytes]) -> list[bytes]:
        seen = self._seen.setdefault((account, what), set())
        new = [part for part in parts if part not in seen]
        seen.update(new)
        return new

    def call(self, name: str, message: Any = None) -> bytes:
        call: Callable[..., Any] = getattr(self._sdk, name)
        answer = call() if message is None else call(message.SerializeToString())
        status, data = answer if isinstance(answer, tuple) else (answer, b"")
        if status:
            words = [self._sdk.gmi_strerror(status), self._sdk.gmi_get_ext_errormsg()]
            raise Refused(
                f"{name} {status}: " + "; ".join(word.decode("utf-8", "replace") for word in words if word)
            )
        return data or b""


_LOGGED_IN: Final = 3
_ORDER: Final = (
    "account_id", "strategy_id", "cl_ord_id", "order_id", "symbol", "side", "volume", "price", "status",
    "ord_rej_reason", "ord_rej_reason_detail", "filled_volume",
)  # fmt: skip
_REPORT: Final = (
    "account_id", "cl_ord_id", "order_id", "exec_id", "exec_type", "price", "volume", "commission",
    "ord_rej_reason", "ord_rej_reason_detail",
)  # fmt: skip
_CASH: Final = ("available", "balance", "order_frozen", "market_value", "pnl")
_POSITION: Final = ("symbol", "side", "volume", "volume_today", "available_now", "vwap", "price")


def _order(told: Any) -> dict[str, Any]:
    return _fields(told, _ORDER) | {
        "created_at": _micros(told.created_at),
        "updated_at": _micros(told.updated_at),
    }


def _report(told: Any) -> dict[str, Any]:
    return _fields(told, _REPORT) | {"created_at": _micros(told.created_at)}


def _fields(told: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(told, name) for name in names}


def _micros(told: Any) -> int:
    return int(told.seconds) * 1_000_000 + int(told.nanos) // 1000


def _parts(data: bytes) -> Iterator[bytes]:
    """The repeated messages (field 1) of a list, not parsed yet: of thousands of orders only few have changed."""
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        length, begin = _number(data, at)
        at = begin + length if tag & 7 == 2 else begin
        if tag == 10:
            yield data[begin:at]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nobody asks any more. The first question is `hello`."""
    vendor: Vendor | None = None
    lock: FileLock | None = None
    for line in asked:
        ask = json.loads(line)
        faulthandler.dump_traceback_later(ask["patience"], exit=True, file=sys.stderr)
        try:
            if lock is None:
                lock = FileLock(ask["lock"])
                lock.acquire(timeout=ask["call_timeout"] * 1.5)
            if vendor is None:
                vendor = Vendor(ask)
                answer: dict[str, Any] = {"told": None}
            else:
                answer = {"told": getattr(vendor, ask["do"])(ask)}
        except Refused as error:
            answer = {"refused": str(error)}
        except Timeout:
            lock = None
            answer = {"failed": "the process before this one has not ended yet"}
        except Exception as error:  # noqa: BLE001  the last line of this loop; whoever asked is told
            answer = {"failed": f"{type(error).__name__}: {error}"}
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def main() -> None:
    """The vendor's package prints: what it says must not get between the answers."""
    # Ctrl-C is for the router, which ends this process in its turn.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        asked = os.fdopen(os.dup(0), "rb")
        os.dup2(nothing.fileno(), 0)
    serve(asked, answers)


if __name__ == "__main__":
    main()
