"""Shows a person what happens while the router runs: a line for each drop, refusal and alarm; counts at the end.

The router only notes what has changed; another thread reads the journal and prints, so that no order waits for a terminal.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self

from rich.table import Table
from rich.text import Text

from orderdrop import __version__
from orderdrop.cli.context import Place
from orderdrop.cli.output import clock_time, print_json_line, say, shortened, stdout, style_of
from orderdrop.config.workspace import receipt_path
from orderdrop.domain.codes import UNEVEN
from orderdrop.domain.identity import day_number
from orderdrop.domain.language import both, half, status_word
from orderdrop.domain.refusal import Code
from orderdrop.domain.report import clean
from orderdrop.domain.status import TERMINAL, Status
from orderdrop.domain.switches import scope_words
from orderdrop.errors import JournalError
from orderdrop.execution.turn import Turn
from orderdrop.inbox.switches import switch_files
from orderdrop.journal.reader import Reading
from orderdrop.journal.records import DropState, InstructionState, RowOutcome, drop_of
from orderdrop.service.app import App
from orderdrop.system.clock import SystemClock, iso
from orderdrop.views.called import is_derived
from orderdrop.views.orders import drop_view, explain_row, is_early, live_words, where

_ROWS_SHOWN: Final = 10
_ROWS_LOOKED_AT: Final = 5000
"""A receipt tells every row; the screen looks this far for those that were refused."""

_ROWS_TALLIED: Final = 1000
_LONGEST_ALARM: Final = 2000

_News = Turn | logging.LogRecord | None


class Screen:
    """Prints what the router's rounds bring. A context manager; `note` is called from the router's thread."""

    def __init__(self, app: App, place: Place, *, as_json: bool) -> None:
        self._app = app
        self._place = place
        self._as_json = as_json
        self._language = place.language
        self._console = stdout()
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="screen", daemon=True)
        self._alarms = _Alarms(self._news)
        self._blind = False
        self._bad: dict[int, int] = {}  # refused rows that were told, by drop
        self._rejected: set[int] = set()
        self._finished: set[int] = set()
        self._told: set[tuple[int, str]] = set()
        self._unknown = 0
        self._uneven: list[str] = []

    def __enter__(self) -> Self:
        logging.getLogger("orderdrop").addHandler(self._alarms)
        self._greet()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        logging.getLogger("orderdrop").removeHandler(self._alarms)
        self._news.put(None)
        self._thread.join()
        with contextlib.suppress(Exception) if fault else contextlib.nullcontext():
            self._say_goodbye()

    @property
    def all_well(self) -> bool:
        """Whether nothing was refused, all fills add up, and nothing is unknown. True before anything came."""
        return not (any(self._bad.values()) or self._rejected or self._unknown or self._uneven)

    def note(self, done: Turn) -> None:
        if not done.idle:
            self._news.put(done)

    # the screen's own thread

    def _work(self) -> None:
        while True:
            news: list[_News] = [self._news.get()]
            with contextlib.suppress(queue.Empty):
                while True:
                    news.append(self._news.get_nowait())
            if not self._blind:
                self._show(news)
            if None in news:
                return

    def _show(self, news: list[_News]) -> None:
        """Whatever happens to the screen, the router goes on."""
        try:
            for record in news:
                if isinstance(record, logging.LogRecord):
                    self._alarm(record.getMessage())
            self._tell([done for done in news if isinstance(done, Turn)])
        except JournalError as error:
            self._alarm(str(error))
        except OSError:  # the terminal or the pipe is gone
            self._blind = True

    def _tell(self, rounds: Iterable[Turn]) -> None:
        drops: dict[int, None] = {}
        orders: set[int] = set()
        for done in rounds:
            drops.update(dict.fromkeys(sorted(done.taken)))
            drops.update(dict.fromkeys(drop for drop in sorted(done.drops) if self._bad.get(drop)))
            orders |= done.orders
        if not (drops or orders):
            return
        with self._place.journal() as reading:
            if reading is None:
                return
            for drop_id in drops:
                self._tell_drop(reading, drop_id)
            touched = reading.orders_by_id(sorted(orders))
            self._tell_rejections(touched)
            self._tell_finished(reading, touched)

    def _tell_drop(self, reading: Reading, drop_id: int) -> None:
        drop = reading.drop_or_none(drop_id)
        if drop is None:
            return
        outcomes = reading.row_outcomes(drop_id) if drop.errors or self._as_json else []
        asked = reading.instructions_of_drop(drop_id)
        in_vain = [row for row in asked if row.state == InstructionState.REFUSED or is_early(row)]
        bad = drop.denied + drop.errors + len(in_vain) + bool(drop.reason_code)
        grown, self._bad[drop_id] = bad > self._bad.get(drop_id, 0), bad
        if self._as_json:
            print_json_line(drop_view(drop, outcomes, self._language, asked))
            return
        few = 0 < drop.accepted <= _ROWS_TALLIED
        stands = Counter(order.status for order in reading.orders_of_drop(drop_id)) if few else Counter[str]()
        rejected, held = stands[Status.REJECTED], stands[Status.HELD]
        self._line(*_drop_line(drop, rejected, held, bad=grown or rejected > 0))
        if held:
            self._remark(
                f"{held} 笔暂存，放行前不会送出 / held, they go once they are released → orderdrop release --drop {drop.name}"
            )
        if grown:
            self._tell_refusals(reading, drop, [*outcomes, *in_vain])

    def _tell_refusals(self, reading: Reading, drop: Any, rows: list[Any]) -> None:
        errors = [row for row in rows if getattr(row, "outcome", "") != RowOutcome.DUPLICATE]
        orders = islice(reading.orders_of_drop(drop.id), _ROWS_LOOKED_AT) if drop.denied else ()
        denied = [row for row in orders if row.status == Status.DENIED and row.reason_code != Code.NOT_SENT]
        whole = [drop] if drop.reason_code else []
        bad = [*whole, *sorted([*errors, *denied], key=lambda row: row.id)]
        fresh = [row for row in bad if (row.id, row.reason_code) not in self._told]
        self._told |= {(row.id, row.reason_code) for row in fresh}
        for row in fresh[:_ROWS_SHOWN]:
            self._reason(row, at="" if row is drop else f"{drop.name}:{where(row)}")
        not_sent = drop.denied - len(denied) if drop.state == DropState.REFUSED else 0
        if not_sent and bad:
            self._remark(f"其余 {not_sent} 行未发送 / not sent: the other {not_sent}")
        if len(fresh) > _ROWS_SHOWN:
            receipt = receipt_path(self._place.workspace.receipts, drop.name)
            self._remark(
                f"还有 {len(fresh) - _ROWS_SHOWN} 行，见回执 / more of them in the receipt: {receipt}"
            )

    def _tell_rejections(self, touched: list[Any]) -> None:
        for order in touched:
            told = order.id in self._rejected or (order.id, order.reason_code) in self._told
            # Denied as well: what has waited is looked at once more before it leaves.
            if order.status in {Status.REJECTED, Status.DENIED} and not told:
                self._rejected.add(order.id)
                if not self._as_json:
                    self._reason(order, at=f"{order.drop_name}:{where(order)}")

    def _tell_finished(self, reading: Reading, touched: list[Any]) -> None:
        """Each drop once all its orders are finished; a very large one is left to `orderdrop orders`."""
        under_way = {drop_of(order.id) for order in touched if order.status not in TERMINAL}
        for drop_id in sorted({drop_of(order.id) for order in touched} - under_way - self._finished):
            drop = reading.drop_or_none(drop_id)
            if self._as_json or drop is None or drop.accepted > _ROWS_TALLIED:
                continue
            statuses = (order.status for order in reading.orders_of_drop(drop_id))
            counts = Counter(status for status in statuses if status != Status.DENIED)
            if counts.keys() <= TERMINAL:
                self._finished.add(drop_id)
                self._line(
                    "×" if counts[Status.REJECTED] else "·", Text.assemble(f"{drop.name}  ", *_tally(counts))
                )

    # lines

    def _greet(self) -> None:
        if self._as_json:
            return
        self._console.print(
            Text.assemble((f"orderdrop {__version__}", "bold"), f"  {self._place.workspace.root}")
        )
        for gateway in self._app.desk.gateways.values():
            words = Text(
                f" {live_words(gateway.live)} ", "bold white on red" if gateway.live else "black on green"
            )
            self._console.print(Text.assemble("通道 gateway ", (gateway.name, "bold"), " ", words))
        for path, key, state in switch_files(self._place.workspace.inbox):
            switched = (
                f"{state.name} {scope_words(self._place.bound_by(key))}: {path.name} → orderdrop resume"
            )
            self._console.print(Text(switched, "bold yellow"))
        self._console.print(
            Text(f"收件箱 inbox {self._place.workspace.inbox}  Ctrl-C 停止 stops", "dim"), soft_wrap=True
        )

    def _line(self, mark: str, body: Text, style: str = "") -> None:
        now = clock_time(iso(SystemClock().now())) if mark else " " * 8
        if not self._console.is_terminal:
            self._console.print(Text.assemble(f"{now} {mark or ' '} ", body), soft_wrap=True)
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(no_wrap=True, style=style)
        grid.add_column(overflow="fold")
        grid.add_row(now, mark or " ", body)
        self._console.print(grid)

    def _remark(self, words: str) -> None:
        self._line("", Text(half(words), "dim"))

    def _reason(self, row: Any, at: str) -> None:
        why = explain_row(row, self._language)
        if why is None:
            return
        sid = getattr(row, "sid", None) or ""
        sid = "" if at and is_derived(sid) else sid
        head = Text.assemble(
            (at, "bold"), "  " if at else "", (row.reason_code, "red"), f"  {sid}" if sid else ""
        )
        self._line(
            "",
            Text.assemble(
                head,
                "  ",
                why.text(self._language),
                "\n" if self._console.is_terminal else " ",
                ("→ " + why.remedy, "yellow"),
            ),
        )

    def _alarm(self, message: str) -> None:
        message = clean(half(message), _LONGEST_ALARM)
        if self._as_json:
            say(message, message)
        else:
            self._line("!", Text(message, "bold yellow"), "bold yellow")

    def _say_goodbye(self) -> None:
        """Today's counts, and whether anything is unknown."""
        with self._place.journal() as reading:
            counts = reading.status_counts(day_number(self._place.today)) if reading else {}
            self._uneven = reading.sids_because(day_number(self._place.today), UNEVEN) if reading else []
        self._unknown = counts.get(Status.UNKNOWN, 0)
        if self._as_json or self._blind:
            return
        drops = len(self._bad)
        self._console.print(
            Text.assemble(
                ("停止 stopped", "bold"), f"  {drops} 个文件 {'drop' if drops == 1 else 'drops'} · ",
                both("今日", "today", self._language), ": ", *(_tally(Counter(counts)) or ["—"]),
            )
        )  # fmt: skip
        if self._uneven:
            self._alarm(
                f"{len(self._uneven)} 笔成交与柜台所说的对不上 / orders whose fills do not add up to what the broker tells: {shortened(self._uneven)}"
            )
        if self._unknown:
            self._alarm(
                f"{self._unknown} 笔状态不明，按已发送对待 / orders are unknown, treat them as live: orderdrop orders --status unknown"
            )


class _Alarms(logging.Handler):
    """Brings warnings and errors from the log to the screen."""

    def __init__(self, news: queue.SimpleQueue[_News]) -> None:
        super().__init__(logging.WARNING)
        self._news = news

    def emit(self, record: logging.LogRecord) -> None:
        self._news.put(record)


def _drop_line(drop: Any, rejected: int, held: int, *, bad: bool) -> tuple[str, Text, str]:
    parts = [
        ("接受 accepted", drop.accepted, "green"),
        ("暂存 held", held, "yellow"),
        ("柜台拒绝 rejected", rejected, "red"),
        ("拒绝 denied", drop.denied, "red"),
        ("重复 duplicates", drop.duplicates, "yellow"),
        ("错误 errors", drop.errors, "red"),
    ]
    body = Text.assemble((drop.name, "bold"), f"  {drop.rows} 行 {'row' if drop.rows == 1 else 'rows'}")
    for words, count, style in parts:
        if count:
            body.append_text(Text.assemble(" · ", (f"{count} {words}", style)))
    if drop.reason_code:
        body.append_text(Text.assemble(" · ", ("整份拒绝 refused", "red")))
    if bad:
        return "×", body, "bold red"
    return ("!", body, "bold yellow") if held else ("√", body, "bold green")


def _tally(counts: Counter[str]) -> list[tuple[str, str] | str]:
    """`2 filled · 1 rejected`, in the order of an order's life."""
    parts: list[tuple[str, str] | str] = []
    for status in Status:
        if counts[status]:
            parts += [" · "] if parts else []
            parts.append((f"{counts[status]} {status_word(status)}", style_of(status)))
    return parts
