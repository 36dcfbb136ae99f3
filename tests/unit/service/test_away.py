"""How drops leave the inbox: each by itself, none twice, and what a crash broke off is done to its end."""

from __future__ import annotations

import pytest
from builders import a_clock
from routed_desk import Desk

from orderdrop.domain.refusal import Code, Refusal
from orderdrop.inbox.scanner import RefusedFile
from orderdrop.service import away
from orderdrop.system.grasp import held, take_hold

HEADER = "sid,symbol,volume,order_type,order_business,price\n"
ROW = "S1,SHSE.600000,100,1,1,10\n"


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path, clock=a_clock())
    yield made
    made.crash()


@pytest.fixture
def stuck(desk, monkeypatch):
    """A drop called stuck.csv cannot be moved until `mended` is set."""
    state = {"mended": False, "tried": 0}
    real = away.filing.put_away

    def put_away(source, *values):
        if source.name.startswith("stuck") and not state["mended"]:
            state["tried"] += 1
            raise PermissionError(13, "somebody has it open", str(source))
        return real(source, *values)

    monkeypatch.setattr(away.filing, "put_away", put_away)
    return state


def in_inbox(desk: Desk) -> list[str]:
    return sorted(path.name for path in desk.inbox.iterdir())


def noted(desk: Desk) -> dict[str, str]:
    return {row["name"]: row["archived_as"] for row in desk.query("SELECT name, archived_as FROM drops")}


def test_drop_when_one_cannot_be_moved_then_the_others_are_and_it_is_told(desk, stuck):
    desk.route({"stuck.csv": HEADER + ROW, "b.csv": HEADER + ROW.replace("S1", "S2")})
    assert in_inbox(desk) == ["stuck.csv"]
    assert [fault for fault in desk.app.chores.faults if "stuck.csv" in fault]
    assert noted(desk) == {"stuck.csv": None, "b.csv": "archive/2026-11-20/drops/b.csv"}


def test_drop_when_it_can_be_moved_again_then_it_is_and_its_rows_are_no_new_orders(desk, stuck):
    desk.route({"stuck.csv": HEADER + ROW})
    stuck["mended"] = True
    desk.route()
    assert in_inbox(desk) == []
    assert noted(desk) == {"stuck.csv": "archive/2026-11-20/drops/stuck.csv"}
    assert len(desk.at_broker()) == 1


def test_drop_when_it_cannot_be_moved_then_it_is_tried_less_often_each_time(desk, stuck):
    waits = []
    before = None
    for _ in range(9):
        before = away._KeptBack(OSError("x"), before)
        waits.append(before.wait)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert not before.is_due


def test_file_when_refused_unopened_and_cannot_be_moved_then_it_is_told_and_moved_later(desk, stuck):
    desk.route({"stuck.xls": b"MZ", "b.csv": HEADER + ROW})
    assert in_inbox(desk) == ["stuck.xls"]
    stuck["mended"] = True
    desk.route()
    assert in_inbox(desk) == []
    assert list(desk.kept("quarantine")) == ["stuck.xls"]


def test_file_when_refused_unopened_and_gone_by_itself_then_that_is_noted_and_no_fault(desk, monkeypatch):
    def gone(source, *_values):
        source.unlink()
        raise FileNotFoundError(2, "gone")

    monkeypatch.setattr(away.filing, "put_away", gone)
    desk.route({"2020-01-01_a.csv": b"MZ"})
    assert noted(desk) == {"2020-01-01_a.csv": ""}
    assert desk.app.chores.faults == []


# after a crash


def taken_not_put_away(desk: Desk, name: str = "a.csv") -> None:
    """The router takes a drop, and dies before its housekeeping."""
    desk.put({name: HEADER + ROW})
    app = desk.open()
    while not desk.query("SELECT id FROM drops"):
        app.router.step()
    desk.crash()


def tag_of(desk: Desk, name: str) -> str:
    [journal] = desk.query("SELECT value FROM meta WHERE key = 'journal_id'")
    status = (desk.inbox / name).stat()
    return f"{journal['value'][:8]}-1-{status.st_size}-{status.st_mtime_ns}"


def test_drop_when_the_crash_came_while_it_bore_our_name_then_it_is_put_away_at_the_next_start(desk):
    taken_not_put_away(desk)
    take_hold(desk.inbox / "a.csv", tag_of(desk, "a.csv"))
    desk.route()
    assert in_inbox(desk) == []
    assert list(desk.kept()) == ["drops/a.csv"]
    assert noted(desk) == {"a.csv": "archive/2026-11-20/drops/a.csv"}
    assert len(desk.at_broker()) == 1


def test_drop_when_it_was_written_to_while_it_bore_our_name_then_it_comes_back_and_is_another_drop(desk):
    taken_not_put_away(desk)
    own = take_hold(desk.inbox / "a.csv", tag_of(desk, "a.csv"))
    with own.open("ab") as file:
        file.write(ROW.replace("S1", "S2").encode())
    desk.route()
    assert sorted(sid for sid, *_rest in desk.at_broker()) == ["S1", "S2"]
    assert not list(held(desk.inbox))


def test_file_when_its_tag_is_of_another_journal_then_it_is_left_for_a_person(desk, caplog):
    taken_not_put_away(desk)
    own = take_hold(desk.inbox / "a.csv", "another1-1-5-5")
    desk.route()
    assert own.exists()
    assert "not of this journal" in caplog.text


def test_drop_when_the_crash_came_behind_the_move_then_where_it_stands_is_noted(desk):
    taken_not_put_away(desk)
    target = desk.root / "archive" / "2026-11-20" / "drops" / "a.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    (desk.inbox / "a.csv").rename(target)
    desk.route()
    assert noted(desk) == {"a.csv": "archive/2026-11-20/drops/a.csv"}


def test_drop_when_somebody_else_took_it_away_then_that_is_said_and_no_place_is_noted(desk, caplog):
    taken_not_put_away(desk)
    (desk.inbox / "a.csv").unlink()
    desk.route()
    assert noted(desk) == {"a.csv": ""}
    assert "taken out of the inbox by somebody else" in caplog.text


@pytest.mark.parametrize(
    ("name", "plain"), [("a.csv", "a.csv"), ("a:b\\c.csv", "a_b_c.csv"), ("... ", "unnamed")]
)
def test_name_when_hostile_then_one_that_any_file_system_takes_stands_for_it(name, plain):
    assert away._plain_name(RefusedFile("/inbox/x", name, Refusal(Code.FILE_NAME, value=name))) == plain
