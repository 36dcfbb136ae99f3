"""Files that another program has open: they keep no order waiting, and whoever has one open is told."""

from __future__ import annotations

from datetime import date

import pytest
from routed_desk import TODAY
from winlike_desk import HEADER, lines, row, statuses, turn_until

from orderdrop.router import Turn
from orderdrop.views.inbox import FileState, list_inbox


def test_followed_file_when_its_writer_keeps_it_open_is_followed(desk, opened):
    here = desk()
    path = here.inbox / f"{TODAY}.order.csv"
    path.write_text(HEADER + row("S1"))
    program = opened(path, "ab")
    turn_until(here, lambda: statuses(here) == ["S1"])
    here.append(path.name, row("S2"))
    turn_until(here, lambda: statuses(here) == ["S1", "S2"])
    program.close()


def touched(drop: int) -> Turn:
    done = Turn()
    done.drops.add(drop)
    return done


def test_basket_when_a_program_keeps_it_open_waits_and_everybody_is_told(desk, opened, monkeypatch, caplog):
    monkeypatch.setattr("orderdrop.inbox.settling._COMPLAIN_AFTER", 0.1)
    here = desk()
    here.route({"basket.csv": HEADER + row("S0")})  # whose receipt gets its number
    path = here.inbox / "basket.csv"
    program = opened(path, "xb")
    path.write_text(HEADER + row("S1"))
    receipt = "receipts/basket.csv.receipt.csv"
    turn_until(here, lambda: "FILE_OPEN" in "".join(lines(here, receipt)))
    here.app.chores.note(
        touched(1)
    )  # the earlier drop's own receipt is written again, and does not take the place
    turn_until(here, lambda: not here.app.chores.waiting)
    assert "FILE_OPEN" in "".join(lines(here, receipt))
    assert statuses(here) == ["S0"]
    assert "basket.csv is open in another program" in caplog.text
    today = date.fromisoformat(f"{TODAY[:4]}-{TODAY[4:6]}-{TODAY[6:]}")
    (lying,) = list_inbox(here.app.workspace, None, today)
    assert (lying.lot, lying.odd) == (FileState.WAITING, True)
    assert "is open in another program" in lying.why
    program.close()
    turn_until(here, lambda: statuses(here) == ["S0", "S1"])
    turn_until(here, lambda: ",S1,filled," in "".join(lines(here, receipt)))
    assert here.outcomes("basket.csv~1") == [("S0", "filled", "")]


def test_basket_when_the_program_takes_it_away_again_leaves_no_receipt(desk, opened, monkeypatch):
    monkeypatch.setattr("orderdrop.inbox.settling._COMPLAIN_AFTER", 0.1)
    here = desk()
    path = here.inbox / "basket.csv"
    program = opened(path, "xb")
    path.write_text(HEADER + row("S1"))
    receipt = here.root / "outbox" / "receipts" / "basket.csv.receipt.csv"
    turn_until(here, receipt.exists)
    program.close()
    path.unlink()
    turn_until(here, lambda: not receipt.exists())
    assert statuses(here) == []


def test_basket_when_somebody_only_reads_it_is_taken(desk, opened):
    here = desk()
    path = here.inbox / "basket.csv"
    path.write_text(HEADER + row("S1"))
    opened(path, "rb")
    turn_until(here, lambda: statuses(here) == ["S1"])


@pytest.mark.parametrize(
    ("name", "denies"),
    [
        ("outbox/paper/order_status.csv", False),
        ("outbox/paper/order_status.csv", True),
        ("outbox/paper/cash.csv", True),
        ("outbox/paper/order_status_change.csv", True),
        ("outbox/receipts/a.csv.receipt.csv", False),
        ("inbox/a.csv", False),
        (".orderdrop/orderdrop.log", False),
        (".orderdrop/heartbeat.json", False),
    ],
)
def test_orders_when_a_file_of_ours_is_open_elsewhere_wait_for_nobody(desk, opened, waits, name, denies):
    here = desk(inbox={"archive_after": 3600} if name.startswith("inbox") else {})
    here.put({"a.csv": HEADER + row("P0", "SHSE.018014")})  # stays open, so that its receipt is written again
    turn_until(here, lambda: len(lines(here, "receipts/a.csv.receipt.csv")) == 2)
    path = here.root / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    before = path.read_bytes()
    program = opened(path, "rb", denies=denies)
    here.put({"b.csv": HEADER + row("S1"), "c.cancel_order.csv": "sid\nP0\n"})
    turn_until(here, lambda: len(lines(here, "receipts/b.csv.receipt.csv")) == 2)
    if name.startswith("outbox"):
        turn_until(here, lambda: any(path.name in fault for fault in here.app.chores.faults))
        assert path.read_bytes() == before
    here.put({"d.csv": HEADER + row("S2")})
    turn_until(here, lambda: len(lines(here, "receipts/d.csv.receipt.csv")) == 2)
    assert here.statuses() == {"P0": "canceled", "S1": "filled", "S2": "filled"}
    assert waits == []
    program.close()
    turn_until(here, lambda: not here.app.chores.faults and len(lines(here, "paper/order_status.csv")) == 4)
    told = [line.split(",")[0] for line in lines(here, "paper/order_status_change.csv")[1:]]
    assert len(told) == len({*lines(here, "paper/order_status_change.csv")}) - 1, "each change once"


def test_result_file_when_somebody_follows_it_as_a_day_begins_is_begun_where_it_stands(desk, opened):
    here = desk()
    here.route({"a.csv": HEADER + row("S1")})
    here.close()
    path = here.root / "outbox" / "paper" / "order_status_change.csv"
    inode, told = path.stat().st_ino, lines(here, "paper/order_status_change.csv")
    opened(path, "rb")
    here.route()
    assert path.stat().st_ino == inode
    assert lines(here, "paper/order_status_change.csv") == told
