"""Tells the day's securities as 掘金's terminal knows them, through its package gm. Runs in its own process (securities_query.py).

Of the package it uses what the orders use (gm_worker), with the vendor's `get_symbols`: prices, tick and flags of one trading day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from orderdrop.domain.board import board_of
from orderdrop.domain.security import Security, told
from orderdrop.gateway.gm.worker import Refused, Vendor
from orderdrop.gateway.securities_query import answer
from orderdrop.system.clock import SHANGHAI

_STOCKS: Final = 1010
_KINDS: Final = (_STOCKS, 1020, 1030)
"""The vendor's sec_type1: stocks, funds, bonds."""

_EXCHANGES: Final = ("SHSE", "SZSE")


def find(question: dict[str, Any]) -> Iterator[Security]:
    """question: day, as `2026-11-20`, and what the worker process is told. A kind that the terminal does not tell is left out; Refused when it tells none."""
    vendor, service = Vendor(question), import_module("gm.pb.instrument_service_pb2")
    refused = []
    for kind in _KINDS:
        ask = service.GetSymbolsReq(
            sec_type1=kind,
            exchanges=_EXCHANGES,
            skip_suspended=False,
            skip_st=False,
            trade_date=question["day"],
        )
        try:
            found = service.GetSymbolsResp.FromString(vendor.call("py_gmi_get_symbols_v2", ask)).symbols
        except Refused as error:
            refused.append(error)
            continue
        for one in found:
            if is_of(question["day"], one) and board_of(one.info.symbol) is not None:
                yield security(one, kind)
    if len(refused) == len(_KINDS):
        raise refused[0]


def is_of(day: str, one: Any) -> bool:
    at = one.trade_date.seconds
    return bool(at) and datetime.fromtimestamp(at, SHANGHAI).date().isoformat() == day


def security(one: Any, kind: int) -> Security:
    """From the vendor's message, in which what is not said is 0 or false."""
    return told(
        one.info.symbol, previous_close=one.pre_close, lower=one.lower_limit, upper=one.upper_limit, tick=one.info.price_tick,
        st=one.is_st if kind == _STOCKS else None, suspended=one.is_suspended,
        name=one.info.sec_name,
    )  # fmt: skip


if __name__ == "__main__":
    answer(find)
