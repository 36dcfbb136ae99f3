"""Names as Windows takes them: the same in any case, and only so long."""

from __future__ import annotations

import logging

from winlike_desk import HEADER, lines, row, turn_until


def test_drops_that_differ_in_case_only_are_kept_and_told_apart(desk):
    here = desk().route({"Basket.csv": HEADER + row("S1")})
    here.route({"basket.csv": HEADER + row("S2")})
    assert here.statuses() == {"S1": "filled", "S2": "filled"}
    assert here.outcomes("basket.csv") == [("S2", "filled", "")]
    assert here.outcomes("basket.csv~1") == [("S1", "filled", "")]
    kept = {name: content for name, content in here.kept().items() if name.startswith("drops/")}
    assert sorted(content.split(b",")[5].split(b"\n")[1] for content in kept.values()) == [b"S1", b"S2"]


def test_drop_whose_name_leaves_no_room_is_refused_told_and_kept(desk, caplog):
    caplog.set_level(logging.ERROR)
    here = desk()
    room = here.open().workspace.longest_name
    good, long = f"{'g' * (room - 4)}.csv", f"{'x' * (room - 3)}.csv"
    here.put({good: HEADER + row("S1"), long: HEADER + row("S2")})
    turn_until(
        here, lambda: here.statuses() == {"S1": "filled"} and len(here.query("SELECT * FROM drops")) == 2
    )
    here.route()
    (refused,) = here.query("SELECT * FROM drops WHERE reason_code IS NOT NULL")
    assert refused["reason_code"] == "FILE_NAME_LONG"
    assert list(here.kept("quarantine").values()) == [(HEADER + row("S2")).encode()]
    assert [content for name, content in here.kept().items() if name.startswith("drops")] == [
        (HEADER + row("S1")).encode()
    ]
    assert len(lines(here, f"receipts/{good}.receipt.csv")) == 2
    told = [
        path.read_text("utf-8-sig")
        for path in (here.root / "outbox" / "receipts").iterdir()
        if path.name[0] == "x"
    ]
    assert ["FILE_NAME_LONG" in text for text in told] == [True]
    assert caplog.text == ""


def test_run_once_when_clocks_are_coarse_takes_what_lies_there_each_time(desk):
    here = desk(inbox={"scan_interval": 0.2})
    app = here.open()
    for number in range(3):
        here.put({f"{number}.csv": HEADER + row(f"S{number}")})
        assert app.run_once(at_most=60)
        assert len(here.statuses()) == number + 1
