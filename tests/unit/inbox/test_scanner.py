"""When a drop is complete (design, section 4). Time is the test's own; files are real."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from orderdrop.config.sections import InboxSettings
from orderdrop.domain.refusal import Code
from orderdrop.inbox import drop_file, reading, tail
from orderdrop.inbox.drop_file import OpenDrop
from orderdrop.inbox.scanner import Inbox, RefusedFile
from orderdrop.inbox.tail import Take
from orderdrop.inbox.watcher import Told
from orderdrop.intake import Context
from orderdrop.system.clock import SystemClock, trade_date

TODAY = trade_date(SystemClock().now())
HEADER = b"sid,symbol,volume,order_type,order_business,price\n"
ROW = b"A1,SHSE.600000,100,1,1,10.35\n"
ROW2 = b"A2,SHSE.600000,200,1,1,10.35\n"
ROW3 = b"A3,SHSE.600000,300,1,1,10.35\n"


class Watch:
    """An inbox with a clock of its own; `look` is what the router does, with every take committed."""

    def __init__(self, folder: Path, **settings) -> None:
        self.now = 100.0
        self.drops = 0
        self.inbox = Inbox(folder, InboxSettings(events=False, **settings), lambda: self.now)
        self.inbox.open(TODAY)

    def look(self, after: float = 0.0):
        """[(name, [sids], [error codes])] of what is taken `after` some seconds."""
        self.now += after
        self.inbox._next_scan = min(self.inbox._next_scan, self.now)
        return [self._commit(ready) for ready in self.inbox.collect(TODAY)]

    def _commit(self, ready):
        if isinstance(ready, RefusedFile):
            return (ready.name, [], [ready.refusal.code])
        assert isinstance(ready, Take)
        blocks = [] if ready.refusal else list(ready.blocks(Context({}, "acc", "", ready.file.naming())))
        self.drops += not ready.file.drop_id
        ready.accept(ready.file.drop_id or self.drops, refused=bool(ready.refusal))
        errors = [error.refusal.code for block in blocks for error in block.errors]
        return (
            ready.file.name,
            [order.sid for block in blocks for order in block.orders],
            errors + ([ready.refusal.code] if ready.refusal else []),
        )


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_inbox_when_a_file_is_being_written_waits_until_it_is_quiet(folder):
    watch, path = Watch(folder), folder / "a.csv"
    with path.open("ab", buffering=0) as file:
        file.write(HEADER + ROW)
        assert watch.look() == []
        assert watch.look(0.2) == []
        file.write(ROW2)
        assert watch.look(0.2) == []
        assert watch.look(0.4) == [("a.csv", ["A1", "A2"], [])]
        assert watch.look(5) == []


def test_inbox_when_fin_is_there_takes_at_once_and_the_last_line_counts(folder):
    watch = Watch(folder)
    (folder / "a.csv").write_bytes(HEADER + ROW + ROW2[:-1])
    (folder / "a.csv.fin").touch()
    assert watch.look() == [("a.csv", ["A1", "A2"], [])]


def test_inbox_when_a_file_was_renamed_in_takes_it_at_once(folder):
    watch = Watch(folder)
    (folder / "a.csv.tmp").write_bytes(HEADER + ROW)
    os.rename(folder / "a.csv.tmp", folder / "a.csv")
    watch.inbox._watch = told = Told()
    told.tell("a.csv", moved=True)
    assert watch.look() == [("a.csv", ["A1"], [])]


@pytest.mark.parametrize("fin", [False, True])
def test_inbox_when_a_file_is_renamed_in_without_its_last_newline_asks_for_fin(folder, fin):
    watch = Watch(folder)
    if fin:
        (folder / "a.csv.fin").touch()
    (folder / "a.csv.tmp").write_bytes(HEADER + ROW + ROW2[:-1])
    if fin:
        os.utime(folder / "a.csv.tmp", (1_700_000_000, 1_700_000_000))
    os.rename(folder / "a.csv.tmp", folder / "a.csv")
    watch.inbox._watch = told = Told()
    told.tell("a.csv", moved=True)
    assert watch.look() == ([("a.csv", ["A1", "A2"], [])] if fin else [])
    assert watch.look(11) == ([] if fin else [("a.csv", ["A1"], [Code.ROW_TORN])])


def test_inbox_when_the_last_line_has_no_newline_waits_then_refuses_it_for_good(folder):
    watch, path = Watch(folder), folder / "a.csv"
    path.write_bytes(HEADER + ROW + b"A2,SHSE.600000,10")
    assert watch.look() == []
    assert watch.look(5) == []
    assert watch.look(6) == [("a.csv", ["A1"], [Code.ROW_TORN])]
    with path.open("ab") as file:
        file.write(b"00,1,1,10.35\nA3,SHSE.600000,100,1,1,10.35\n")
    assert watch.look() == []
    assert watch.look(1) == [("a.csv", ["A3"], [Code.ROW_TORN_REST])]


def test_inbox_when_a_followed_file_grows_takes_each_row_when_its_newline_is_there(folder):
    watch, path = Watch(folder), folder / f"{TODAY:%Y%m%d}.order.csv"
    path.write_bytes(HEADER + ROW + b"A2,SHSE")
    assert watch.look()[0][1:] == (["A1"], [])
    with path.open("ab") as file:
        file.write(b".600000,200,1,1,10.35\nA3,S")
    assert watch.look()[0][1:] == (["A2"], [])
    assert watch.look(0.5) == []


@pytest.mark.parametrize("truncate_first", [True, False])
def test_inbox_when_a_followed_file_is_rewritten_reads_it_from_the_beginning_once_quiet(
    folder, truncate_first
):
    watch, path = Watch(folder), folder / f"{TODAY:%Y%m%d}.order.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    if truncate_first:
        path.write_bytes(b"")
        assert watch.look(0.1) == []
    path.write_bytes(HEADER + ROW2 + ROW)
    assert watch.look(0.1) == []
    assert watch.look(0.1) == []
    assert watch.look(0.5)[0][1] == ["A2", "A1"]


def test_inbox_when_a_followed_file_is_recreated_reads_the_new_one(folder):
    watch, path = Watch(folder), folder / f"{TODAY:%Y%m%d}.order.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    path.unlink()
    watch.look(0.5)
    path.write_bytes(HEADER + ROW + ROW2)
    assert watch.look()[0][1] == ["A1", "A2"]


@pytest.mark.posix
def test_inbox_when_an_archived_file_is_still_written_to_finds_it(folder):
    watch, path = (
        Watch(folder / "inbox" if (folder / "inbox").mkdir() is None else folder),
        folder / "inbox" / "a.csv",
    )
    with path.open("ab", buffering=0) as file:
        file.write(HEADER + ROW)
        watch.look()
        watch.look(1)
        [ready] = watch.inbox.to_put_away(TODAY) if watch.look(3) == [] else []
        os.rename(path, folder / "a.csv")
        watch.inbox.put_away(ready, str(folder / "a.csv"))
        file.write(ROW2)
        assert watch.look(2) == [("a.csv", ["A2"], [])]
        assert watch.look(60) == []


@pytest.mark.parametrize("name", ["~$a.csv", ".a.csv", "a.csv.tmp", "a.part", "notes.txt"])
def test_inbox_when_a_name_is_none_of_our_business_leaves_it(folder, name):
    watch = Watch(folder)
    (folder / name).write_bytes(HEADER + ROW)
    watch.look()
    assert watch.look(60) == []


def test_inbox_when_a_name_is_a_link_or_no_file_refuses_it_unopened(folder):
    watch = Watch(folder)
    (folder / "target").write_bytes(HEADER + ROW)
    (folder / "a.csv").symlink_to(folder / "target")
    os.mkfifo(folder / "b.csv")
    assert sorted(watch.look()) == [("a.csv", [], [Code.FILE_LINK]), ("b.csv", [], [Code.FILE_LINK])]
    assert watch.look(60) == []


def test_inbox_when_a_sub_folder_is_a_link_does_not_enter_it(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.csv").write_bytes(HEADER + ROW)
    (folder / "strategy").symlink_to(outside)
    watch = Watch(folder)
    watch.look()
    assert watch.look(60) == []


def test_inbox_when_a_file_lies_in_a_sub_folder_knows_its_strategy(folder):
    (folder / "alpha").mkdir()
    watch = Watch(folder)
    (folder / "alpha" / "a.csv").write_bytes(HEADER + ROW)
    watch.look()
    watch.now += 1
    [take] = watch.inbox.collect(TODAY)
    assert (take.file.name, take.file.strategy) == ("alpha/a.csv", "alpha")


def test_inbox_when_a_file_is_from_another_day_refuses_it_at_start(folder):
    path = folder / "old.csv"
    path.write_bytes(HEADER + ROW)
    yesterday = path.stat().st_mtime - 86400 * 2
    os.utime(path, (yesterday, yesterday))
    inbox = Inbox(folder, InboxSettings(events=False))
    tomorrow = TODAY + timedelta(days=1)
    inbox.open(tomorrow)
    [refused] = inbox.collect(tomorrow)
    assert isinstance(refused, RefusedFile)
    assert refused.refusal.code is Code.FILE_STALE


def test_inbox_when_the_name_gives_another_day_refuses_or_waits(folder):
    watch = Watch(folder)
    (folder / "20200102.order.csv").write_bytes(HEADER + ROW)
    (folder / "20990102.order.csv").write_bytes(HEADER + ROW)
    assert watch.look() == [("20200102.order.csv", [], [Code.FILE_STALE])]
    assert watch.look(60) == []


@pytest.mark.parametrize(
    ("content", "settings", "code"),
    [
        (b"", {}, Code.FILE_EMPTY),
        (HEADER + ROW * 3, {"max_bytes": 100}, Code.FILE_TOO_LARGE),
        (HEADER + ROW * 3, {"max_rows": 2}, Code.FILE_TOO_MANY_ROWS),
        (b"sid,colour,symbol,volume,order_business\n", {}, Code.HEADER_UNKNOWN_COLUMN),
        (b"\xff\xff\xff,\xff\n", {}, Code.FILE_ENCODING),
    ],
)
def test_inbox_when_a_file_cannot_be_taken_refuses_it_whole(folder, content, settings, code):
    watch = Watch(folder, **settings)
    (folder / "a.csv").write_bytes(content)
    watch.look()
    assert watch.look(11) == [("a.csv", [], [code])]


@pytest.mark.posix
def test_inbox_when_a_file_cannot_be_read_tries_again_later(folder, monkeypatch):
    watch = Watch(folder)
    (folder / "a.csv").write_bytes(HEADER + ROW)
    watch.look()
    real_open = os.open

    def busy(path, *args, **kwargs):
        if str(path).endswith("a.csv"):
            raise PermissionError(13, "in use")
        return real_open(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", busy)
    assert watch.look(1) == []
    monkeypatch.undo()
    assert watch.look(1) == [("a.csv", ["A1"], [])]


@pytest.mark.parametrize("cut", range(len(HEADER + ROW + ROW2) + 1))
def test_inbox_when_a_file_is_cut_anywhere_never_gives_an_order_that_was_not_written(folder, cut):
    watch, content = Watch(folder), HEADER + ROW + ROW2
    (folder / "a.csv").write_bytes(content[:cut])
    watch.look()
    taken = [sid for _name, sids, _errors in watch.look(1) + watch.look(11) for sid in sids]
    whole_lines = content[:cut].count(b"\n")
    assert taken == ["A1", "A2"][: max(0, whole_lines - 1)]


def test_inbox_when_restarted_goes_on_behind_what_was_taken(folder):
    name = f"{TODAY:%Y%m%d}.order.csv"
    watch, path = Watch(folder), folder / name
    no_sid = b"symbol,volume,order_business,price\n600000.SH,100,1,10.35\n"
    path.write_bytes(no_sid)
    [(_, [first], _)] = watch.look()
    [watched] = watch.inbox._watched.values()
    again = Watch(folder)
    again.inbox.open(TODAY, [OpenDrop(1, name, TODAY, watched.file.position, watched.file.sid_space, False)])
    assert again.look() == []
    with path.open("ab") as file:
        file.write(b"600000.SH,100,1,10.35\n")
    [(_, [second], _)] = again.look(0.5)
    assert first != second, "the same line a second time is a second order"
    assert isinstance(TODAY, date)


def test_inbox_when_events_miss_a_file_the_scan_finds_and_counts_it(folder):
    now = [100.0]
    inbox = Inbox(folder, InboxSettings(), lambda: now[0])
    inbox._watch, inbox._started_day = Told(), TODAY  # events are on, and nobody tells
    (folder / "there at the start.csv").write_bytes(HEADER + ROW)
    inbox.collect(TODAY)
    assert inbox.found_by_scan_only == 0
    (folder / "missed.csv").write_bytes(HEADER + ROW)
    now[0] += 1
    inbox.collect(TODAY)
    now[0] += 1
    assert {take.file.name for take in inbox.collect(TODAY)} == {"there at the start.csv", "missed.csv"}
    assert inbox.found_by_scan_only == 1


def test_inbox_when_a_file_waits_for_its_day_then_it_counts_once_however_often_it_is_seen(folder):
    now = [100.0]
    inbox = Inbox(folder, InboxSettings(), lambda: now[0])
    inbox._watch, inbox._started_day = Told(), TODAY
    inbox.collect(TODAY)
    (folder / f"{TODAY + timedelta(days=1):%Y%m%d}.order.csv").write_bytes(HEADER + ROW)
    for _ in range(5):
        now[0] += 1
        assert inbox.collect(TODAY) == []
    assert inbox.found_by_scan_only == 1


def rewrite(path: Path, content: bytes) -> None:
    """In place, with size and time kept, as `rsync --inplace -t` and `cp -p` do."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def grow_while_read(monkeypatch, path: Path, row: bytes) -> None:
    """Once, right after the router has read from the file."""
    real, left = tail.read_at, [row]

    def read_at(handle, offset, size):
        data = real(handle, offset, size)
        if left and offset + size > len(HEADER):
            with path.open("ab") as file:
                file.write(left.pop())
        return data

    monkeypatch.setattr(tail, "read_at", read_at)


@pytest.mark.parametrize("small", [drop_file.SMALL, 10], ids=["at one go", "in pieces"])
def test_inbox_when_a_followed_file_grows_while_it_is_read_takes_row_by_row(folder, monkeypatch, small):
    monkeypatch.setattr(drop_file, "SMALL", small)
    name = f"{TODAY:%Y%m%d}.order.csv"
    watch, path = Watch(folder), folder / name
    path.write_bytes(HEADER + ROW)
    watch.look()
    [watched] = watch.inbox._watched.values()
    first = watched.file
    real = tail.pieces

    def pieces(handle, start, end):
        yield from real(handle, start, end)
        if small == 10 and path.stat().st_size == end:
            with path.open("ab") as file:
                file.write(ROW3)

    if small == 10:
        monkeypatch.setattr(tail, "pieces", pieces)
    else:
        grow_while_read(monkeypatch, path, ROW3)
    with path.open("ab") as file:
        file.write(ROW2)
    assert watch.look(0.01) == [(name, ["A2"], [])]
    monkeypatch.setattr(tail, "pieces", real)
    assert watch.look(0.01)[0][1][0] == "A3"
    assert watch.inbox._watched[name].file is first, "it was not begun again"


def test_inbox_when_a_basket_grows_while_it_is_read_for_the_first_time_waits_for_its_end(folder, monkeypatch):
    watch, path = Watch(folder), folder / "a.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    grow_while_read(monkeypatch, path, ROW2)
    assert watch.look(0.4) == []
    assert watch.look(0.1) == []
    assert watch.look(0.4) == [("a.csv", ["A1", "A2"], [])]


def test_inbox_when_a_basket_grows_while_its_later_rows_are_read_reads_no_row_again(folder, monkeypatch):
    watch, path = Watch(folder), folder / "a.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    assert watch.look(0.4) == [("a.csv", ["A1"], [])]
    with path.open("ab") as file:
        file.write(ROW2)
    assert watch.look(0.1) == []
    grow_while_read(monkeypatch, path, ROW3)
    assert watch.look(0.4) == [("a.csv", ["A2"], [])]
    assert watch.look(0.1) == []
    assert watch.look(0.4) == [("a.csv", ["A3"], [])]


def test_inbox_when_a_file_is_rewritten_while_it_is_read_takes_nothing_of_it(folder, monkeypatch):
    watch, path = Watch(folder), folder / f"{TODAY:%Y%m%d}.order.csv"
    path.write_bytes(HEADER + ROW)
    real = tail.read_at

    def read_at(handle, offset, size):
        data = real(handle, offset, size)
        path.write_bytes(HEADER + ROW2 + ROW3)
        return data

    monkeypatch.setattr(tail, "read_at", read_at)
    assert watch.look() == []
    monkeypatch.setattr(tail, "read_at", real)
    assert watch.look(0.5)[0][1] == ["A2", "A3"]


def test_inbox_when_a_file_begins_again_under_its_name_keeps_what_its_rows_are_known_by(folder):
    watch, path = Watch(folder, archive_after=60), folder / "a.csv"
    no_sid = b"symbol,volume,order_business,price\n600000.SH,100,1,10.35\n"
    path.write_bytes(no_sid)
    watch.look()
    [(_, first, _)] = watch.look(0.4)
    path.write_bytes(no_sid.replace(b"\n", b"\r\n"))  # saved anew by another program
    watch.look(0.1)
    assert watch.look(0.4) == []
    [(_, second, _)] = watch.look(0.4)
    assert first == second
    assert watch.drops == 2


@pytest.mark.posix
@pytest.mark.parametrize("name", ["a.csv", f"{TODAY:%Y%m%d}.order.csv"])
def test_inbox_when_a_taken_file_is_rewritten_with_size_and_time_kept_sees_it(folder, name, monkeypatch):
    watch, path = Watch(folder, archive_after=60), folder / name
    path.write_bytes(HEADER + ROW)
    if os.name == "nt":
        monkeypatch.setattr(reading.time, "monotonic", lambda: watch.now)
    watch.look()
    watch.look(0.4)
    rewrite(path, HEADER + ROW.replace(b"A1", b"B1"))
    watch.look(61)
    assert watch.look(0.4) == [(name, ["B1"], [])]


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize(
    "touch", [lambda path: path.chmod(0o600), lambda path: os.link(path, path.with_name("kept.bak"))]
)
def test_inbox_when_only_the_inode_of_a_taken_file_is_touched_takes_nothing_again(folder, touch, monkeypatch):
    watch, path = Watch(folder, archive_after=60), folder / "a.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    watch.look(0.4)
    touch(path)
    assert watch.look(1) == []
    monkeypatch.setattr(drop_file, "hash_of", None)
    assert watch.look(1) == [], "compared once"
    assert watch.drops == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize("first_seen", ["before the touch", "after it"])
def test_inbox_when_a_basket_is_touched_while_it_is_written_takes_it_whole(folder, first_seen):
    watch, path = Watch(folder), folder / "a.csv"
    with path.open("ab", buffering=0) as file:
        file.write(HEADER + ROW)
        if first_seen == "before the touch":
            assert watch.look() == []
        os.utime(path, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns - 200_000_000))
        path.chmod(0o600)
        os.link(path, folder / "backup.bak")
        assert watch.look(0.1) == []
        assert watch.look(0.14) == []
        file.write(ROW2)
        assert watch.look(0.1) == []
    assert watch.look(0.4) == [("a.csv", ["A1", "A2"], [])]


def test_inbox_when_a_file_is_written_anew_beside_the_fin_of_the_one_before_waits_for_its_own(folder):
    watch, path, fin = Watch(folder, archive_after=60), folder / "a.csv", folder / "a.csv.fin"
    path.write_bytes(HEADER + ROW)
    fin.touch()
    assert watch.look() == [("a.csv", ["A1"], [])]
    tick = fin.stat().st_mtime_ns
    for content in (b"", HEADER + ROW2[:-10]):  # within one tick of the clock
        path.write_bytes(content)
        os.utime(path, ns=(tick, tick))
        assert watch.look() == []
    path.write_bytes(HEADER + ROW2[:-1])
    os.utime(fin, ns=(tick + 10**10, tick + 10**10))
    assert watch.look(0.5) == []
    assert watch.look(0.01) == [("a.csv", ["A2"], [])]


def test_inbox_when_an_empty_file_has_a_fin_waits_until_it_is_quiet(folder):
    watch, path = Watch(folder), folder / "a.csv"
    path.touch()
    (folder / "a.csv.fin").touch()
    os.utime(folder / "a.csv.fin", ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
    assert watch.look() == []
    path.write_bytes(HEADER + ROW)
    os.utime(folder / "a.csv.fin")
    assert watch.look(0.01) == [("a.csv", ["A1"], [])]


def put_away(watch: Watch, path: Path, target: Path):
    [file] = watch.inbox.to_put_away(TODAY)
    path.rename(target)
    watch.inbox.put_away(file, str(target))


@pytest.mark.posix
@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (lambda path: rewrite(path, HEADER + ROW.replace(b"A1", b"B1")), False),
        (lambda path: path.write_bytes(b"x"), False),
        (lambda path: path.unlink(), True),
    ],
)
def test_inbox_when_an_archived_file_is_not_what_was_taken_says_so(folder, change, gone):
    (folder / "inbox").mkdir()
    watch, path, target = Watch(folder / "inbox"), folder / "inbox" / "a.csv", folder / "a.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    watch.look(0.4)
    watch.look(3)
    put_away(watch, path, target)
    watch.look(2)
    assert watch.inbox.altered == []
    if os.name == "nt":
        os.utime(target)
    change(target)
    watch.look(600)
    assert [(Path(one.path), one.gone) for one in watch.inbox.altered] == [(target, gone)]


def test_inbox_when_a_followed_file_is_rewritten_and_appended_to_without_a_pause_goes_on(folder):
    watch, path = Watch(folder), folder / f"{TODAY:%Y%m%d}.order.csv"
    path.write_bytes(HEADER + ROW)
    watch.look()
    path.write_bytes(HEADER + ROW2 + ROW)
    taken = []
    for number in range(8):
        taken += [sid for _name, sids, _errors in watch.look(0.1) for sid in sids]
        with path.open("ab") as file:
            file.write(ROW3.replace(b"A3", b"B%d" % number))
    assert taken[:2] == ["A2", "A1"]
    assert len(taken) > 4
    assert watch.drops == 2
