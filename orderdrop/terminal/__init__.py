"""A terminal to try with: a stand-in for 掘金's and 东财 EMC's 文件单 that reads a scan folder and writes an output folder.

Nothing is traded. It exists so that everything up to the terminal's door can be tried without a terminal, and so that the
ways in which terminals fail can be tried at will. It shares no code with the gateways (only the clock): what both sides
understood wrongly in the same way would never show.

    python -m orderdrop.terminal --scan in --push out --archive archive
    python -m orderdrop.terminal --scan in --push out --lose 0.03 --torn --stall 20:8 --seed 7

In a test: `Terminal(Settings(scan, push), Faults(lose=0.03))`, then `step(now)`; the clock is the caller's and nothing else
decides what happens. `read_ledger(push)` tells what the terminal really did.

What it does, and how sure that is: **[V]** the vendor's text, **[W]** working code of third parties, **[1]** one implementer,
**[?]** a guess.

Input
- Names and headers of order and cancel files [V][W]; UTF-8 with or without BOM, LF or CRLF [W]; a GBK line is understood [?].
- Rows are executed as they come, with or without `.fin` [W]; files in the order of their names, orders before cancels [?]; a line without its
  newline waits, with `.fin` it counts as whole [?].
- A file is taken away when `.fin` stands beside it and all its rows were read [1]: into `upfiles` of the archive [V], else
  deleted [?]. Its `.fin` is removed [?]. A name that the archive has already gets a number [?].
- A file that shrank or was replaced is read again from its beginning, and executed again [?]: the worst case.
- A repeated sid is executed again. The vendor says it never is [V]; nobody has shown it, and here doubles must be seen.
- A row with a wrong number of cells, without sid or account, or under an unknown header does nothing [?]. A row that says
  nonsense in a column is rejected with 掘金's reason for that column [V: the codes, ?: that it is so].
- An account that the terminal does not have: the row does nothing [?]. Without `--account`, every account exists.
- Not here: the dbf twins.

Output
- Files, columns, codes and UTF-8 with BOM [V]; `order_status.csv`, `cash.csv` and `position.csv` are truncated and written
  again in place, the other two are appended to [W]. `func_response.csv` is not written: its columns are unknown.
- Timestamps in full, in tenths, or without a fraction [W]. An order in pending-new has no order id yet [W]; an order
  entered by hand has no sid and no scan_name [W].
- The execution report comes later than the status [W]; by how much is a setting.
- A refused cancel is a row of exec_type 19 in execution_report.csv [?]; a cancel of an unknown sid leaves no trace [?].
- `cash.csv` and `position.csv` are written every few seconds, without orders too, as prices move [?].
- After a restart: order_status.csv and execution_report.csv full again, order_status_change.csv begins anew [?]; a file
  that still stands goes on where it was [?]. A new day is a restart; users restart every morning [W].

Broker
- Simulated symbols answer as in 掘金's simulated accounts [W]; any other symbol is filled whole [?].
- Limit orders trade at their limit; market orders at the symbol's last price here, 10 at first [?]. No fees [?].
- Lots, T+1, cash and holdings are checked in a simple way. Beijing is refused.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orderdrop.terminal.engine import Terminal
    from orderdrop.terminal.ledger import Entry, Kind, read_ledger
    from orderdrop.terminal.settings import Faults, Settings, Stall

__all__ = ["Entry", "Faults", "Kind", "Settings", "Stall", "Terminal", "read_ledger"]

_HOMES: Final = {"Terminal": "engine", "Entry": "ledger", "Kind": "ledger", "read_ledger": "ledger"}


def __getattr__(name: str) -> Any:
    """Loaded when first used: the command line has a command for it, and `--help` is quick."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "settings")
    value = globals()[name] = getattr(import_module(f"orderdrop.terminal.{home}"), name)
    return value
