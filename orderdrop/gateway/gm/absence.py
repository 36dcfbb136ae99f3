"""Proves that 掘金's terminal never had an order, or says why that is not proven.

Two full queries far enough apart, both begun after the call and on one healthy connection, must lack the order and whatever looks
like it, in lists that are not shorter than the ones before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from orderdrop.gateway.gm.blotter import Blotter
from orderdrop.system.clock import Micros

READS_APART: Final = 10_000_000
"""Microseconds between two full queries on a healthy connection that together prove an absence."""

_NOT_NOTED: Final = "没有记下送出时终端列出了多少委托 / how many orders the terminal listed when it was handed over was not noted"
_SHORT: Final = "终端的委托列表比之前短，证明不了什么 / the terminal's list of orders is shorter than it was: what it lacks proves nothing"
_NOT_TODAY: Final = "不是今天送出的 / it was not handed over today"
_FOUND: Final = "终端里有它 / the terminal has it"
_ALIKE: Final = "终端里有条件相同、不知属于谁的委托,请人工核对 / the terminal has orders of the same terms that cannot be told apart: please look there"
_ASKING: Final = (
    "终端的委托里没有它,还要再查 / the terminal does not list it; it is asked for again to be sure"
)


class Proven(NamedTuple):
    """Which orders the terminal never had, by number; why the first of the others is in doubt; when the first query of the last proof began."""

    numbers: frozenset[int]
    words: str
    at: Micros


def look_for(blotter: Blotter, numbers: Iterable[int], since: Micros, *, noted: bool) -> Proven:
    """Returns what the terminal's lists prove of these orders.

    since: queries that began before prove nothing. noted: the length of the lists was noted when the orders were sent.
    """
    absent, words, at = set(), "", since
    for number in numbers:
        why = _doubt(blotter, number, since) if noted else _NOT_NOTED
        if not why:
            absent.add(number)
            at = max(at, _proofs(blotter, number, since)[0])
        words = words or why
    return Proven(frozenset(absent), words, at)


def _doubt(blotter: Blotter, number: int, since: Micros) -> str:
    """Why it is not proven that the terminal never had the order of that number; "" when it is."""
    sent = blotter.numbered(number)
    if sent is None or sent.client_id:
        return _NOT_TODAY if sent is None else _FOUND
    if blotter.lookalikes(sent):
        return _ALIKE
    if sent.order.account_id in blotter.short:
        return _SHORT
    reads = _proofs(blotter, number, since)
    return "" if reads and reads[-1] - reads[0] >= READS_APART else _ASKING


def _proofs(blotter: Blotter, number: int, since: Micros) -> list[Micros]:
    """When the full queries began that may prove the absence of the order of that number."""
    sent = blotter.numbered(number)
    if sent is None:
        return []
    reads = blotter.reads.get(sent.order.account_id, [])
    return [at for at in reads if at > max(since, sent.begun_at)]
