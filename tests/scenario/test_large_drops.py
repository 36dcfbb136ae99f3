"""A large drop goes in block by block, without a look at each sid; what is told of it is what a small one is told."""

import pytest
from routed_desk import TODAY

from orderdrop.inbox import drop_file
from orderdrop.intake import reader
from orderdrop.system.clock import FixedClock, SystemClock, to_datetime

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
EARLIER = ("A1", "A2", "A3")
NEW = ("N1", "N2", "N3", "N4", "N5")


def drop(*rows: str | tuple[str, int]) -> str:
    pairs = ((row, 100) if isinstance(row, str) else row for row in rows)
    return HEADER + "".join(f"{sid},acc,SHSE.600000,{volume},1,1,10.35\n" for sid, volume in pairs)


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    if request.param == "large":
        monkeypatch.setattr(drop_file, "SMALL", 10)
        monkeypatch.setattr(reader, "BLOCK_ROWS", 2)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (NEW, ["filled"] * 5),
        ((*NEW, "A2"), ["filled"] * 5 + ["duplicate"]),
        (("A2", *NEW), ["duplicate"] + ["filled"] * 5),
        ((*NEW, "N1", "N5"), ["filled"] * 5 + ["duplicate"] * 2),
        ((*NEW, ("A2", 200)), ["filled"] * 5 + ["error"]),
        ((*NEW, ("N1", 200)), ["filled"] * 5 + ["error"]),
        ((*NEW, ("A2", 150)), ["filled"] * 5 + ["error"]),
        ((*NEW, ("X1", 150)), ["filled"] * 5 + ["denied"]),
        ((*NEW, ("A2", 150), "A3"), ["filled"] * 5 + ["error", "duplicate"]),
        ((*NEW, ("X1", 150), "A3", "A1"), ["filled"] * 5 + ["denied", "duplicate", "duplicate"]),
    ],
)
def test_drop_when_small_or_large_is_told_the_same(desk, rows, told):
    router = desk(inbox={"on_bad_row": "reject-row"}).route({"earlier.csv": drop(*EARLIER)})
    router.route({"basket.csv": drop(*rows)})
    assert [outcome for _sid, outcome, _code in router.outcomes("basket.csv")] == told
    assert sorted(sid for sid, *_ in router.at_broker()) == sorted({*EARLIER, *NEW})
    assert [event["event"] for event in router.query("SELECT event FROM events")].count("submitting") == 8


@pytest.mark.usefixtures("size")
def test_basket_when_a_sid_is_taken_by_another_order_goes_not_at_all(desk):
    router = desk().route({"earlier.csv": drop(*EARLIER)})
    router.route({"basket.csv": drop(*NEW, ("A2", 200))})
    assert [code for _sid, _outcome, code in router.outcomes("basket.csv")] == ["NOT_SENT"] * 5 + [
        "SID_CONFLICT"
    ]
    assert sorted(sid for sid, *_ in router.at_broker()) == sorted(EARLIER)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (("A1", "A2", *NEW), ["duplicate"] * 2 + ["filled"] * 5),
        (("A1", ("X1", 150), *NEW), ["duplicate", "denied"] + ["filled"] * 5),
    ],
)
def test_limit_when_a_row_is_judged_again_counts_it_once(desk, rows, told):
    settings = {"inbox": {"on_bad_row": "reject-row"}, "limits": {"orders_per_day": 8}}
    router = desk(**settings).route({"earlier.csv": drop(*EARLIER)})
    router.route({"basket.csv": drop(*rows)})
    assert [outcome for _sid, outcome, _code in router.outcomes("basket.csv")] == told


@pytest.mark.usefixtures("size")
def test_followed_file_when_a_sid_is_taken_names_its_other_rows_as_ever(desk):
    row = ",acc,SHSE.600000,100,1,1,10.35\n"
    router = desk().route({"earlier.csv": drop(*EARLIER)})
    router.route({f"{TODAY}.order.csv": HEADER + row * 5 + f"A2{row}"})
    named = sorted(sid for sid, *_ in router.at_broker() if sid not in EARLIER)
    assert [sid.rpartition("-")[2] for sid in named] == ["1", "2", "3", "4", "5"]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("moved", [False, True])
def test_drop_when_a_sid_was_used_on_an_earlier_day_tells_it_and_sends_the_rest(desk, moved):
    clock = FixedClock(to_datetime(SystemClock().now()))
    router = desk(clock, inbox={"on_bad_row": "reject-row"}).route({"earlier.csv": drop(*EARLIER)})
    clock.advance(86_400)
    if moved:
        router.route()  # in a lull, yesterday's sids go to the past
        assert len(router.query("SELECT * FROM sids_past")) == 3
    else:
        router.crash()
    router.route({"basket.csv": drop(*NEW, "A2")})
    assert [outcome for _sid, outcome, _code in router.outcomes("basket.csv")] == ["filled"] * 5 + [
        "duplicate"
    ]
    assert sorted(sid for sid, *_ in router.at_broker()) == sorted({*EARLIER, *NEW})


def test_drops_when_old_ones_grow_beside_new_ones_tell_each_order_once(desk):
    row = ",acc,SHSE.600000,100,1,1,10.35\n"
    followed = [f"{TODAY}.order.csv", f"alpha/{TODAY}.order.csv"]
    router = desk().route({followed[0]: f"{HEADER}F1{row}", followed[1]: f"{HEADER}G1{row}G2{row}"})
    router.append(followed[0], f"F2{row}")
    router.append(followed[1], f"G3{row}")
    router.route({"a.csv": drop("N1"), "b.csv": drop("N2", "N3")})
    told = "SELECT sid FROM events JOIN orders ON orders.id = order_ref WHERE source = 'router'"
    sids = sorted(event["sid"] for event in router.query(told))
    assert sids == ["F1", "F2", "G1", "G2", "G3", "N1", "N2", "N3"]
