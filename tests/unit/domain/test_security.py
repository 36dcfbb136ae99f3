"""What of a terminal's numbers is believed, and that nothing is lost on the way between two processes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.security import Security, read, told

PRICES = st.none() | st.decimals(min_value="0.001", max_value="9999", places=3)
VOLUMES = st.none() | st.integers(min_value=1, max_value=10**9)
FLAGS = st.none() | st.booleans()


@pytest.mark.parametrize(
    ("close", "lower", "upper", "believed"),
    [
        (10.05, 9.05, 11.06, True),
        (0.01, 0.01, 0.02, True),
        (10, 10, 10, True),
        (10, 0, 0, False),  # the terminal knows no limit
        (10, 0.01, 999999.99, False),  # an exchange's way to write that there is none
        (10, 0.01, 1.7976931348623157e308, False),
        (10, float("nan"), float("nan"), False),
        (0, 9, 11, False),
        (12, 9, 11, False),  # the close of another day, or another unit
        (10, 11, 9, False),
        (-10, -11, -9, False),
    ],
)
def test_limits_when_told_are_believed_only_with_a_close_between_them(close, lower, upper, believed):
    security = told("SHSE.600000", previous_close=close, lower=lower, upper=upper)
    prices = (security.previous_close, security.lower, security.upper)
    assert prices == (
        tuple(Decimal(str(price)) for price in (close, lower, upper)) if believed else (None, None, None)
    )


def test_numbers_when_calculated_in_binary_then_as_the_exchange_writes_them():
    security = told(
        "SZSE.123001",
        previous_close=0.1 + 0.2,
        lower=0.24000000000000002,
        upper=0.36000000000000004,
        tick=0.001,
    )
    assert security.cells[1:5] == ["0.3", "0.24", "0.36", "0.001"]


@pytest.mark.parametrize("nothing", [0, -1, 1e7, float("inf"), float("nan"), 0.00001])
def test_tick_when_it_is_none_then_not_told(nothing):
    assert told("SHSE.600000", tick=nothing).tick is None


@given(
    st.builds(
        Security, st.just("SHSE.600000"), PRICES, PRICES, PRICES, PRICES, VOLUMES, VOLUMES, FLAGS, FLAGS
    )
)
def test_security_when_written_as_texts_then_read_back(security):
    assert read(security.cells) == security


@pytest.mark.parametrize(
    "bad", [[], ["SHSE.600000", "x"], ["SHSE.600000"] + ["1"] * 5, ["SHSE.600000"] + ["x"] * 8]
)
def test_texts_when_they_are_no_security_then_an_error(bad):
    with pytest.raises((ValueError, ArithmeticError)):
        print(read(bad).cells[8])
