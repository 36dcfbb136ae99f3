"""A terminal that confirms at once, for the benchmark of the window: takes every file, and says filled of each row.

`quick_terminal.py SCAN PUSH`, until it is killed. Not a faithful one: `orderdrop terminal` is.
"""

from __future__ import annotations

import csv
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from orderdrop.system.clock import SHANGHAI

_PAUSE: Final = 0.002
_COLUMNS: Final = (
    "account_id", "sid", "scan_name", "cl_ord_id", "order_id", "symbol", "order_type", "order_business", "status",
    "ord_rej_reason", "ord_rej_reason_detail", "price", "volume", "filled_volume", "created_at", "updated_at", "sent_at", "recv_at",
)  # fmt: skip
_NEW: Final = "1"


def main(scan: Path, push: Path) -> None:
    outputs: dict[str, TextIO] = {}
    number = 0
    while True:
        for path in sorted(scan.glob("*.order.csv")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.reader(file))[1:]
            path.unlink()
            path.with_name(path.name + ".fin").unlink(missing_ok=True)
            now = datetime.now(SHANGHAI).isoformat()
            for sid, account, symbol, volume, kind, side, price, _comment in rows:
                number += 1
                row = (
                    account,
                    sid,
                    "fileorder_s01",
                    f"c{number}",
                    f"o{number}",
                    symbol,
                    kind,
                    side,
                    _NEW,
                    "0",
                    "",
                    price,
                    volume,
                    "0",
                    now,
                    now,
                    now,
                    now,
                )
                csv.writer(_output(outputs, push, account)).writerow(row)
            for output in outputs.values():
                output.flush()
        time.sleep(_PAUSE)


def _output(outputs: dict[str, TextIO], push: Path, account: str) -> TextIO:
    if account not in outputs:
        (push / account).mkdir(parents=True, exist_ok=True)
        path = push / account / "order_status_change.csv"
        outputs[account] = path.open("a", encoding="utf-8", newline="")
        csv.writer(outputs[account]).writerow(_COLUMNS)
    return outputs[account]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
