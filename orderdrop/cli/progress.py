"""Tells how far a long command has come: on stderr, on a terminal only, and not before a second has passed."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from orderdrop.domain.refusal import Language, both

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

PATIENCE: Final = 1.0
"""Seconds: what takes less needs no words."""


class Progress:
    """A context manager around work that prints nothing to stdout. What it shows is gone when the work is done."""

    def __init__(self, language: Language, patience: float = PATIENCE) -> None:
        self._language = language
        self._words = ""
        self._done, self._total = 0, 0
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._over = False
        self._timer: threading.Timer | None = None
        if sys.stderr.isatty():
            self._timer = threading.Timer(patience, self._begin)
            self._timer.daemon = True

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()

    def step(self, zh: str, en: str) -> None:
        """What is being done now; how long it takes nobody knows, until `come` says."""
        with self._lock:
            self._words, self._done, self._total = both(zh, en, self._language), 0, 0
            self._tell()

    def come(self, done: int, total: int) -> None:
        """How far the step has come."""
        with self._lock:
            self._done, self._total = done, total
            self._tell()

    def _begin(self) -> None:
        from rich.console import Console  # noqa: PLC0415  heavy
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        with self._lock:
            if self._over:
                return
            self._bar = Bar(
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[count]}"), TimeElapsedColumn(),
                console=Console(file=sys.stderr), transient=True, redirect_stdout=False,
            )  # fmt: skip
            self._bar.add_task(self._words, total=None, count="")
            self._tell()
            self._bar.start()

    def _tell(self) -> None:
        """The lock is held."""
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0], description=self._words, total=self._total or None, completed=self._done,
                count=f"{self._done:,}/{self._total:,}" if self._total else "",
            )  # fmt: skip
