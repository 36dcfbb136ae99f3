"""The result files of an account: they are made from the journal, grow with it, and are mended from it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import a_clock
from routed_desk import Desk

from orderdrop.accounts.routing import Routing
from orderdrop.journal.journal import reading_engine
from orderdrop.outbox import result_files
from orderdrop.outbox.result_files import Outbox
from orderdrop.system.clock import trade_date

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
GROWING = ("order_status_change.csv", "execution_report.csv")
FILES = ("cash.csv", "order_status.csv", "position.csv", *GROWING)


def an_order(sid: str, volume: int = 100) -> str:
    return f"{sid},A,SHSE.600000,{volume},1,1,10.35\n"


class Bench:
    """A router's journal, and an outbox of our own that is made from it, in a folder of its own."""

    def __init__(self, root) -> None:
        self.desk = Desk(root / "workspace", clock=a_clock(), accounts={"A": {}, "B": {}})
        app = self.desk.open()
        self.folder = root / "made"
        self.routing = Routing(app.settings, app.desk.gateways)
        self.reader = reading_engine(app.settings.journal.url, self.desk.root)
        self.today = trade_date(app.clock.now())
        self.outbox = Outbox(self.folder, self.routing, self.reader)

    def drop(self, name: str, *rows: str) -> None:
        self.desk.route({name: HEADER + "".join(rows)})

    def update(self, day=None) -> None:
        self.outbox.hurry()
        for _slice in self.outbox.update(day or self.today):
            pass

    def lines(self, name: str, account: str = "A") -> list[str]:
        return (self.folder / account / name).read_text("utf-8-sig").splitlines()

    def column(self, name: str, index: int = 1) -> list[str]:
        return [line.split(",")[index] for line in self.lines(name)[1:]]

    def close(self) -> None:
        self.reader.dispose()
        self.desk.crash()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def test_files_when_an_account_is_named_then_all_are_there_before_its_first_order(bench):
    bench.update()
    for account in ("A", "B"):
        assert sorted(path.name for path in (bench.folder / account).iterdir()) == sorted(FILES)
        assert all(len(bench.lines(name, account)) == 1 for name in GROWING)
    assert bench.column("cash.csv", 0) == ["A"]


def test_files_when_made_from_the_journal_then_they_are_those_that_the_router_has_written(bench):
    bench.drop("a.csv", an_order("S1"), an_order("S2", 200))
    bench.update()
    for name in ("order_status.csv", *GROWING):
        assert (
            bench.lines(name) == (bench.desk.root / "outbox" / "A" / name).read_text("utf-8-sig").splitlines()
        )
    assert bench.column("order_status.csv") == ["S1", "S2"]


def test_files_when_orders_come_then_rows_are_added_and_none_comes_twice(bench):
    bench.drop("a.csv", an_order("S1"))
    bench.update()
    before = {name: bench.lines(name) for name in GROWING}
    bench.drop("b.csv", an_order("S2"))
    bench.outbox.note(["A"])
    bench.update()
    for name in GROWING:
        assert bench.lines(name)[: len(before[name])] == before[name]
        assert set(bench.column(name)) == {"S1", "S2"}
        assert len(set(bench.lines(name))) == len(bench.lines(name))


def test_files_when_nobody_says_that_something_changed_then_the_journal_is_not_read(bench, monkeypatch):
    bench.update()
    monkeypatch.setattr(result_files, "read", lambda _engine: pytest.fail("was read"))
    bench.outbox._funds_at = float("inf")
    bench.update()


def test_files_when_an_append_broke_off_then_they_are_made_again(bench, monkeypatch):
    bench.drop("a.csv", an_order("S1"))
    bench.update()
    bench.drop("b.csv", an_order("S2"))

    def half(path, content):
        with path.open("ab") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "no space left")

    with monkeypatch.context() as full:
        full.setattr(result_files, "append_whole", half)
        bench.outbox.note(["A"])
        with pytest.raises(OSError, match="no space"):
            bench.update()
    bench.update()
    for name in ("order_status.csv", *GROWING):
        assert (
            bench.lines(name) == (bench.desk.root / "outbox" / "A" / name).read_text("utf-8-sig").splitlines()
        )


def test_files_when_a_day_begins_then_yesterdays_rows_are_gone_from_all_of_them(bench):
    bench.drop("a.csv", an_order("S1"))
    bench.drop(f"{bench.today:%Y%m%d}.order.csv", an_order("S2", 0))
    bench.update()
    assert sorted(bench.column("order_status.csv")) == ["S1", "S2"]
    bench.update(bench.today + timedelta(days=1))
    assert {name: len(bench.lines(name)) for name in ("order_status.csv", *GROWING)} == dict.fromkeys(
        ("order_status.csv", *GROWING), 1
    )


def test_files_when_a_row_could_not_be_read_then_it_is_told_until_it_comes_again_mended(bench):
    name = f"{bench.today:%Y%m%d}.order.csv"
    bench.drop(name, an_order("S1", 0))
    bench.update()
    assert (bench.column("order_status.csv"), bench.column("order_status.csv", 8)) == (["S1"], ["8"])
    bench.desk.append(name, an_order("S1", 100))
    bench.desk.route()
    bench.outbox.note(["A"])
    bench.update()
    assert (bench.column("order_status.csv"), bench.column("order_status.csv", 8)) == (["S1"], ["3"])


def test_files_when_they_are_large_then_a_table_waits_for_its_turn_and_is_behind(bench, monkeypatch):
    bench.drop("a.csv", an_order("S1"))
    bench.update()
    bench.drop("b.csv", an_order("S2"))
    bench.outbox.note(["A"])
    monkeypatch.setattr(bench.outbox._pace, "due", lambda _account: False)
    for _slice in bench.outbox.update(bench.today):
        pass
    assert bench.outbox.behind
    assert bench.column("order_status.csv") == ["S1"]
    assert set(bench.column("order_status_change.csv")) == {"S1", "S2"}
    bench.update()
    assert not bench.outbox.behind
    assert bench.column("order_status.csv") == ["S1", "S2"]


def test_funds_when_they_have_not_changed_then_the_file_is_left_alone(bench):
    bench.update()
    path = bench.folder / "A" / "cash.csv"
    before = path.stat()
    bench.outbox._funds_at = 0.0
    bench.update()
    assert path.stat() == before


def test_funds_when_they_have_changed_then_they_are_written_without_an_order_of_ours(bench, monkeypatch):
    bench.update()
    gateway = bench.routing.gateways["paper"]
    richer = gateway.account("A")._replace(available=gateway.account("A").available + 1)
    monkeypatch.setattr(gateway, "account", lambda account_id: richer._replace(account_id=account_id))
    bench.outbox._funds_at = 0.0
    bench.update()
    assert str(richer.available) in bench.lines("cash.csv")[1].split(",")


def test_funds_when_the_holdings_were_never_told_then_no_file_says_that_there_are_none(bench, monkeypatch):
    gateway = bench.routing.gateways["paper"]
    unknown = gateway.account("A")._replace(held_at=None, positions=())
    monkeypatch.setattr(gateway, "account", lambda account_id: unknown._replace(account_id=account_id))
    bench.update()
    assert (bench.folder / "A" / "cash.csv").exists()
    assert not (bench.folder / "A" / "position.csv").exists()
