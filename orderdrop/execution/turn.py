"""What one turn of the router did; for the screen and for the housekeeping that follows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from orderdrop.execution.handover import CancelHandover, Handover
from orderdrop.inbox.scanner import RefusedFile

log = logging.getLogger(__name__)


@dataclass
class Turn:
    """Orders and drops are named by their ids in the journal.

    taken: drops that came in. drops: older ones of which an instruction got on. batches, cancels: committed, and to be sent in this turn.
    handed_over: batches whose result is noted. surprised: a hand-over did not go as it should. ready_again: orders wait anew.
    fault: what went wrong first, "" if nothing did; unexpected: nobody foresaw it.
    """

    taken: set[int] = field(default_factory=set)
    refused_files: list[tuple[RefusedFile, int]] = field(default_factory=list)
    orders: set[int] = field(default_factory=set)
    drops: set[int] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    batches: list[Handover] = field(default_factory=list)
    cancels: list[CancelHandover] = field(default_factory=list)
    handed_over: list[Handover] = field(default_factory=list)
    surprised: bool = False
    ready_again: bool = False
    fault: str = ""
    unexpected: bool = False

    @property
    def idle(self) -> bool:
        return not (self.taken or self.orders or self.handed_over or self.fault)


class Faults:
    """What keeps turns from being whole: said once when it begins, and once when it is over."""

    def __init__(self) -> None:
        self._last = ""

    def tell(self, fault: str) -> None:
        if fault and fault != self._last:
            log.error("停止接收新委托 / no new orders are taken: %s", fault)
        elif self._last and not fault:
            log.warning("恢复正常 / working again")
        self._last = fault
