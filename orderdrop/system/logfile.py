"""Writes the router's log file. Where it cannot be written, a full disk say, that is told in one line, not as a traceback for each record."""

from __future__ import annotations

import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from typing import Final

_ROLL_AGAIN: Final = 60.0
"""Seconds after which a file that could not be renamed is tried again."""


class LogFile(RotatingFileHandler):
    """Says once that it fails, and once more only after it has worked in between."""

    failing = False
    _roll_again = 0.0

    def doRollover(self) -> None:  # noqa: N802  logging's name
        """A file that somebody looks at cannot be renamed on Windows: then it grows on, and that is tried again later.

        It is first set aside, so that a failure does not push the older files on, and the oldest out, at every record.
        """
        if time.monotonic() < self._roll_again:
            return
        if self.stream:
            self.stream.close()
            self.stream = None
        aside = f"{self.baseFilename}.rolling"
        try:
            os.replace(self.baseFilename, aside)  # noqa: PTH105
            try:
                super().doRollover()
                os.rename(aside, f"{self.baseFilename}.1")  # noqa: PTH104
            except OSError:
                os.replace(aside, self.baseFilename)  # noqa: PTH105
                raise
        except OSError:
            self._roll_again = time.monotonic() + _ROLL_AGAIN

    def emit(self, record: logging.LogRecord) -> None:
        self._failed_now = False
        super().emit(record)
        self.failing = self._failed_now

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  logging's name
        self._failed_now = True
        if not self.failing and sys.stderr is not None:
            error = sys.exc_info()[1]
            try:
                sys.stderr.write(f"日志写不进去 / the log cannot be written: {self.baseFilename}: {error}\n")
            except (OSError, ValueError):  # nobody can be told
                return
