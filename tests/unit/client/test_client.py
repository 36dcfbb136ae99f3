from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from command_line import BAD, GOOD, a_file, a_workspace, dropped, routed
from command_line import orderdrop as command

import orderdrop
from orderdrop.archive import filing
from orderdrop.config.sources import load
from orderdrop.domain.order import OrderRow
from orderdrop.errors import ConfigError
from orderdrop.service.app import App
from orderdrop.system.clock import SystemClock, trade_date
from orderdrop.system.grasp import Seen

ROW = {"sid": "S1", "symbol": "SHSE.600000", "volume": 100, "order_business": 1, "price": "10.35"}
TODAY = f"{trade_date(SystemClock().now()):%Y%m%d}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return a_workspace(tmp_path)


@contextmanager
def a_router(workspace: Path) -> Iterator[None]:
    stop = threading.Event()
    with App(*load(workspace)) as app:
        thread = threading.Thread(target=app.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def orders_of(workspace: Path) -> list[dict]:
    return json.loads(command("orders", "--json", at=workspace).stdout)


def _names(workspace: Path) -> list[str]:
    return sorted(path.name for path in (workspace / "inbox").rglob("*") if path.is_file())


# drop


def test_drop_of_rows_writes_the_cards_columns(workspace: Path) -> None:
    path = orderdrop.drop([ROW | {"remark": 'a "b", c'}], workspace)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "sid,account_id,symbol,volume,order_type,order_business,price,remark,strategy",
        'S1,,SHSE.600000,100,1,1,10.35,"a ""b"", c",',
    ]
    assert path.name.startswith(TODAY)
    assert path.name.endswith(".order.csv")


def test_drop_of_a_file_keeps_its_bytes_and_name(workspace: Path, tmp_path: Path) -> None:
    source = a_file(tmp_path, "手工篮子.csv", GOOD, "gbk")
    path = orderdrop.drop(source, workspace)
    assert path == workspace / "inbox" / "手工篮子.csv"
    assert path.read_bytes() == source.read_bytes()
    assert source.exists()


@pytest.mark.parametrize("name", ["basket.csv", "x.cancel_order.csv", "20990101.order.csv"])
def test_name_that_is_taken_is_never_replaced(workspace: Path, name: str) -> None:
    first = orderdrop.drop([ROW], workspace, name=name)
    before = first.read_bytes()
    second = orderdrop.drop([ROW | {"sid": "S2"}], workspace, name=name)
    assert first.read_bytes() == before
    stem, _, ending = name.partition(".")
    assert second.name.startswith(f"{stem}~")
    assert second.name.endswith(f".{ending}")


def test_drop_of_a_frame(workspace: Path) -> None:
    frame = pd.DataFrame(
        {
            "sid": ["S1", "S2"], "symbol": ["SHSE.600000", "SZSE.000001"], "volume": [100, 200], "order_business": [1, 2],
            "order_type": [1, 2], "price": [10.35, None],
        }
    )  # fmt: skip
    lines = orderdrop.drop(frame, workspace).read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["S1,,SHSE.600000,100,1,1,10.35,,", "S2,,SZSE.000001,200,2,2,,,"]


def test_drop_of_order_rows(workspace: Path) -> None:
    row = OrderRow(symbol="SHSE.600000", volume=100, order_business=1, price=Decimal("1E+1"))
    assert (
        orderdrop.drop([row], workspace).read_text(encoding="utf-8").splitlines()[1]
        == ",,SHSE.600000,100,1,1,10,,"
    )


def test_drop_into_a_strategy(workspace: Path) -> None:
    assert orderdrop.drop([ROW], workspace, strategy="alpha").parent == workspace / "inbox" / "alpha"


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"volume": 0}, "order 2: volume"),
        ({"order_business": 3}, "order 2: order_business"),
        ({"symbol": 700000}, "order 2: symbol"),
        ({"price": "-1"}, "order 2: price"),
        ({"side": "buy"}, "HEADER_TWICE"),
        ({"sid": "a b"}, "order 2: sid"),
        ({"remark": "two\nlines"}, "order 2: 含有换行 / holds a line break"),
    ],
)
def test_row_that_is_no_order_is_named_and_nothing_is_written(
    workspace: Path, over: dict, words: str
) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match=words):
        orderdrop.drop([ROW, ROW | over], workspace)
    assert _names(workspace) == []


def test_drop_of_nothing_is_an_error(workspace: Path) -> None:
    with pytest.raises(ValueError, match="there are no orders"):
        orderdrop.drop([], workspace)


@pytest.mark.parametrize("name", ["a.docx", ".a.csv", "a.csv.tmp", "~$a.csv", "20200101.order.csv"])
def test_name_that_the_router_would_never_take(workspace: Path, name: str) -> None:
    with pytest.raises((orderdrop.Refused, orderdrop.InvalidOrder)):
        orderdrop.drop([ROW], workspace, name=name)
    assert _names(workspace) == []


@pytest.mark.parametrize("name", ["../a.csv", "a/b.csv", "a\\b.csv", "c:a.csv", ""])
def test_name_never_leaves_the_inbox(workspace: Path, name: str) -> None:
    with pytest.raises(orderdrop.InvalidOrder):
        orderdrop.drop([ROW], workspace, name=name or ".")
    with pytest.raises(orderdrop.InvalidOrder):
        orderdrop.drop([ROW], workspace, strategy=name)


def test_file_without_a_last_newline_is_marked_as_whole(workspace: Path, tmp_path: Path) -> None:
    orderdrop.drop(a_file(tmp_path, "a.csv", GOOD.rstrip("\n")), workspace)
    assert _names(workspace) == ["a.csv", "a.csv.fin"]
    routed(workspace)
    assert orderdrop.wait("G-2", "partially_filled", 0, workspace).volume == 200


def test_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="orderdrop init"):
        orderdrop.drop([ROW], tmp_path)


def test_file_that_is_too_large_is_refused_at_once(workspace: Path, tmp_path: Path) -> None:
    (workspace / "orderdrop.toml").write_text("[inbox]\nmax_bytes = 10\n", encoding="utf-8")
    with pytest.raises(orderdrop.Refused) as refused:
        orderdrop.drop(a_file(tmp_path, "a.csv", GOOD), workspace)
    assert refused.value.code == "FILE_TOO_LARGE"


def test_drop_that_fails_leaves_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "fsync", lambda _handle: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match="No space"):
        orderdrop.drop([ROW], workspace)
    assert list((workspace / "inbox").iterdir()) == []


def test_name_that_a_dead_client_left_half_made_is_passed_over(workspace: Path) -> None:
    (workspace / "inbox" / ".a.csv.tmp").touch()
    assert orderdrop.drop([ROW], workspace, name="a.csv").name.startswith("a~")


def _drop_many(workspace: Path, number: int) -> None:
    for count in range(20):
        orderdrop.drop([ROW | {"sid": f"P{number}-{count}"}], workspace, name="same.csv")


def _append_many(workspace: Path, number: int) -> None:
    for count in range(20):
        orderdrop.append([ROW | {"sid": f"P{number}-{count}-{n}"} for n in range(3)], workspace)


def _in_processes(work, workspace: Path) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=work, args=(workspace, n)) for n in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def test_many_processes_drop_under_one_name_and_none_is_lost(workspace: Path) -> None:
    _in_processes(_drop_many, workspace)
    sids = {path.read_text().splitlines()[1].partition(",")[0] for path in (workspace / "inbox").iterdir()}
    assert len(sids) == 80


# append


def test_many_processes_append_whole_rows(workspace: Path) -> None:
    _in_processes(_append_many, workspace)
    lines = (workspace / "inbox" / f"{TODAY}.order.csv").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("sid,") for line in lines) == 1
    assert len({line.partition(",")[0] for line in lines[1:]}) == len(lines) - 1 == 240


def _append_thousands(workspace: Path, number: int) -> None:
    for count in range(100):
        rows = [ROW | {"sid": f"P{number}-{count}-{n}"} for n in range(20)]
        orderdrop.append(rows, workspace, name="mine.csv")


def test_processes_that_append_while_the_file_is_put_away_again_and_again_lose_nothing(
    workspace: Path,
) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_append_thousands, args=(workspace, n)) for n in range(2)]
    for writer in writers:
        writer.start()
    file, kept = workspace / "inbox" / "mine.csv", workspace / "kept"
    number = 0
    while any(writer.is_alive() for writer in writers):
        number += 1
        with contextlib.suppress(FileNotFoundError):
            filing.put_away(file, kept, file.name, f"journal-{number}", number, Seen.of(file.stat()))
    assert [writer.exitcode for writer in writers] == [0, 0]
    files = [
        path.read_text(encoding="utf-8").splitlines()
        for path in [*kept.iterdir(), *(workspace / "inbox").glob("mine*.csv")]
    ]
    headers = [sum(line.startswith("sid,") for line in lines) for lines in files]
    sids = [line.partition(",")[0] for lines in files for line in lines if not line.startswith("sid,")]
    assert set(headers) == {1}
    assert len(set(sids)) == len(sids) == 2 * 100 * 20


def test_append_makes_the_sids_that_are_missing(workspace: Path) -> None:
    without = {key: value for key, value in ROW.items() if key != "sid"}
    given = orderdrop.append([without, ROW], workspace)
    assert given[0].sid
    assert given[1].sid == "S1"
    orderdrop.append(given, workspace)
    routed(workspace)
    assert orderdrop.wait(str(given[0].sid), "filled", 0, workspace).row == 2


def test_append_behind_a_torn_line_never_completes_it(workspace: Path) -> None:
    orderdrop.append([ROW], workspace)
    file = workspace / "inbox" / f"{TODAY}.order.csv"
    with file.open("ab") as other:
        other.write(b"TORN,,SHSE.600000,1000,1,1,10.35,,")
    orderdrop.append([ROW | {"sid": "S2"}], workspace)
    routed(workspace)
    assert orderdrop.wait("S2", "filled", 0, workspace).row == 4
    with pytest.raises(orderdrop.Refused) as refused:
        orderdrop.wait("TORN", None, 0, workspace)
    assert refused.value.code == "ROW_FIELDS"


def test_append_leaves_another_programs_file_alone(workspace: Path) -> None:
    file = a_file(workspace / "inbox", f"{TODAY}.order.csv", GOOD)
    with pytest.raises(orderdrop.InvalidOrder, match="header"):
        orderdrop.append([ROW], workspace)
    assert file.read_text(encoding="utf-8") == GOOD


def test_append_to_a_file_of_another_name(workspace: Path) -> None:
    orderdrop.append([ROW], workspace, name="mine.csv")
    assert "mine.csv" in _names(workspace)


# cancel and wait


def test_cancel_is_a_drop(workspace: Path) -> None:
    path = orderdrop.cancel("S1", workspace)
    assert path.name.endswith(".cancel_order.csv")
    assert path.read_text(encoding="utf-8") == "sid,comment\nS1,\n"
    assert orderdrop.cancel(["S1", "S2"], workspace).read_text(encoding="utf-8").count("\n") == 3
    with pytest.raises(orderdrop.InvalidOrder):
        orderdrop.cancel([], workspace)


def test_wait_returns_the_finished_order(workspace: Path) -> None:
    with a_router(workspace):
        orderdrop.drop([ROW], workspace)
        order = orderdrop.wait("S1", timeout=60, workspace=workspace)
    assert (order.status, order.filled_volume) == ("filled", 100)


def test_wait_for_a_status_that_is_over_already(workspace: Path) -> None:
    with a_router(workspace):
        orderdrop.drop([ROW], workspace)
        assert orderdrop.wait("S1", "submitting", 10, workspace).sid == "S1"
        with pytest.raises(TimeoutError, match="will not be canceled"):
            orderdrop.wait("S1", "canceled", 10, workspace)


@pytest.mark.parametrize(
    ("sid", "code"), [("B-1", "NOT_SENT"), ("B-2", "LOT_SIZE"), ("B-3", "VALUE_MISSING")]
)
def test_wait_for_a_row_that_was_refused(workspace: Path, sid: str, code: str) -> None:
    dropped(workspace, "bad.csv", BAD)
    with pytest.raises(orderdrop.Refused) as refused:
        orderdrop.wait(sid, timeout=0, workspace=workspace)
    assert (refused.value.code, bool(refused.value.reason), bool(refused.value.remedy)) == (code, True, True)


def test_wait_does_not_hold_an_old_refusal_against_a_row_that_waits(workspace: Path) -> None:
    dropped(workspace, "bad.csv", BAD)
    orderdrop.drop([ROW | {"sid": "B-2"}], workspace)
    with pytest.raises(TimeoutError):
        orderdrop.wait("B-2", timeout=0, workspace=workspace)
    routed(workspace)
    assert orderdrop.wait("B-2", timeout=0, workspace=workspace).status == "filled"


def test_wait_for_a_sid_that_was_used_for_something_else(workspace: Path) -> None:
    dropped(workspace, "good.csv", GOOD)
    orderdrop.drop([ROW | {"sid": "G-1", "volume": 900}], workspace)
    routed(workspace)
    with pytest.raises(orderdrop.Refused) as refused:
        orderdrop.wait("G-1", timeout=0, workspace=workspace)
    assert refused.value.code == "SID_CONFLICT"


def test_wait_for_denied_is_no_refusal(workspace: Path) -> None:
    dropped(workspace, "bad.csv", BAD)
    assert orderdrop.wait("B-2", "denied", 0, workspace).reason_code == "LOT_SIZE"


def test_wait_in_vain(workspace: Path) -> None:
    with pytest.raises(TimeoutError, match="is the router running"):
        orderdrop.wait("S1", timeout=0.1, workspace=workspace)
    with pytest.raises(ValueError, match="finished"):
        orderdrop.wait("S1", "finished", 0, workspace)


# the package's door


def test_importing_the_package_costs_nothing_and_its_drop_is_both() -> None:
    code = (
        "import sys, orderdrop; assert not {'click', 'pydantic', 'sqlalchemy', 'pandas'} & set(sys.modules);"
        "import orderdrop.inbox.names as names; assert callable(orderdrop.drop) and names.read_name;"
        "orderdrop.append, orderdrop.wait; assert 'pandas' not in sys.modules and 'sqlalchemy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError):
        _ = orderdrop.nothing


def test_new_sids_differ() -> None:
    assert len({orderdrop.new_sid() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "row",
    [
        {"代码": "600000", "方向": "买入", "数量": 100, "价格": 10.35},
        {"code": "sh.600000", "side": "buy", "qty": "100", "price": "10.35"},
        {
            "证券代码": "600000.SSE",
            "操作": "限价买入",
            "委托量": "100",
            "委托价": 10.35,
            "名称": "浦发银行",
            "金额": 1035,
        },
        {"市场": "上海", "代码": "600000", "方向": "B", "股数": 100, "价格": Decimal("10.35")},
    ],
)
def test_drop_takes_the_names_and_words_that_a_csv_header_knows(workspace: Path, row: dict) -> None:
    orderdrop.drop([row], workspace)
    routed(workspace)
    (order,) = orders_of(workspace)
    assert (order["symbol"], order["side"], order["volume"], order["price"]) == (
        "SHSE.600000",
        "buy",
        100,
        "10.35",
    )


def test_drop_tells_wrong_columns_once_however_many_rows_there_are(workspace: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder) as raised:
        orderdrop.drop(
            [{"代码": "600000", "方向": "买", "数量": 100, "价格": 10, "止损价": 9}] * 100, workspace
        )
    assert str(raised.value).count("止损价") == 2  # in Chinese and in English
    assert "\n" not in str(raised.value)


def test_drop_of_a_side_that_is_none_names_the_row(workspace: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="order 2: 方向"):
        orderdrop.drop(
            [{"代码": "600000", "方向": word, "数量": 100, "价格": 10} for word in ("买", "平仓")], workspace
        )


def test_drop_of_a_missing_file_is_our_own_error(workspace: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="no such file"):
        orderdrop.drop("篮子.csv", workspace)


def test_buy_and_sell_are_one_line_and_their_sid_is_waited_for(workspace: Path) -> None:
    bought = orderdrop.buy("600000", 1000, price=10.35, workspace=workspace)
    sold = orderdrop.sell("000002.SZ", 200, price="9.10", sid="S-1", remark="减仓", workspace=workspace)
    routed(workspace)
    first, second = (next(one for one in orders_of(workspace) if one["sid"] == sid) for sid in (bought, sold))
    assert (first["symbol"], first["side"], first["volume"], first["price"], first["order_type"]) == (
        "SHSE.600000",
        "buy",
        1000,
        "10.35",
        1,
    )
    assert (second["side"], second["remark"], second["sid"]) == ("sell", "减仓", "S-1")


def test_buy_without_a_price_has_to_name_the_kind_of_market_order(workspace: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="order_type"):
        orderdrop.buy("600000", 1000, workspace=workspace)
    assert _names(workspace) == []


def test_market_word_of_a_side_is_a_market_order(workspace: Path) -> None:
    path = orderdrop.drop([{"代码": "600000", "方向": "市价买入", "数量": 100}], workspace)
    assert path.read_text().splitlines()[1].split(",")[4:6] == ["2", "1"]


def test_market_word_of_a_side_that_contradicts_the_type_is_refused(workspace: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="市价"):
        orderdrop.drop(
            [{"代码": "600000", "方向": "市价买入", "数量": 100, "委托类型": "限价", "价格": 1}], workspace
        )


def written(workspace: Path, orders: object) -> list[str]:
    return orderdrop.drop(orders, workspace).read_text(encoding="utf-8").splitlines()[1:]


LINE = ",,SHSE.600000,1000,1,1,10.35,,"
FRAME = pd.DataFrame([["600000", "买入", 1000, 10.35]], columns=["代码", "方向", "数量", "价格"])


@pytest.mark.parametrize(
    "orders",
    [
        FRAME,
        FRAME.set_index("代码"),
        FRAME.assign(代码=600000.0, 数量=1000.0),
        FRAME.assign(价格=10.350000000000001),
        FRAME.rename(columns={"方向": "side", "数量": "qty"}).reset_index(names="Unnamed: 0"),
        FRAME.assign(备注=float("nan"), 不早于=pd.NaT, 编号=pd.NA),
        FRAME.iloc[0],
        FRAME.to_dict("records"),
        FRAME.to_dict("list"),
        {"代码": "\t600000", "方向": "限价买入", "数量": "1,000", "价格": "10.35"},
    ],
)
def test_drop_takes_what_holds_orders_as_it_is(workspace: Path, orders: object) -> None:
    assert written(workspace, orders) == [LINE]


def test_drop_of_numbers_that_name_something_takes_their_digits(workspace: Path) -> None:
    rows = [
        {"账户": 8881234567.0, "编号": 17, "代码": 2, "方向": 2.0, "数量": 100, "价格": 9, "不早于": "9:31"}
    ]
    assert written(workspace, rows) == ["17,8881234567,SZSE.000002,100,1,2,9,,,09:31:00,"]


@pytest.mark.parametrize("orders", [None, [("600000", "buy", 100, 10)], 7, ["600000"]])
def test_drop_of_what_holds_no_orders_says_how_to_write_them(workspace: Path, orders: object) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="DataFrame"):
        orderdrop.drop(orders, workspace)


def test_drop_of_a_folder_is_our_own_error(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="not a file"):
        orderdrop.drop(tmp_path, workspace)


def test_what_is_wrong_with_many_rows_is_told_once_with_their_numbers(workspace: Path) -> None:
    with pytest.raises(orderdrop.InvalidOrder) as raised:
        orderdrop.drop([{"代码": "600000", "方向": "做多", "数量": 100, "价格": 10}] * 700, workspace)
    (line,) = str(raised.value).splitlines()
    assert "orders 1, 2, 3, 4, 5… (700 in all)" in line


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"价格": None}, "price"),
        ({"价格": 0}, "price"),
        ({"价格": "10.12345"}, "价格"),
        ({"价格": "1e3"}, "价格"),
        ({"数量": 100.5}, "数量"),
        ({"数量": True}, "数量"),
        ({"代码": "XX.600000"}, "代码"),
        ({"代码": None}, "symbol"),
        ({"方向": None}, "order_business"),
    ],
)
def test_row_that_says_too_little_or_too_much_is_refused(workspace: Path, cells: dict, said: str) -> None:
    row = {"代码": "600000", "方向": "买入", "数量": 100, "价格": 10} | cells
    with pytest.raises(orderdrop.InvalidOrder, match=f"order 1: {said}"):
        orderdrop.drop([row], workspace)
    assert _names(workspace) == []


@pytest.mark.parametrize("price", [None, 0, float("nan")])
def test_buy_without_a_price_writes_nothing(workspace: Path, price: float | None) -> None:
    with pytest.raises(orderdrop.InvalidOrder, match="price"):
        orderdrop.buy("600000", 100, price, workspace=workspace)
    assert _names(workspace) == []
