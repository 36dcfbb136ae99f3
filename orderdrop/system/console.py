"""Ends the process well when Windows ends its console: the window is closed, the user logs off, the machine goes down.

Windows kills the process as soon as its routine for these returns, five seconds later at most. So the routine asks for the end and waits
until the main thread has come to it. Elsewhere signals do this.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE: Final = 4.0
"""Seconds that the end may take."""

CLOSE, LOGOFF, SHUTDOWN = 2, 5, 6

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _ROUTINE = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)

    @contextmanager
    def ends_with_console(end: Callable[[], object]) -> Iterator[None]:
        """Call `end` when the console goes, and wait until this block is left. Ctrl-C and Ctrl-Break go on to Python."""
        ended = threading.Event()

        def routine(event: int) -> int:
            if event not in {CLOSE, LOGOFF, SHUTDOWN}:
                return 0
            end()
            ended.wait(PATIENCE)
            return 1

        kernel32 = ctypes.WinDLL("kernel32")
        held = _ROUTINE(routine)  # as long as Windows may call it
        kernel32.SetConsoleCtrlHandler(held, 1)
        try:
            yield
        finally:
            ended.set()
            kernel32.SetConsoleCtrlHandler(held, 0)

else:

    @contextmanager
    def ends_with_console(end: Callable[[], object]) -> Iterator[None]:
        """Signals tell it here."""
        del end
        yield
