"""A stand-in for `xtquant.datacenter`, the native half of xtquant's market data; the vendor's own xtdata, xtconn and xtbson run as they are.

Run as a program it is the process that is asked for the day's securities: `xtdata_native.py FOLDER`. What the terminal knows stands in FOLDER, in
`market.json` (`write`); without the file no terminal listens.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__)
MARKET = "market.json"


def write(
    folder: Path,
    details: Mapping[str, Mapping[str, Any]],
    quotes: Mapping[str, Mapping[str, Any]] | None = None,
    fault: str = "",
) -> None:
    """details, quotes: by the vendor's code, in its words; every security has a quote. fault: "hang"."""
    told = {"details": details, "quotes": {code: {} for code in details} | dict(quotes or {}), "fault": fault}
    (folder / MARKET).write_text(json.dumps(told), encoding="utf-8")


def command(folder: Path) -> tuple[str, ...]:
    return (sys.executable, str(HERE), str(folder))


class IPythonApiClient:
    """The native client: it answers in JSON and in BSON documents one behind the other."""

    folder: Path

    def __init__(self) -> None:
        self._connected = False
        self._market: Any = None

    def init(self) -> None: ...

    def load_config(self, file: str, section: str) -> int:
        return 0 if Path(file).exists() and section == "client_xtdata" else -1

    def set_config_addr(self, address: str) -> None:
        assert address.startswith("127.0.0.1:")

    def connect(self) -> tuple[int, str]:
        self._connected = (self.folder / MARKET).exists()
        return (0, "") if self._connected else (-1, "connect failed")

    def is_connected(self) -> bool:
        return self._connected

    def shutdown(self) -> None:
        self._connected = False

    def get_data_dir(self) -> str:
        return str(self.folder / "datadir")

    def get_app_dir(self) -> str:
        return str(self.folder)

    def commonControl(self, _function: str, _param: bytes) -> bytes:  # noqa: N802  the vendor's name
        return _bson({})

    def get_full_tick(self, codes: list[str]) -> str:
        told = self._told()
        print("the vendor's library prints")  # and it must do no harm
        if told["fault"] == "hang":
            time.sleep(600)
        quotes = {
            code: quote
            for code, quote in told["quotes"].items()
            if code in codes or code.partition(".")[2] in codes
        }
        return json.dumps(quotes)

    def get_instrument_detail(self, code: str) -> bytes:
        detail = self._told()["details"].get(code)
        return b"" if detail is None else _bson(detail)

    def _told(self) -> Any:
        if self._market is None:
            self._market = json.loads((self.folder / MARKET).read_text(encoding="utf-8"))
        return self._market


def _bson(value: Any) -> bytes:
    from xtquant import xtbson  # noqa: PLC0415  only where xtquant is installed

    return xtbson.BSON.encode(value)


def install(folder: Path) -> None:
    IPythonApiClient.folder = folder
    module = ModuleType("xtquant.datacenter")
    module.rpc_init = lambda _folder: 0
    module.get_local_server_port = lambda: 0
    module.register_create_nparray = lambda _make: None
    module.IPythonApiClient = IPythonApiClient
    sys.modules["xtquant.datacenter"] = module


if __name__ == "__main__":
    install(Path(sys.argv[1]))
    from orderdrop.gateway.miniqmt.securities import find
    from orderdrop.gateway.securities_query import answer

    answer(find)
