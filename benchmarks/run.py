"""`python benchmarks/run.py [--quick] [--only NAME] [--json FILE]`: orderdrop beside the floor, on this machine, now."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
from datetime import datetime
from pathlib import Path

from measures import FULL, MEASURES, QUICK, Figure, bench

from orderdrop.system.clock import SHANGHAI


def main() -> int:
    arguments = _arguments()
    figures: list[Figure] = []
    print(_line("what", "orderdrop", "floor", "ratio", "target", ""))
    with bench(QUICK if arguments.quick else FULL) as on:
        for name in arguments.only or MEASURES:
            for figure in MEASURES[name](on):
                figures.append(figure)
                print(_show(figure, judge=not arguments.quick), flush=True)
    if arguments.json:
        report = {
            "machine": machine(),
            "quick": arguments.quick,
            "figures": [figure._asdict() for figure in figures],
        }
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if arguments.quick or all(figure.met for figure in figures) else 1


def machine() -> dict[str, object]:
    return {
        "at": datetime.now(SHANGHAI).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _show(figure: Figure, *, judge: bool) -> str:
    compared = "" if figure.compared is None else _number(figure.compared)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    verdict = ("ok" if figure.met else "missed") if judge else ""
    return _line(
        figure.name, f"{_number(figure.value)} {figure.unit}", compared, ratio, figure.target, verdict
    )


def _line(name: str, value: str, floor: str, ratio: str, target: str, verdict: str) -> str:
    return f"{name:<50} {value:>18} {floor:>9} {ratio:>6}  {target:<16} {verdict}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small and short, for CI: reports, judges no times"
    )
    parser.add_argument(
        "--only", action="append", choices=MEASURES, help="only this; may be given more than once"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
