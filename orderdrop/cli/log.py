"""The log of a command that routes: set up while it runs, closed behind it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from orderdrop.cli.context import Place
from orderdrop.service.app import set_up_log


@contextmanager
def logged(place: Place) -> Iterator[None]:
    log = logging.getLogger("orderdrop")
    before = (log.handlers, log.level, log.propagate)
    set_up_log(place.settings, place.workspace)
    ours = log.handlers
    try:
        yield
    finally:
        log.handlers, log.propagate = before[0], before[2]
        log.setLevel(before[1])
        for handler in ours:
            handler.close()
