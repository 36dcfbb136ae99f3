"""What Windows does to a console: the router has seconds to end."""

from __future__ import annotations

import threading

import pytest

from orderdrop.system import console

winlike_modules = pytest.importorskip("winlike_modules", reason="only where files behave as on Windows")


@pytest.mark.parametrize("event", [console.CLOSE, console.LOGOFF, console.SHUTDOWN])
def test_console_when_it_is_closed_the_router_ends_before_windows_kills_it(event):
    stop, order = threading.Event(), []

    def windows() -> None:
        order.append(("told", winlike_modules.CONSOLE_HANDLERS[-1](event)))

    with console.ends_with_console(stop.set):
        caller = threading.Thread(target=windows)
        caller.start()
        assert stop.wait(30)
        order.append("closed")
    caller.join()
    assert order == ["closed", ("told", 1)]
    assert winlike_modules.CONSOLE_HANDLERS == []


def test_console_when_ctrl_c_is_pressed_leaves_it_to_python():
    stop = threading.Event()
    with console.ends_with_console(stop.set):
        assert winlike_modules.CONSOLE_HANDLERS[-1](0) == 0
    assert not stop.is_set()
