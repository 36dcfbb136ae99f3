"""Writes the router's log file. Where it cannot be written, a full disk say, that is told in one line, not as a traceback for each record."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler


class LogFile(RotatingFileHandler):
    """Says once that it fails, and once more only after it has worked in between."""

    failing = False

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
