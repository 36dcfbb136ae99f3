"""Keeps a process running that speaks with 掘金's terminal: a lost one is started again, later each time."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

from orderdrop.errors import GatewayError
from orderdrop.gateway.gm.link import COMMAND, GmLink, GmSilence
from orderdrop.system.clock import Clock, Micros

log = logging.getLogger(__name__)

_BACK_OFF: Final = (1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000)


class GmConnection:
    """One process at a time. After a failure none is started before its time."""

    def __init__(
        self, hello: dict[str, Any], call_timeout: float, clock: Clock, lost: Callable[[], None]
    ) -> None:
        """hello: what a process is told first. lost: called when a connection is given up; what was told by it counts no more."""
        self.link = GmLink(hello, call_timeout, COMMAND)
        self._clock = clock
        self._lost = lost
        self._next_try = Micros(0)
        self._tries = 0

    @property
    def up(self) -> bool:
        """Whether a process runs."""
        return self.link.up

    @property
    def may_be_asked(self) -> bool:
        """Whether a process runs, or may be started by now."""
        return self.link.up or self._clock.now() >= self._next_try

    def introduce(self, token: str) -> None:
        """Keeps the token for the processes to come. Raises GatewayError when the vendor's package is missing."""
        if find_spec("gm") is None:
            raise GatewayError(
                '没有安装掘金的接口包：它在 Python 3.11 上要旧版 pandas，请换 Python 3.12 或更新，再 pip install ".[gm]"'
                " / 掘金's package is not installed: on Python 3.11 it wants an older pandas; take Python 3.12 or newer,"
                ' then pip install ".[gm]" (Windows and Linux only)'
                if sys.version_info < (3, 12)
                else '没有安装掘金的接口包：pip install ".[gm]" / 掘金\'s package is not installed: pip install ".[gm]" (Windows and Linux only)'
            )
        self.link.introduce(token)

    def start(self, *, ask_accounts: bool) -> list[str]:
        """Starts a process unless one runs; returns the accounts that a new one tells, if it is to be asked. Raises GatewayError."""
        if self.link.up:
            return []
        if self._clock.now() < self._next_try:
            raise GatewayError("掘金接口没有连上 / 掘金's API is not connected")
        try:
            self.link.start()
            return list(self.link.ask("accounts")) if ask_accounts else []
        except GatewayError as error:
            self.lose(error)
            raise

    def ask(self, do: str, **about: object) -> Any:
        """Returns the answer. Raises GmRefused, and GmSilence when the connection is lost by it."""
        try:
            return self.link.ask(do, **about)
        except GmSilence as error:
            self.lose(error)
            raise

    def note_answer(self) -> None:
        """The terminal has told its lists: after the next failure the waits begin anew."""
        self._tries = 0

    def lose(self, error: GatewayError) -> None:
        """Gives the connection up, for it is of no use any more."""
        log.warning(
            "掘金接口断开,将重连 / the connection to 掘金's API is lost, will connect again: %s", error
        )
        self.link.stop()
        self._lost()
        self._next_try = Micros(self._clock.now() + _BACK_OFF[min(self._tries, len(_BACK_OFF) - 1)])
        self._tries += 1

    def stop(self) -> None:
        """Ends the process; a new one may be started at once."""
        self.link.stop()
