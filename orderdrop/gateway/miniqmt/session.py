"""One connection to MiniQMT: the vendor's XtQuantTrader, used once. It never reconnects; a new one has a new session id.

The vendor's threads end here: a callback copies what it is given and puts it into a queue. Blocking calls (connect, subscribe) run in a
thread of this session's own, everything else is asked without waiting, so that a hanging terminal never holds the router.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final

from orderdrop.domain.report import Unreadable
from orderdrop.errors import ConfigError
from orderdrop.gateway.miniqmt import events as ev
from orderdrop.gateway.miniqmt.codes import BUSINESS, PRICE_TYPES, stock_code
from orderdrop.gateway.miniqmt.reference import Row

log = logging.getLogger(__name__)

QUESTIONS: Final = ("orders", "trades", "positions", "asset")
_STOP_TIMEOUT: Final = 3.0
_STRATEGY: Final = "orderdrop"

Tell = Callable[[int, ev.Event], None]


class Session:
    """One life of a connection. number: ours, by which its events are known; the terminal's session id is made up anew."""

    def __init__(
        self, number: int, folder: Path, accounts: Sequence[str], account_type: str, tell: Tell
    ) -> None:
        self.number = number
        self._folder = folder
        self._tell = tell
        self._ids = accounts
        self._account_type = account_type
        self._accounts: dict[str, Any] = {}
        self._trader: Any = None

    def begin(self) -> None:
        """Connect and subscribe, in the background; `Up` or `Down` tells what came of it."""
        Thread(target=self._connect, name=f"miniqmt-{self.number}", daemon=True).start()

    def end(self) -> None:
        """Let go of the terminal; waits a little for its threads, not for ever."""
        stopping = Thread(target=self._stop, name=f"miniqmt-{self.number}-stop", daemon=True)
        stopping.start()
        stopping.join(_STOP_TIMEOUT)

    def order(self, row: Row) -> int:
        """Give an order to the API. Returns its number of the call; whatever else it does, the order may be live."""
        order = row.order
        price_type = PRICE_TYPES[order.symbol.partition(".")[0]][order.order_type]
        return int(
            self._trader.order_stock_async(
                self._accounts[order.account_id], stock_code(order.symbol), BUSINESS[order.order_business],
                order.volume, price_type, float(order.price or 0), _STRATEGY, row.reference,
            )
        )  # fmt: skip

    def cancel(self, account_id: str, number: int) -> int:
        return int(self._trader.cancel_order_stock_async(self._accounts[account_id], number))

    def ask(self, round_number: int) -> None:
        """Everything that every account has; an `Answer` comes for each account and question."""
        for account_id, account in self._accounts.items():
            for question in QUESTIONS:
                ask = getattr(self._trader, f"query_stock_{question}_async")
                ask(account, self._answer(round_number, account_id, question))

    def _answer(self, round_number: int, account_id: str, question: str) -> Callable[[Any], None]:
        def answered(value: Any) -> None:
            copied, unread = _copied(question, value)
            self._tell(self.number, ev.Answer(round_number, account_id, question, copied, unread))

        return _told_when_it_breaks(answered, self.heard)

    def _connect(self) -> None:
        try:
            xttrader, xttype = library()
            trader = xttrader.XtQuantTrader(
                str(self._folder), secrets.randbelow(2**31 - 1) + 1, _callback(xttrader, self)
            )
            # The vendor's __del__ wants the event loop that it found in the main thread, where we do not make it.
            trader.oldloop = None
            self._trader = trader
            trader.start()
            self._connect_and_subscribe(trader, xttype)
        # The last line of this thread: whatever goes wrong, the router must hear of it.
        except Exception as error:  # noqa: BLE001
            self._tell(self.number, ev.Down(ev.words(f"{type(error).__name__}: {error}")))

    def _connect_and_subscribe(self, trader: Any, xttype: Any) -> None:
        code = trader.connect()
        if code != 0:
            self._tell(self.number, ev.Down(f"connect() = {code}: {_NOT_RUNNING}"))
            return
        for account_id in self._ids:
            account = self._accounts[account_id] = xttype.StockAccount(account_id, self._account_type)
            code = trader.subscribe(account)
            if code != 0:
                self._tell(self.number, ev.Down(f"subscribe({account_id}) = {code}: {_NO_ACCOUNT}"))
                return
        self._tell(self.number, ev.Up())

    def _stop(self) -> None:
        trader, self._trader = self._trader, None
        if trader is None:
            return
        try:
            trader.stop()
            trader.loop.close()
        except Exception as error:  # noqa: BLE001  the last line of this thread
            log.warning("MiniQMT 连接没有干净关闭 / a session did not stop cleanly: %s", error)

    def heard(self, event: ev.Event) -> None:
        self._tell(self.number, event)


_NOT_RUNNING: Final = (
    "MiniQMT 没有运行,或 userdata_dir 不对 / is MiniQMT running and logged in, in this userdata_dir?"
)
_NO_ACCOUNT: Final = "账号或 account_type 不对,或未登录 / wrong account or account_type, or not logged in"


def library() -> tuple[Any, Any]:
    """The vendor's modules xttrader and xttype. Raises ConfigError when they are not there."""
    try:
        with offline():
            from xtquant import xttrader, xttype  # noqa: PLC0415  it is an extra, and heavy
    except ImportError as error:
        raise ConfigError(
            f"MiniQMT 需要 Windows 和 xtquant / needs Windows and the package xtquant ({error}): "
            'pip install ".[miniqmt]"'
        ) from None
    return xttrader, xttype


@contextmanager
def offline() -> Iterator[None]:
    """While xtquant is imported: it would ask a web server for a newer version, and trading does not wait for that."""
    known, sys.modules["requests"] = sys.modules.get("requests"), None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["requests"]
        if known is not None:
            sys.modules["requests"] = known


def _callback(xttrader: Any, session: Session) -> Any:
    """The vendor's callback object: each event becomes a value in the queue."""
    heard = session.heard

    def safely(callback: Callable[[Any], None]) -> Callable[[Any], None]:
        return _told_when_it_breaks(callback, heard)

    class Callback(xttrader.XtQuantTraderCallback):  # type: ignore[misc]
        on_disconnected = staticmethod(lambda: heard(ev.Down("断开 / disconnected")))

        @staticmethod
        @safely
        def on_account_status(status: Any) -> None:
            heard(ev.AccountState(str(status.account_id), int(status.status)))

        @staticmethod
        @safely
        def on_stock_order(order: Any) -> None:
            heard(ev.listed(order))

        @staticmethod
        @safely
        def on_stock_trade(trade: Any) -> None:
            heard(ev.traded(trade))

        @staticmethod
        @safely
        def on_order_error(fault: Any) -> None:
            heard(
                ev.OrderFault(
                    str(fault.account_id), int(fault.order_id or 0), _string(fault.order_remark), ev.words(fault.error_msg)
                )
            )  # fmt: skip

        @staticmethod
        @safely
        def on_cancel_error(fault: Any) -> None:
            heard(
                ev.CancelAnswer(
                    str(fault.account_id), int(fault.order_id or 0), False, ev.words(fault.error_msg)
                )
            )

        @staticmethod
        @safely
        def on_order_stock_async_response(response: Any) -> None:
            heard(ev.Numbered(int(response.seq), int(response.order_id or 0), ev.words(response.error_msg)))

        @staticmethod
        @safely
        def on_cancel_order_stock_async_response(response: Any) -> None:
            taken = response.cancel_result == 0
            heard(
                ev.CancelAnswer(
                    str(response.account_id), int(response.order_id or 0), taken, ev.words(response.error_msg)
                )
            )

    return Callback()


def _told_when_it_breaks(
    callback: Callable[[Any], None], heard: Callable[[ev.Event], None]
) -> Callable[[Any], None]:
    """The vendor's executor swallows what a callback raises."""

    def safe(value: Any) -> None:
        try:
            callback(value)
        except Exception as error:  # noqa: BLE001  the last line of the vendor's thread
            heard(ev.Unread(_what(type(value).__name__, error)))

    return safe


def _what(kind: str, error: Exception) -> str:
    said = str(error) if isinstance(error, Unreadable) else type(error).__name__
    return f"{kind}: {said}"


def _string(value: Any) -> str:
    return "" if value is None else str(value)


def _copied(question: str, value: Any) -> tuple[Any, tuple[str, ...]]:
    """As plain values, and what does not read of them; None: the terminal did not answer, or not with what can be relied on.

    One order that does not read is left out and told; of funds and holdings a part would be a wrong whole.
    """
    if value is None:
        return None, ()
    unread: list[str] = []
    read: dict[str, Callable[[Any], Any]] = {
        "orders": ev.listed, "trades": ev.traded, "positions": ev.position, "asset": ev.funds,
    }  # fmt: skip
    found = []
    for one in [value] if question == "asset" else value:
        try:
            found.append(read[question](one))
        except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
            unread.append(_what(question, error))
    if question in {"asset", "positions"}:
        whole = None if unread else found[0] if question == "asset" else tuple(found)
        return whole, tuple(unread)
    return tuple(found), tuple(unread)
