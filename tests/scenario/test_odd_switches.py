"""A switch must not fail to halt for the sake of its name: any entry that begins with the word halts, and status says whom and why."""

import sys

import pytest

from orderdrop.config.settings import Settings
from orderdrop.inbox.switches import reason_in, switch_files

BASKET = "sid,account_id,symbol,volume,order_type,order_business,price\n{0},demo,SHSE.600000,100,1,1,10.35\n"
ODD = [
    "HALT",
    "halt",
    "Halt.txt",
    "HALT.txt.txt",
    "HALT (1)",
    "HALT - 副本.txt",
    "HALT.csv",
    "HALT.xlsx",
    "HALT.rtf",
    "HALT.md",
    "halt暂停.txt",
]
ONLY_THERE = [] if sys.platform == "win32" else ["HALT ", "Halt."]  # Windows takes such ends away by itself


def status_of(desk, name, sid):
    desk.route({name: BASKET.format(sid)})
    return desk.outcomes(name)[0][1:]


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("name", ODD + ONLY_THERE)
def test_switch_when_its_name_is_odd_halts_all_as_a_file_and_as_a_folder(desk, name, folder):
    one = desk(accounts={"demo": {"alias": "main"}, "other": {}})
    path = one.inbox / name
    path.mkdir() if folder else path.write_text("why")
    assert status_of(one, "a.csv", "A1") == ("denied", "HALTED")
    path.rmdir() if folder else path.unlink()
    assert status_of(one, "b.csv", "A1") == ("filled", "")


@pytest.mark.parametrize("name", ["HALTED.csv", "halter.csv", "reduced.csv", "Reducer"])
def test_switch_when_the_word_goes_on_is_none(desk, name):
    one = desk(accounts={"demo": {}})
    (one.inbox / name.removesuffix(".csv")).mkdir()
    assert status_of(one, "a.csv", "A1") == ("filled", "")


@pytest.mark.parametrize("name", ["HALT.demo", "HALT.main", "HALT.Main.txt", "halt.DEMO", "HALT.demo "])
def test_switch_when_it_names_an_account_that_is_known_halts_that_one(desk, name):
    one = desk(accounts={"demo": {"alias": "main"}, "other": {}})
    (one.inbox / name).mkdir()
    assert status_of(one, "a.csv", "A1") == ("denied", "HALTED_SCOPE")
    one.route({"b.csv": BASKET.format("B1").replace("demo", "other")})
    assert one.statuses() == {"B1": "filled"}


def test_switch_when_no_account_is_named_in_the_settings_then_one_that_has_traded_is_known(desk):
    one = desk()
    (one.inbox / "HALT.demo").touch()
    assert status_of(one, "a.csv", "A1") == ("denied", "HALTED"), "nobody has heard of it, so all is halted"
    (one.inbox / "HALT.demo").unlink()
    assert status_of(one, "b.csv", "A1") == ("filled", "")
    (one.inbox / "HALT.demo").touch()
    assert status_of(one, "c.csv", "C1") == ("denied", "HALTED_SCOPE")
    one.restart()
    assert status_of(one, "d.csv", "D1") == ("denied", "HALTED_SCOPE")
    one.route({"e.csv": BASKET.format("E1").replace("demo", "other")})
    assert one.statuses()["E1"] == "filled"


def test_reduce_when_its_name_is_odd_binds_as_halt_does(desk):
    one = desk(accounts={"demo": {}})
    (one.inbox / "Reduce (1).md").mkdir()
    assert status_of(one, "a.csv", "A1") == ("denied", "REDUCING")


@pytest.mark.parametrize("name", ["HALT", "halt.demo", "HALT - 副本"])
def test_switch_when_in_a_strategys_folder_halts_that_strategy(desk, name):
    one = desk(accounts={"demo": {}})
    (one.inbox / "alpha" / name).mkdir(parents=True)
    one.route({"alpha/a.csv": BASKET.format("A1"), "b.csv": BASKET.format("B1")})
    assert one.outcomes("alpha/a.csv")[0][1:] == ("denied", "HALTED_SCOPE")
    assert one.statuses() == {"B1": "filled"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_switch_when_it_cannot_be_read_is_one_all_the_same(tmp_path):
    (tmp_path / "HALT").symlink_to(tmp_path / "nowhere")
    ((path, _key, _state),) = switch_files(tmp_path)
    assert reason_in(path) == ""


def test_reason_when_a_switch_is_a_book_or_long_is_short_and_harmless(tmp_path):
    (tmp_path / "HALT.csv").write_bytes(b"why \x1b[2J\r\n" + b"x" * 10_000)
    (tmp_path / "HALT").mkdir()
    reasons = [reason_in(path) for path, _key, _state in switch_files(tmp_path)]
    assert reasons[0] == ""
    assert reasons[1].startswith("why ?[2J xxx")
    assert len(reasons[1]) < 500


def test_settings_when_none_then_the_paper_account_is_known(desk):
    assert Settings().accounts == {}
    one = desk()
    (one.inbox / "HALT.paper").touch()
    one.route({"a.csv": BASKET.format("A1")})
    assert one.statuses() == {"A1": "filled"}
