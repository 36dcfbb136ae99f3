"""Makes drops, puts them into an inbox as a producer would, and checks what has left: each sid exactly once."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import openpyxl

from orderdrop.domain.goldminer_format import ORDER_HEADER

_HEADER = f"{ORDER_HEADER}\n"
CENTS = {
    f"{exchange}.{code:06d}": random.randrange(200, 9000)
    for exchange, first in (("SHSE", 600000), ("SZSE", 1), ("SZSE", 300001), ("SHSE", 601000))
    for code in range(first, first + 500)
}
"""What a share costs."""
_SYMBOLS = tuple(CENTS)


class LostOrDoubledError(Exception):
    """The outgoing files do not hold every sid exactly once."""


def new_sids(count: int) -> list[str]:
    return [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(count)]


def write_drop(path: Path, sids: Sequence[str]) -> Path:
    """A drop with a limit order for each sid. Streamed: a million orders are no burden to the producer."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_HEADER)
        file.writelines(_line(sid) for sid in sids)
    return path


def _line(sid: str) -> str:
    symbol, volume = random.choice(_SYMBOLS), 100 * random.randrange(1, 50)
    price = (CENTS[symbol] + random.randrange(-1, 2)) / 100
    return f"{sid},acc-{random.randrange(4)},{symbol},{volume},1,{random.choice((1, 2))},{price:.2f},\n"


def write_workbook(path: Path, sids: Sequence[str]) -> Path:
    """The same as a workbook, with numbers as numbers."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("委托")
    sheet.append(ORDER_HEADER.split(","))
    for sid in sids:
        sid_, account, symbol, volume, order_type, side, price, remark = _line(sid).rstrip("\n").split(",")
        sheet.append([sid_, account, symbol, int(volume), int(order_type), int(side), float(price), remark])
    book.save(path)
    return path


def a_price() -> tuple[str, Decimal]:
    """A symbol, and a price for it."""
    symbol = random.choice(_SYMBOLS)
    return symbol, Decimal(CENTS[symbol] + random.randrange(-1, 2)) / 100


def write_singles(folder: Path, sids: Sequence[str]) -> list[Path]:
    return [write_drop(folder / f"{sid}.order.csv", [sid]) for sid in sids]


def rename_in(drop: Path, inbox: Path) -> int:
    """Rename a whole file into the inbox. Returns when, in monotonic nanoseconds, the moment before."""
    target = inbox / drop.name
    at = time.monotonic_ns()
    drop.rename(target)
    return at


def rename_in_spaced(drops: Sequence[Path], inbox: Path) -> list[int]:
    """Like a strategy that sends now and then: 10 to 20 ms apart."""
    renamed = []
    for drop in drops:
        time.sleep(random.uniform(0.010, 0.020))
        renamed.append(rename_in(drop, inbox))
    return renamed


def outgoing_sids(outgoing: Path) -> Iterator[tuple[str, str]]:
    """Name of the file and sid, for every order that has left."""
    for path in sorted(outgoing.iterdir()):
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                sid = line.split(",", 1)[0]
                if sid != "sid":
                    yield path.name, sid


def check_exactly_once(outgoing: Path, sids: Sequence[str]) -> dict[str, str]:
    """Raises LostOrDoubledError. Returns in which file each of these sids left."""
    left_in: dict[str, str] = {}
    for name, sid in outgoing_sids(outgoing):
        if sid in left_in:
            raise LostOrDoubledError(f"{sid} left twice: in {left_in[sid]} and in {name}")
        left_in[sid] = name
    if left_in.keys() != set(sids):
        lost, foreign = len(set(sids) - left_in.keys()), len(left_in.keys() - set(sids))
        raise LostOrDoubledError(f"{outgoing}: {lost} orders were lost, {foreign} came from nowhere")
    return left_in


def write_output(push: Path, rows: int) -> None:
    """A day's order_status_change.csv of one account, as a terminal has left it: orders that were entered by hand."""
    folder = push / "12345678"
    folder.mkdir(parents=True)
    with (folder / "order_status_change.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(
            "account_id,sid,scan_name,cl_ord_id,order_id,symbol,order_type,order_business,status,ord_rej_reason,"
            "ord_rej_reason_detail,price,volume,filled_volume,created_at,updated_at,sent_at,recv_at\n"
        )
        at = "2026-01-05T10:00:00.000000+08:00"
        file.writelines(
            f"12345678,,,c{n},o{n},SHSE.600000,1,1,1,0,,10.00,100,0,{at},{at},{at},{at}\n"
            for n in range(rows)
        )
