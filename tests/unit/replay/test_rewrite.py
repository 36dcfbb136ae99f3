"""Drops that are written anew: with other sids, other accounts, or some of their rows only."""

from __future__ import annotations

from books import a_book
from builders import FRIDAY

from orderdrop.config.settings import Settings
from orderdrop.replay.rewrite import Changes, Rewritten, numbered, rewrite
from orderdrop.replay.source import Part, Played, Source
from orderdrop.system.clock import Micros, from_datetime

DAY = FRIDAY.date()
AT, LATER = from_datetime(FRIDAY), Micros(from_datetime(FRIDAY) + 60_000_000)
HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
NOTHING = Changes(None, {}, {})


def a_row(sid: str, account: str = "A", symbol: str = "SHSE.600000", volume: object = 100) -> str:
    return f"{sid},{account},{symbol},{volume},1,1,10.35\n"


def a_drop(name: str, *parts: str, header: str = HEADER) -> Played:
    texts = [header + parts[0], *parts[1:]]
    return Played(name, tuple(Part(Micros(AT + n), text.encode()) for n, text in enumerate(texts)), drop_id=1)


def rewritten(*drops: Played, settings=None, **changes) -> Rewritten:
    values = Settings.model_validate(settings or {})
    return rewrite(Source(DAY, list(drops), []), values, NOTHING._replace(**changes))


def sids(found: Rewritten) -> list[str]:
    return [cells[0] for cells in found.orders]


def test_drop_when_nothing_is_changed_then_it_says_the_same_and_knows_its_lines():
    found = rewritten(a_drop("a.csv", a_row("S1") + a_row("S2", volume=200)))
    [drop] = found.drops
    assert [cells[:4] for cells in found.orders] == [
        ("S1", "A", "SHSE.600000", "100"),
        ("S2", "A", "SHSE.600000", "200"),
    ]
    assert drop.content.decode().splitlines()[1].startswith("S1,A,SHSE.600000,100")
    assert (drop.name, drop.rows, found.left_out) == ("a.csv", (1, 2, 3), [])


def test_sids_when_new_ones_are_wanted_then_a_duplicate_stays_one_and_a_cancel_finds_its_order():
    found = rewritten(
        a_drop("a.csv", a_row("S1")),
        a_drop("b.csv", a_row("S1")),
        a_drop("x.cancel_order.csv", "S1\n", header="sid\n"),
        new_sid=numbered("R"),
    )
    assert sids(found) == ["R-0001", "R-0001"]
    assert found.drops[2].content == b"sid\nR-0001\n"


def test_cancel_when_its_order_is_not_played_then_it_is_not_either():
    found = rewritten(
        a_drop("a.csv", a_row("S1")),
        a_drop("x.cancel_order.csv", "S1\nS2\n", header="sid\n"),
        only={"sid": frozenset({"S2"})},
    )
    assert found.drops == []


def test_accounts_when_one_is_named_then_it_is_changed_and_the_rest_stays():
    found = rewritten(a_drop("a.csv", a_row("S1", "A") + a_row("S2", "B")), accounts={"A": "paper"})
    assert [cells[1] for cells in found.orders] == ["paper", "B"]


def test_accounts_when_every_other_one_is_named_then_all_are_changed():
    found = rewritten(
        a_drop("a.csv", a_row("S1", "A") + a_row("S2", "B")), accounts={"A": "one", "": "other"}
    )
    assert [cells[1] for cells in found.orders] == ["one", "other"]


def test_only_when_a_symbol_is_named_then_the_other_rows_are_left_and_the_lines_are_known():
    drop = a_drop("a.csv", a_row("S1") + a_row("S2", symbol="SZSE.000001") + a_row("S3"))
    [found] = rewritten(drop, only={"symbol": frozenset({"SZSE.000001"})}).drops
    assert found.rows == (1, 3)


def test_only_when_nothing_of_a_drop_is_left_then_it_is_not_played():
    assert rewritten(a_drop("a.csv", a_row("S1")), only={"drop": frozenset({"b.csv"})}).drops == []


def test_only_when_a_strategy_is_named_then_its_sub_folder_counts():
    found = rewritten(
        a_drop("grid/a.csv", a_row("S1")),
        a_drop("a.csv", a_row("S2")),
        only={"strategy": frozenset({"grid"})},
    )
    assert sids(found) == ["S1"]


def test_basket_when_a_row_cannot_be_read_then_it_is_left_out_whole_and_said():
    found = rewritten(a_drop("a.csv", a_row("S1") + a_row("S2", volume="1O0")), a_drop("b.csv", a_row("S3")))
    assert sids(found) == ["S3"]
    [(name, why)] = found.left_out
    assert name == "a.csv"
    assert "refused whole" in why


def test_basket_when_bad_rows_are_refused_one_by_one_then_the_others_are_played():
    found = rewritten(
        a_drop("a.csv", a_row("S1") + a_row("S2", volume="1O0")),
        settings={"inbox": {"on_bad_row": "reject-row"}},
    )
    assert sids(found) == ["S1"]
    assert "1 rows cannot be read" in found.left_out[0][1]


def test_followed_file_when_rows_came_at_two_instants_then_each_comes_at_its_own():
    drop = a_drop(f"{DAY:%Y%m%d}.order.csv", a_row("S1"), a_row("S2") + a_row("S3"))
    [found] = rewritten(drop, only={"sid": frozenset({"S1", "S3"})}).drops
    assert [part.at for part in found.parts] == [AT, AT + 1]
    assert [part.content[:2] for part in found.parts] == [b"S1", b"S3"]
    assert found.rows == (1, 2, 4)


def test_workbook_when_written_anew_then_it_is_a_csv_beside_its_name():

    drop = Played("篮子.xlsx", (Part(AT, a_book()),), drop_id=1)
    [found] = rewritten(drop, accounts={"": "paper"}).drops
    assert found.name == "篮子.xlsx.csv"
