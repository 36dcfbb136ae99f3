"""A stand-in for `xtquant.xtpythonclient`, the one part of xtquant that is native and for Windows; it talks to an xtquant_broker.

The vendor's own xttrader, xttype and xtconstant run as they are.
"""

# ruff: noqa: N802  the vendor's names

from __future__ import annotations

import contextlib
import json
import sys
import threading
from multiprocessing.connection import Client, Connection
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from xtquant_broker import ADDRESS, KEY

from orderdrop.gateway.miniqmt.session import offline


class _Request:
    """Whatever the vendor's layer sets."""


class XtQuantAsyncClient:
    """The native client: requests go out without waiting, a thread of its own brings answers and events."""

    def __init__(self, path: bytes, _name: str, session: int) -> None:
        self._address = Path(path.decode("gb18030")) / ADDRESS
        self._session = session
        self._bound: dict[str, Any] = {}
        self._seq = 0
        self._connection: Connection | None = None
        self._connected: threading.Event = threading.Event()
        self._code = -1
        self._stopped = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("bind"):
            return lambda callback: self._bound.__setitem__(
                name.removeprefix("bind").removesuffix("Callback"), callback
            )
        raise AttributeError(name)

    def init(self) -> None: ...

    def start(self) -> None: ...

    def nextSeq(self) -> int:
        self._seq += 1
        return self._seq

    def connect(self) -> int:
        try:
            self._connection = Client(tuple(json.loads(self._address.read_text())), authkey=KEY)
        except (OSError, EOFError):
            return -1
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._send("connect", self._session)
        self._connected.wait(5)
        return self._code

    def stop(self) -> None:
        self._stopped = True
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.send(("goodbye",))
            self._reader.join(5)

    def subscribeWithSeq(self, seq: int, req: Any) -> None:
        self._send("subscribe", seq, req.m_strAccountID)

    def orderStockWithSeq(self, seq: int, req: Any) -> None:
        self._send("order", seq, {
            "account": req.m_strAccountID, "stock": req.m_strStockCode, "order_type": req.m_nOrderType, "volume": req.m_nOrderVolume,
            "price_type": req.m_nPriceType, "price": req.m_dPrice, "remark": req.m_strOrderRemark,
        })  # fmt: skip

    def cancelOrderStockWithSeq(self, seq: int, req: Any) -> None:
        self._send("cancel", seq, req.m_strAccountID, req.m_nOrderID)

    def queryStockOrdersWithSeq(self, seq: int, req: Any) -> None:
        self._send("query", seq, "Orders", req.m_strAccountID)

    def queryStockTradesWithSeq(self, seq: int, req: Any) -> None:
        self._send("query", seq, "Trades", req.m_strAccountID)

    def queryStockPositionsWithSeq(self, seq: int, req: Any) -> None:
        self._send("query", seq, "Positions", req.m_strAccountID)

    def queryStockAssetWithSeq(self, seq: int, req: Any) -> None:
        self._send("query", seq, "Asset", req.m_strAccountID)

    def _send(self, *message: Any) -> None:
        assert self._connection is not None
        with contextlib.suppress(OSError):  # the terminal's mailbox takes what nobody will read
            self._connection.send(message)

    def _read(self) -> None:
        assert self._connection is not None
        with contextlib.suppress(OSError, EOFError, TypeError):
            while True:
                what, *values = self._connection.recv()
                if what == "connected":
                    self._code = values[0]
                    self._connected.set()
                else:
                    self._bound[what](*map(_object, values))
        self._connection.close()
        self._connected.set()
        if not self._stopped:
            self._bound["OnDisconnected"]()


def _object(value: Any) -> Any:
    """With attributes, as the native module's are."""
    if isinstance(value, dict):
        return SimpleNamespace(**value)
    return [_object(one) for one in value] if isinstance(value, list) else value


def install() -> None:
    """Put the stand-in where the vendor's layer looks for its native module. Skips the test where there is no xtquant."""
    with offline():  # it asks a web server for a newer version, and prints what it was told
        pytest.importorskip("xtquant", reason="xtquant is not installed: pip install xtquant")
    module = ModuleType("xtquant.xtpythonclient")
    module.XtQuantAsyncClient = XtQuantAsyncClient
    for name in (
        "Subscribe",
        "OrderStock",
        "CancelOrderStock",
        "QueryStockOrders",
        "QueryStockTrades",
        "QueryStockPositions",
        "QueryStockAsset",
    ):
        setattr(module, f"{name}Req", type(f"{name}Req", (_Request,), {}))
    sys.modules["xtquant.xtpythonclient"] = module
