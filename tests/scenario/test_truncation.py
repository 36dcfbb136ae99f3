"""A file that is cut off at any byte never gives an order that its writer did not write to its end."""

import pytest
from routed_desk import TODAY

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price,remark\n"


def content(cut: int, encoding: str) -> bytes:
    """The sids tell the files of all cuts apart; every shortened number in it would be a good one."""
    rows = [f"A{cut}.{n},acc,SHSE.600000,{n}0000,1,1,10.35,调仓\n" for n in (1, 2)]
    return (HEADER + "".join(rows)).encode(encoding)


def written(cut: int, encoding: str) -> set[tuple[str, str, int]]:
    """The rows of which the newline was written."""
    text = content(cut, encoding)[:cut].decode(encoding, errors="ignore")
    whole = text[: text.rfind("\n") + 1].splitlines()[1:]
    return {(cells[0], cells[2], int(cells[3])) for cells in (line.split(",") for line in whole)}


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "utf-16"])
@pytest.mark.parametrize("policy", ["reject-row", "reject-file"])
def test_file_when_cut_anywhere_gives_no_order_that_was_not_written(trade, encoding, policy):
    cuts = range(len(content(0, encoding)) + 3)
    files = {f"t{cut}.csv": content(cut, encoding)[:cut] for cut in cuts}
    desk = trade(files, inbox={"on_bad_row": policy})
    found = {(sid, symbol, volume) for sid, symbol, volume, _status in desk.at_broker()}
    assert len(desk.at_broker()) == len(found)
    expected = set().union(*(written(cut, encoding) for cut in cuts))
    assert found <= expected
    if policy == "reject-row":
        assert found == expected
    assert len(desk.query("SELECT id FROM drops")) == len(cuts)


def test_followed_file_when_written_byte_by_byte_gives_each_row_once_and_whole(trade):
    desk = trade({}, inbox={"torn_timeout": 60})
    data, name = content(9, "utf-8"), f"{TODAY}.order.csv"
    app = desk.open()
    with (desk.inbox / name).open("ab", buffering=0) as file:
        for at in range(len(data)):
            file.write(data[at : at + 1])
            app.inbox._next_scan = 0.0
            app.turn(lambda _round: None)
    desk.route()
    assert [(sid, volume) for sid, _symbol, volume, _status in desk.at_broker()] == [
        ("A9.1", 10000),
        ("A9.2", 20000),
    ]
