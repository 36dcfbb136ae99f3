"""What is put away is what was taken: whatever a writer does meanwhile, each basket is traded or told, and every byte is kept."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from routed_desk import TODAY, Desk

from orderdrop.archive import altered, filing
from orderdrop.cli import main
from orderdrop.service import away

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


def row(sid: str, volume: int = 100) -> str:
    return f"{sid},acc,SHSE.600000,{volume},1,1,10.35\n"


def basket(*sids: str) -> str:
    return HEADER + "".join(map(row, sids))


def bytes_kept(desk: Desk) -> list[bytes]:
    folders = (desk.root / "archive", desk.root / "quarantine", desk.inbox)
    paths = [path for folder in folders for path in folder.rglob("*")]
    return [path.read_bytes() for path in paths if path.is_file() and path.name.endswith("csv")]


def before_the_hold(monkeypatch, act) -> None:
    """`act` once, between the last look and the rename to our own name."""
    real, left = filing.take_hold, [act]

    def take_hold(path: Path, tag: str = "") -> Path:
        if left and path.suffix == ".csv":
            left.pop()(path)
        return real(path, tag)

    monkeypatch.setattr(filing, "take_hold", take_hold)


def replace(path: Path, content: str) -> None:
    new = path.with_name("new.tmp")
    new.write_text(content)
    new.rename(path)


def rewrite(path: Path, content: str) -> None:
    """With size and time kept."""
    status = path.stat()
    path.write_text(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.posix
@pytest.mark.parametrize("how", [replace, rewrite])
def test_basket_when_it_takes_the_place_of_the_last_one_just_before_that_is_put_away_is_traded(
    trade, monkeypatch, how
):
    before_the_hold(monkeypatch, lambda path: how(path, basket("B1")))
    desk = trade({"a.csv": basket("A1")})
    desk.route()
    assert desk.statuses() == {"A1": "filled", "B1": "filled"}
    assert basket("B1").encode() in bytes_kept(desk)
    assert [drop["archived_as"] is not None for drop in desk.query("SELECT * FROM drops")][-1]


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "win32", reason="a rename is one step there")
def test_basket_when_it_comes_between_link_and_unlink_is_not_destroyed(trade, monkeypatch):
    real, left = os.link, [1]

    def link_and_then(source, target, **options):
        real(source, target, **options)
        if left and str(target).endswith("a.csv"):
            left.pop()
            replace(desk.inbox / "a.csv", basket("B1"))

    desk = trade({})
    monkeypatch.setattr(os, "link", link_and_then)
    desk.route({"a.csv": basket("A1")})
    desk.route()
    assert not left
    assert desk.statuses() == {"A1": "filled", "B1": "filled"}
    assert {basket("A1").encode(), basket("B1").encode()} <= set(bytes_kept(desk))


@pytest.mark.posix
def test_refused_file_when_a_good_one_takes_its_place_just_before_it_is_put_away_is_not_buried(
    trade, monkeypatch
):
    name = "20200102.order.csv"
    before_the_hold(monkeypatch, lambda path: replace(path, basket("B1")))
    desk = trade({name: basket("A1")})
    desk.route()
    codes = [drop["reason_code"] for drop in desk.query("SELECT * FROM drops")]
    assert codes == ["FILE_STALE", "FILE_STALE"], "each is told"
    assert basket("B1").encode() in bytes_kept(desk)


def test_items_when_one_cannot_be_put_away_all_others_are(trade, monkeypatch):
    real = filing.finish

    def finish(own, folder, name, drop_id):
        if name == "b.csv":
            raise OSError(5, "Input/output error")
        return real(own, folder, name, drop_id)

    desk = trade({})
    with monkeypatch.context() as broken:
        broken.setattr(filing, "finish", finish)
        desk.route({f"{letter}.csv": basket(letter.upper()) for letter in "abcd"})
        assert sorted(path.name for path in desk.inbox.iterdir()) == ["b.csv"]
    desk.route()
    assert list(desk.inbox.iterdir()) == []
    assert desk.kept()["drops/b.csv"] == basket("B").encode()


def test_drop_in_a_folder_that_is_called_like_a_drop_is_put_away_and_so_are_later_ones(trade):
    desk = trade({"a.csv": basket("A1")})
    desk.route({"a.csv/x.csv": basket("A2")})
    desk.route({"b.csv": basket("B1")})
    desk.route({"c/y.csv": basket("C1")})
    assert [path for path in desk.inbox.rglob("*") if path.is_file()] == []
    assert desk.kept()["drops/a.csv~2/x.csv"] == basket("A2").encode()
    assert desk.restart().at_broker()[-1][0] == "C1"


# crashes


class Killed(BaseException):
    pass


@pytest.mark.parametrize("point", ["archive.held", "archive.before", "archive.after", "archive.fin"])
@pytest.mark.parametrize("meanwhile", [None, "the next one", "a copy on another volume"])
def test_drop_when_the_process_dies_while_it_is_put_away_is_put_away_at_the_next_start(
    trade, monkeypatch, point, meanwhile
):
    def die(name: str) -> None:
        if name == point:
            raise Killed

    desk = trade({})
    with monkeypatch.context() as broken:
        broken.setattr(filing, "reach", die)
        desk.put({"a.csv": basket("A1"), "a.csv.fin": ""})
        with pytest.raises(Killed):
            desk.route()
        desk.crash()
    if meanwhile == "the next one":
        desk.put({"a.csv": basket("B1")})
    [*held] = (
        path for path in desk.inbox.iterdir() if path.name.endswith("away.tmp") and ".fin." not in path.name
    )
    if meanwhile == "a copy on another volume" and held:
        target = away.Workspace(desk.root, desk.inbox).day(desk.open().router.today) / "drops" / "a.csv"
        desk.crash()
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(held[0], target)
    desk.route()
    assert list(desk.inbox.iterdir()) == []
    assert desk.kept()["drops/a.csv"] == basket("A1").encode()
    wanted = ["A1", "B1"] if meanwhile == "the next one" else ["A1"]
    assert [sid for sid, *_ in desk.at_broker()] == wanted
    drops = desk.query("SELECT name, state, archived_as FROM drops ORDER BY id")
    assert [drop["state"] for drop in drops] == ["done"] * len(wanted)
    assert all(Path(desk.root, drop["archived_as"]).is_file() for drop in drops)


def test_file_of_ours_when_it_is_of_another_journal_is_left_and_told(trade, monkeypatch):
    desk = trade({})
    desk.close()
    left = desk.inbox / ".a.csv.0badc0de-1-4-1.01234567.away.tmp"
    left.write_text(basket("X"))
    desk.route()
    desk.close()
    assert left.exists()
    assert desk.at_broker() == []
    monkeypatch.setattr(altered, "_LEFT_BEHIND", -1.0)
    assert left.name in json.loads(status(desk).stdout)["problems"][0]


# what is told


def status(desk: Desk):
    return CliRunner().invoke(main, ["-C", str(desk.root), "status", "--json"])


def test_status_when_an_archived_file_was_rewritten_names_it_and_exits_with_1(trade):
    desk = trade({"a.csv": basket("A1")})
    desk.close()
    assert status(desk).exit_code == 0
    [kept] = (desk.root / "archive").rglob("a.csv")
    kept.write_text(basket("B1"))
    desk.restart().close()
    told = status(desk)
    assert told.exit_code == 1
    assert "drops/a.csv" in told.output
    assert desk.statuses() == {"A1": "filled"}


# growth


@pytest.mark.parametrize("writers", [1, 4])
def test_day_file_when_writers_append_without_a_pause_goes_on_row_by_row(desk, writers):
    here = desk(inbox={"settle": 0.3, "scan_interval": 0.05})
    path, going, written = here.inbox / f"{TODAY}.order.csv", threading.Event(), []
    path.write_text(HEADER)

    def write(writer: int) -> None:
        number = 0
        while not going.is_set():
            number += 1
            with path.open("ab", buffering=0) as file:
                file.write(row(f"W{writer}-{number}", 100 * writer + 100).encode())
            written.append(f"W{writer}-{number}")
            time.sleep(0.005)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        deadline = time.monotonic() + 60
        app = here.open()
        while len(here.at_broker()) < 60 and time.monotonic() < deadline:
            app.turn(lambda _round: None)
        handed_over = len(here.at_broker())
    finally:
        going.set()
        for thread in threads:
            thread.join()
    here.route(rounds=60)
    assert handed_over >= 60, "rows leave while the writers go on"
    assert sorted(sid for sid, *_ in here.at_broker()) == sorted(written)
    assert here.query("SELECT outcome FROM rows") == []
    assert len(here.query("SELECT id FROM drops")) == 1
    assert [path.name for path in (here.root / "outbox" / "receipts").iterdir()] == [
        f"{TODAY}.order.csv.receipt.csv"
    ]
