"""Makes the JSON Schemas of what people and programs exchange with orderdrop. `python -m orderdrop.schemas FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from orderdrop.config.settings import Settings
from orderdrop.doctor.finding import FindingView
from orderdrop.domain.order import InstructionRow, OrderRow
from orderdrop.views.day import ClosedView
from orderdrop.views.orders import (
    BrokerOrderView,
    CashView,
    DropView,
    OrderView,
    PositionView,
    ReceiptRow,
    TradeView,
)

MODELS: Final[dict[str, type[BaseModel]]] = {
    "order_row": OrderRow,
    "cancel_row": InstructionRow,
    "receipt_row": ReceiptRow,
    "order": OrderView,
    "drop": DropView,
    "finding": FindingView,
    "closed": ClosedView,
    "cash": CashView,
    "position": PositionView,
    "broker_order": BrokerOrderView,
    "trade": TradeView,
    "settings": Settings,
}


def schemas() -> dict[str, str]:
    """File name to text."""
    return {
        f"{name}.json": json.dumps(model.model_json_schema(), ensure_ascii=False, indent=2, sort_keys=True)
        + "\n"
        for name, model in MODELS.items()
    }


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(schema, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "schemas"))
