"""The process that 掘金's package runs in, with the vendor's real native library where it does not matter whether a terminal is there."""

import os
import subprocess
import sys

import pytest
from builders import a_clock
from gm_terminal import GmTerminal, command
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.gateway.gm import link as gm_link
from orderdrop.gateway.gm import worker as gm_worker
from orderdrop.gateway.gm.link import GmLink, GmRefused, GmSilence

pytest.importorskip(
    "gm.pb.account_pb2", reason="掘金's package gm has no wheel for this system, or is not installed"
)


def a_link(folder, how=None, timeout=3.0, **over):
    hello = {
        "serv_addr": "127.0.0.1:9",  # nobody listens there
        "strategy_id": "",
        "accounts": ["A1"],
        "call_timeout": timeout,
        "lock": str(folder / "gm.lock"),
        **over,
    }
    link = GmLink(hello, timeout, how or gm_link.COMMAND)
    link.introduce("a-secret")
    return link


@pytest.fixture
def link(tmp_path):
    GmTerminal(tmp_path, a_clock())
    link = a_link(tmp_path, command(tmp_path))
    link.start()
    yield link
    link.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="tried on Linux only")
def test_ask_when_the_real_library_does_not_come_back_then_silence_and_the_process_is_gone(tmp_path):
    """Without a terminal its call holds Python's lock for five minutes; nothing in that process could stop it but its own end."""
    link = a_link(tmp_path)
    link.start()
    process = link._process
    with pytest.raises(GmSilence):
        link.ask("look", account_id="A1", full=False)
    assert process.poll() is not None
    assert not link.up
    link.start()
    link.stop()


def test_ask_when_the_process_died_then_silence_and_the_next_one_answers(link):
    link._process.kill()
    with pytest.raises(GmSilence):
        link.ask("look", account_id="A1", full=False)
    with pytest.raises(GmSilence):
        link.ask("look", account_id="A1", full=False)
    link.start()
    assert link.ask("look", account_id="A1", full=False)["orders"] == []


def test_ask_when_the_library_returns_an_error_then_its_words(link, tmp_path):
    GmTerminal(tmp_path, a_clock()).book.fail("orders", "refuse")
    with pytest.raises(GmRefused, match="1013: 交易服务调用错误"):
        link.ask("look", account_id="A1", full=False)
    assert link.up


def test_worker_when_its_router_is_gone_then_it_ends(tmp_path):
    GmTerminal(tmp_path, a_clock())
    worker = subprocess.Popen(command(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    worker.stdin.close()
    assert worker.wait(20) == 0
    worker.stdout.close()


def test_worker_when_it_is_started_then_nobody_can_read_the_token(link):
    """Neither in its command line nor in its variables; it comes through the pipe."""
    assert "a-secret" not in " ".join(link._process.args)
    assert "a-secret" not in str(os.environ)


def test_look_when_nothing_has_changed_then_nothing_is_told_again(link, tmp_path):
    book = GmTerminal(tmp_path, a_clock()).book
    link.ask("place", account_id="A1", symbol="SHSE.018014", volume=100, business=1, order_type=1, price="10")
    first = link.ask("look", account_id="A1", full=True)
    assert [order["cl_ord_id"] for order in first["orders"]] == ["t-1"]
    assert first["healthy"]
    assert link.ask("look", account_id="A1", full=True)["orders"] == []
    book.cancel("t-1", "A1")
    assert [order["status"] for order in link.ask("look", account_id="A1", full=True)["orders"]] == [6]


@given(st.lists(st.tuples(st.text(max_size=300), st.integers(0, 2**31 - 1)), max_size=20), st.booleans())
def test_parts_when_parsed_one_by_one_then_they_are_the_vendors_list(orders, combined):
    from gm.pb.account_pb2 import Order, Orders  # noqa: PLC0415  the vendor's package may be missing

    whole = Orders(
        data=[Order(cl_ord_id=name, volume=volume) for name, volume in orders], is_combined=combined
    )
    parts = [Order.FromString(part) for part in gm_worker._parts(whole.SerializeToString())]
    assert parts == list(whole.data)
