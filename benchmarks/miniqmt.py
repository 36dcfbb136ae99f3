"""How long 300 orders take to be handed over to MiniQMT: `python benchmarks/miniqmt.py`.

A stand-in in another process answers one order after the other, in 5 ms each, as a terminal does that asks its broker. Handed over: the vendor's
API has taken the last call; answered: the last one has its number. The target is 3 s, the least possible 1.5 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

import xtquant_broker
import xtquant_native

from orderdrop.config.gateways import MiniqmtSettings
from orderdrop.domain.report import StatusReport
from orderdrop.gateway.base import Batch, Cursor, Outgoing
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway
from orderdrop.system.clock import SystemClock

ORDERS, ANSWER, RUNS, TARGET = 300, 0.005, 5, 3.0


def run(folder: Path) -> tuple[float, float]:
    """Seconds until handed over, and until answered."""
    command = [sys.executable, xtquant_broker.__file__, str(folder), str(ANSWER), "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as broker:
        broker.stdout.readline()
        settings = MiniqmtSettings(live=False, userdata_dir=folder, query_interval=60)
        gateway = MiniqmtGateway("qmt", settings, ["A1"], SystemClock())
        gateway.open()
        gateway.remember([])
        orders = [
            Outgoing(f"S{n}", "A1", "SHSE.600000", 100, 1, 1, Decimal("10.00"), "") for n in range(ORDERS)
        ]
        batch = Batch(1, gateway.encode(orders))
        began = time.perf_counter()
        gateway.submit(batch)
        handed = time.perf_counter() - began
        while len(told(gateway)) < ORDERS:
            time.sleep(0.001)
        answered = time.perf_counter() - began
        gateway.close()
        broker.stdin.close()
    return handed, answered


def told(gateway: MiniqmtGateway) -> set[str]:
    return {r.sid for r in gateway.poll(Cursor(""), 1_000_000)[0] if isinstance(r, StatusReport)}


def main() -> int:
    xtquant_native.install()
    runs = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(run(Path(folder)))
    handed, answered = (statistics.median(times) for times in zip(*runs, strict=True))
    print(f"{ORDERS} orders, answered in {ANSWER * 1000:.0f} ms each, median of {RUNS}")
    print(f"handed over {handed:.2f} s, answered {answered:.2f} s, target {TARGET} s")
    return 0 if answered < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
