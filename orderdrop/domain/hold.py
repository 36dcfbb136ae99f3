"""Says why an order waits, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orderdrop.domain.refusal import Code, Refusal
from orderdrop.system.clock import Micros


class Hold(NamedTuple):
    """Why an order may go later only. due: when; None: when somebody releases it."""

    due: Micros | None
    why: Refusal


class Wait(NamedTuple):
    """All that holds an order, as one: it goes when the last of it is over. why: what is told of it first; None: the settings alone hold it.

    codes: of every reason, a space between two.
    """

    due: Micros | None
    why: Refusal | None
    codes: str


def combined(holds: Sequence[Hold], *, by_settings: bool = False) -> Wait:
    """What waits for a person is told before what waits for a time; that a row repeats an earlier one before all else."""
    asked = [hold for hold in holds if hold.due is None]
    asked.sort(key=lambda hold: hold.why.code is not Code.REPEATED_ROW)
    timed = sorted((hold for hold in holds if hold.due is not None), key=_due, reverse=True)
    codes = [Code.HELD] * by_settings + [hold.why.code for hold in (*asked, *timed)]
    first = asked or ([] if by_settings else timed)
    due = None if by_settings or asked else _due(timed[0])
    return Wait(due, first[0].why if first else None, " ".join(dict.fromkeys(codes)))


def _due(hold: Hold) -> Micros:
    return hold.due or Micros(0)
