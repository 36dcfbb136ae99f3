"""The last line of a file that is followed has no newline: no row yet. When it stays so, that is told; when it is ended, it is an order."""

from __future__ import annotations

import pytest
from command_line import orderdrop as command
from command_line import printed
from routed_desk import TODAY

NAME = f"{TODAY}.order.csv"
HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
ROW, CUT, REST = "A1,acc,SHSE.600000,100,1,1,10.35\n", "A2,acc,SHSE.600000,2", "00,1,1,10.35\n"


def waits_for_its_end(desk):
    """The tail of what is told of the file: the receipt's last row, what `why` and `status` say of it."""
    at = desk.root
    (at / "orderdrop.toml").write_text("[inbox]\ntorn_timeout = 0.001\n", encoding="utf-8")
    status = command("status", "--json", at=at)
    problems = [text for text in printed(status)["problems"] if NAME in text]
    why = printed(command("why", NAME, "--json", at=at))["lying"]
    return desk.receipt(NAME)[-1], why, problems, status.exit_code


@pytest.mark.parametrize("at_once", [True, False], ids=["with the rows before", "by itself"])
@pytest.mark.parametrize("restarted", [False, True])
def test_last_line_without_newline_when_it_stays_so_then_told_and_taken_once_it_is_ended(
    trade, at_once, restarted
):
    desk = trade({NAME: HEADER + ROW + (CUT if at_once else "")})
    if not at_once:
        desk.append(NAME, CUT)
    desk.route(rounds=20)
    receipt, why, problems, code = waits_for_its_end(desk)
    assert (receipt["row"], receipt["outcome"], receipt["code"]) == ("3", "error", "ROW_TORN")
    assert CUT in receipt["reason"]
    assert "once its newline is there" in receipt["note"]
    assert "ROW_TORN" in why["why"]
    assert [("ROW_TORN" in text, "should have been taken" in text) for text in problems] == [(True, False)]
    assert code == 1
    if restarted:
        desk.restart()
    desk.append(NAME, REST)
    desk.route()
    assert {sid: volume for sid, _symbol, volume, _status in desk.at_broker()} == {"A1": 100, "A2": 200}
    assert [(row["sid"], row["code"]) for row in desk.receipt(NAME)] == [("A1", ""), ("A2", "")]
    assert not [
        text for text in printed(command("status", "--json", at=desk.root))["problems"] if NAME in text
    ]


def test_last_line_without_newline_when_fin_comes_then_taken_as_it_is(trade):
    desk = trade({NAME: HEADER + ROW + "A2,acc,SHSE.600000,200,1,1,10.35"}).route(rounds=20)
    assert desk.statuses().keys() == {"A1"}
    desk.put({f"{NAME}.fin": ""})
    desk.route(rounds=20)
    assert desk.statuses().keys() == {"A1", "A2"}
