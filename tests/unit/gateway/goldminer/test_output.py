from __future__ import annotations

import shutil
from decimal import Decimal
from itertools import pairwise

import pytest
from goldminer_writing import ACCOUNT, SAMPLES, Pushed, a_change, an_execution, text

from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Cursor

CHANGES, LATEST, FILLS = "order_status_change.csv", "order_status.csv", "execution_report.csv"
LIFE = [
    a_change(status=10, second=1),
    a_change(status=1, second=2),
    a_change(status=3, filled=1000, second=4),
]


@pytest.fixture
def pushed(tmp_path) -> Pushed:
    return Pushed(tmp_path)


def statuses(reports, sid="S1"):
    return [r.status for r in reports if isinstance(r, StatusReport) and r.sid == sid]


def fills(reports):
    return [(r.exec_id, r.volume) for r in reports if isinstance(r, Fill)]


# what stands in the vendor's files


def test_poll_when_the_samples_are_read_then_the_whole_story(tmp_path):
    shutil.copytree(SAMPLES / "out", tmp_path / "push")
    reports = Pushed(tmp_path).drain(limit=3)
    assert statuses(reports, "C9F20261120093101001") == [Status.PENDING_NEW, Status.NEW, Status.FILLED]
    assert statuses(reports, "C9F20261120093101002") == [Status.NEW, Status.PARTIALLY_FILLED]
    assert statuses(reports, "C9F20261120093101003") == [Status.REJECTED]
    assert statuses(reports, "") == [Status.NEW]
    assert fills(reports) == [("e1", 600), ("e2", 400), ("e3", 300)]
    refused = next(r for r in reports if isinstance(r, StatusReport) and r.code)
    assert (refused.code, refused.text) == (14, "[Counter] [EMC_PC]不支持该下单类型")


def test_account_when_the_samples_are_read_then_funds_and_holdings(tmp_path):
    shutil.copytree(SAMPLES / "out", tmp_path / "push")
    account = Pushed(tmp_path).output.account(ACCOUNT)
    assert account is not None
    assert (account.balance, account.available, account.frozen) == (
        Decimal("159235.35"), Decimal("157931.75"), Decimal("1303.60"),
    )  # fmt: skip
    assert [(p.symbol, p.volume, p.available) for p in account.positions] == [
        ("SHSE.600000", 3000, 2000),
        ("SZSE.000001", 900, 900),
    ]


def test_account_when_the_terminal_is_writing_then_the_last_good_one(pushed):
    pushed.write("cash.csv", b"account_id,available,balance\n" + f"{ACCOUNT},1,2\n".encode())
    assert pushed.output.account(ACCOUNT).balance == 2
    pushed.write("cash.csv", b"account_id,available,balance\n" + f"{ACCOUNT},1,22".encode())
    assert pushed.output.account(ACCOUNT).balance == 2
    pushed.write("cash.csv", b"account_id,available,balance\n" + f"{ACCOUNT},1,22\n".encode())
    assert pushed.output.account(ACCOUNT).balance == 22


def test_account_when_nobody_has_it_then_none(pushed):
    assert pushed.output.account("nobody") is None


def test_poll_when_a_fill_ends_an_order_at_the_same_instant_then_the_fill_comes_first(pushed):
    pushed.write(CHANGES, text([a_change(status=1, second=2), a_change(status=3, filled=1000, second=2)]))
    pushed.write(FILLS, text([an_execution(second=2)]))
    kinds = [r.status if isinstance(r, StatusReport) else type(r) for r in pushed.drain()]
    assert kinds == [Status.NEW, Fill, Status.FILLED]


def test_poll_when_a_cancel_is_refused_then_told_once(pushed):
    pushed.write(FILLS, text([an_execution(exec_type=19, exec_id="", ord_rej_reason=101)]))
    (no,) = pushed.drain()
    assert isinstance(no, CancelReject)


def test_poll_when_a_state_comes_back_then_told_again(pushed):
    """A refused cancel gives the order back: the third row is the first one once more, in a build without fractions."""
    pushed.write(CHANGES, text([a_change(status=1), a_change(status=6), a_change(status=1)]))
    assert statuses(pushed.drain()) == [Status.NEW, Status.PENDING_CANCEL, Status.NEW]


# files that grow


def test_poll_when_a_row_is_cut_then_it_is_told_when_it_is_whole_and_only_then(pushed):
    content = text([a_change(status=1), a_change(status=3, filled=1000, second=2)])
    pushed.write(CHANGES, content[:-4])
    assert statuses(pushed.drain()) == [Status.NEW]
    pushed.append(CHANGES, content[-4:])
    assert statuses(pushed.drain()) == [Status.FILLED]


def test_poll_when_the_header_comes_again_then_rows_are_read_by_the_new_one(pushed):
    moved = {name: LIFE[2][name] for name in [*list(LIFE[2])[:2], *reversed(list(LIFE[2])[2:])]}
    pushed.write(CHANGES, text(LIFE[:2]))
    pushed.append(CHANGES, text([moved], header=",".join(moved)))
    assert statuses(pushed.drain()) == [Status.PENDING_NEW, Status.NEW, Status.FILLED]


def test_poll_when_the_terminal_begins_a_new_file_then_old_rows_are_not_told_again(pushed):
    pushed.write(CHANGES, text(LIFE[:2]))
    pushed.write(FILLS, text([an_execution(exec_id="e1", volume=600)]))
    pushed.drain()
    pushed.write(CHANGES, text([dict(LIFE[0], order_id="late"), *LIFE[1:]]))
    pushed.write(
        FILLS, text([an_execution(exec_id="e2", volume=400), an_execution(exec_id="e1", volume=600)])
    )
    reports = pushed.drain()
    assert statuses(reports) == [Status.FILLED]
    assert fills(reports) == [("e2", 400)]


def test_poll_when_the_file_is_deleted_and_made_again_then_only_new_rows_are_told(pushed):
    pushed.write(CHANGES, text(LIFE[:2]))
    pushed.drain()
    (pushed.folder / CHANGES).unlink()
    assert pushed.drain() == []
    pushed.write(CHANGES, text(LIFE))
    assert statuses(pushed.drain()) == [Status.FILLED]


def test_poll_when_a_replaced_file_never_stands_still_then_it_is_believed_after_a_while(pushed):
    pushed.write(CHANGES, text(LIFE[:1]))
    pushed.drain()
    told = []
    for n in range(8):
        pushed.write(CHANGES, text([a_change(f"N{m}") for m in range(n + 1)]))
        told += pushed.poll()
    assert len(told) >= 5


# files that are rewritten


def test_latest_when_the_changes_have_told_it_then_nothing(pushed):
    pushed.write(CHANGES, text(LIFE))
    pushed.write(LATEST, text(LIFE[2:]))
    assert statuses(pushed.drain()) == [Status.PENDING_NEW, Status.NEW, Status.FILLED]


def test_latest_when_it_lags_behind_then_nothing(pushed):
    pushed.write(LATEST, text(LIFE[:1]))
    pushed.write(CHANGES, text(LIFE))
    assert statuses(pushed.drain()) == [Status.PENDING_NEW, Status.NEW, Status.FILLED]


def test_latest_when_there_are_no_changes_then_every_state_that_was_seen(pushed):
    told = []
    for row in LIFE:
        pushed.write(LATEST, text([row, a_change("S2")]))
        told += pushed.drain()
    assert statuses(told) == [Status.PENDING_NEW, Status.NEW, Status.FILLED]
    assert statuses(told, "S2") == [Status.NEW]


def test_latest_when_it_is_being_rewritten_then_it_waits_until_it_stands_still(pushed):
    pushed.write(LATEST, text([a_change(status=1)]))
    pushed.drain()
    half = text([a_change(status=3, filled=1000, second=2)])[:-10]
    pushed.write(LATEST, half)
    assert pushed.poll() == []
    pushed.write(LATEST, text([a_change(status=3, filled=1000, second=2)]))
    assert statuses(pushed.drain()) == [Status.FILLED]


# what does not read


def test_poll_when_rows_do_not_read_then_counted_and_the_others_told(pushed, caplog):
    bad = a_change("S2", status="x")
    short = dict(list(a_change("S3").items())[:-1])
    pushed.write(CHANGES, text([a_change("S1"), bad, bad, short, a_change("S4")]))
    assert [r.sid for r in pushed.drain()] == ["S1", "S4"]
    assert sorted(pushed.output.problems.counts.values()) == [1, 2]
    assert len(caplog.records) == 2
    assert {"S2", "S3"} <= pushed.output.seen


def test_poll_when_the_header_is_not_one_then_said_and_nothing_told(pushed, caplog):
    pushed.write(CHANGES, b"sid,status\nS1,1\n")
    assert pushed.drain() == []
    assert "header" in caplog.text
    assert not pushed.output.reads


def test_poll_when_other_folders_and_files_are_there_then_ignored(pushed):
    pushed.reborn(accounts=[ACCOUNT])
    pushed.write("func_response.csv", b"whatever\n")
    shutil.copytree(pushed.folder, pushed.root / f"{ACCOUNT} - Copy")
    (pushed.root / "archive").mkdir()
    pushed.write(CHANGES, text(LIFE))
    assert len(pushed.drain()) == 3
    assert list(pushed.output.folders) == [ACCOUNT]


def test_poll_when_no_account_is_named_then_every_one_is_welcome(pushed):
    (pushed.root / "acc-1").mkdir()
    pushed.drain()
    assert sorted(pushed.output.folders) == sorted([ACCOUNT, "acc-1"])


@pytest.mark.parametrize("name", ["600123456", "1a66e81cae5d11ecaef500163e0a4100", "sim"])
def test_poll_when_the_folder_is_an_account_then_read(tmp_path, name):
    pushed = Pushed(tmp_path, account=name)
    pushed.reborn(accounts=["sim"])
    pushed.write(CHANGES, text([a_change(account_id=name)]))
    assert [r.account_id for r in pushed.drain()] == [name]


def test_poll_when_an_account_appears_later_then_found(pushed):
    pushed.drain()
    other = Pushed(pushed.root.parent, account="600123456")
    other.write(CHANGES, text([a_change("S9", account_id="600123456")]))
    assert [r.sid for r in pushed.drain()] == ["S9"]


def test_poll_when_the_folder_is_gone_then_a_fault(pushed):
    shutil.rmtree(pushed.root)
    with pytest.raises(GatewayError):
        pushed.poll()
    with pytest.raises(GatewayError):
        pushed.output.open()


def test_poll_when_an_account_folder_is_gone_then_nothing(pushed):
    pushed.write(CHANGES, text(LIFE))
    pushed.drain()
    shutil.rmtree(pushed.folder)
    assert pushed.drain() == []


# the cursor


def test_poll_when_not_acknowledged_then_the_same_again(pushed):
    pushed.write(CHANGES, text(LIFE))
    first = pushed.output.poll(Cursor(""), 2)
    assert pushed.output.poll(Cursor(""), 2) == first
    rest, _ = pushed.output.poll(first[1], 2)
    assert statuses(rest) == [Status.FILLED]


def test_poll_when_asked_with_an_old_cursor_then_from_there(pushed):
    pushed.write(CHANGES, text(LIFE))
    pushed.write(FILLS, text([an_execution(second=4)]))
    everything = pushed.drain(limit=1)
    last, pushed.cursor = pushed.cursor, Cursor("")
    assert pushed.drain(limit=2) == everything
    assert pushed.cursor == last


@pytest.mark.parametrize("journaled", range(5))
def test_restart_when_some_was_journaled_then_the_rest_and_nothing_else(pushed, journaled):
    pushed.write(CHANGES, text(LIFE))
    pushed.write(FILLS, text([an_execution(second=4)]))
    everything = pushed.drain(limit=1)
    pushed.cursor = Cursor("")
    for _ in range(journaled):
        pushed.poll(limit=1)
    pushed.reborn()
    assert pushed.drain() == everything[journaled:]
    pushed.append(CHANGES, text([a_change("S2")]).split(b"\n", 1)[1])
    assert statuses(pushed.drain(), "S2") == [Status.NEW]


def test_restart_when_the_file_is_another_one_then_everything_in_it(pushed):
    pushed.write(CHANGES, text(LIFE[:2]))
    pushed.drain()
    pushed.write(CHANGES, text([a_change("S2"), a_change("S3"), a_change("S4")]))
    pushed.reborn()
    assert [r.sid for r in pushed.drain()] == ["S2", "S3", "S4"]


def test_cursor_when_a_file_is_gone_then_it_forgets_it(pushed):
    pushed.write(CHANGES, text(LIFE[:1]))
    pushed.write(FILLS, text([an_execution()]))
    pushed.drain()
    (pushed.folder / FILLS).unlink()
    pushed.append(CHANGES, text(LIFE[1:2]).split(b"\n", 1)[1])
    pushed.drain()
    assert FILLS not in pushed.cursor
    assert CHANGES in pushed.cursor


@pytest.mark.parametrize("cursor", ["17", "{}", "[1]", '[1,{"a":[1]}]', "[1,2]"])
def test_poll_when_the_cursor_is_not_ours_then_a_fault(pushed, cursor):
    with pytest.raises(GatewayError):
        pushed.output.poll(Cursor(cursor), 10)


# the proof of silence


def test_reads_when_everything_was_read_to_its_end_then_when_they_began_a_second_apart(pushed):
    pushed.write(CHANGES, text(LIFE))
    pushed.drain()
    for _ in range(50):
        pushed.poll()
    reads = list(pushed.output.reads)
    assert reads[-1] > pushed.clock.now() - 300_000
    assert len(reads) >= 9
    assert all(later - earlier >= 1_000_000 for earlier, later in pairwise(reads[:-1]))


def test_reads_when_a_row_is_cut_then_none_is_complete(pushed):
    pushed.write(CHANGES, text(LIFE)[:-3])
    pushed.drain()
    assert not pushed.output.reads


def test_alive_when_the_output_moves_then_the_earlier_bound(pushed):
    pushed.write(CHANGES, text(LIFE[:1]))
    pushed.poll()
    assert pushed.output.alive_at is None
    before = pushed.clock.now()
    pushed.poll()
    assert pushed.output.alive_at is None
    pushed.write("cash.csv", b"account_id,available,balance\n")
    pushed.poll()
    assert before <= pushed.output.alive_at < pushed.clock.now()


def test_mentions_when_a_sid_stands_anywhere_then_found_but_not_as_a_part_of_another(pushed):
    pushed.write(CHANGES, text([a_change("S10")]) + b"torn,S2")
    pushed.write("func_response.csv", b"error: S3 refused\n")
    pushed.drain()
    assert pushed.output.mentions(["S1", "S10", "S2", "S3", "S4"]) == {"S10", "S2", "S3"}


def test_mentions_when_it_was_seen_once_then_for_ever(pushed):
    pushed.write(CHANGES, text([a_change("S1")]))
    pushed.drain()
    (pushed.folder / CHANGES).unlink()
    assert pushed.output.mentions(["S1"]) == {"S1"}


def test_tells_orders_when_no_file_for_orders_is_there_then_false(pushed):
    pushed.write("cash.csv", b"account_id,available,balance\n")
    pushed.drain()
    assert not pushed.output.tells_orders(ACCOUNT)
    pushed.write(CHANGES, text(LIFE))
    pushed.drain()
    assert pushed.output.tells_orders(ACCOUNT)
    (pushed.folder / CHANGES).unlink()
    pushed.drain()
    assert not pushed.output.tells_orders(ACCOUNT)


def test_latest_states_when_another_scan_name_has_told_of_the_sid_later_then_ours_is_told_all_the_same(
    pushed,
):
    pushed.write(CHANGES, text([a_change("S1", 8, second=9.0, scan_name="theirs")]))
    pushed.write("order_status.csv", text([a_change("S1", 1, second=2.0)]))
    told = pushed.drain()
    assert {(report.scan_name, report.status) for report in told} == {
        ("theirs", Status.REJECTED), ("s01", Status.NEW),
    }  # fmt: skip
