"""Asking an account about orders that were handed over together, and of which nobody noted when."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from orderdrop.domain import agreement
from orderdrop.domain.baseline import Baselines, read_places
from orderdrop.domain.report import Account
from orderdrop.execution import agreeing
from orderdrop.execution.agreeing import Agreeing, Suspect

ACCOUNT, SYMBOL = "acc", "SHSE.600000"
LAG = 2_000_000
READ, MADE, DIED, NOW = 1_000_000_000, 1_000_000_500, 1_010_000_000, 1_060_000_000


def an_account(at: int, available: int = 100_000) -> Account:
    money = Decimal(available)
    return Account(at, ACCOUNT, money, money, *[Decimal(0)] * 3, (), held_at=at)


class Journal:
    """As much as is asked of it: one batch of purchases, none of them heard of again."""

    def __init__(self, count: int, places: str) -> None:
        self.places = places
        self.rows = [
            SimpleNamespace(
                id=n, batch_id=1, symbol=SYMBOL, volume=100, order_business=1, order_type=1, price="10", submitted_at=None,
                confirmed_at=None, closed_at=None, told_volume=0,
            )
            for n in range(count)
        ]  # fmt: skip

    def places_until(self, *_: object) -> list[str]:
        return [self.places]

    def orders_that_left(self, *_: object) -> list[SimpleNamespace]:
        return self.rows

    def batches_made_at(self, _ids: object) -> dict[int, int]:
        return {1: MADE}

    def fills_of(self, _ids: object) -> list[object]:
        return []


@pytest.mark.parametrize(
    ("available", "why"), [(100_000, {}), (99_000, dict.fromkeys(range(5), agreement.CASH_LEFT))]
)
def test_orders_when_their_hand_over_was_interrupted_and_never_noted_then_it_counts_from_the_making_of_their_batch(
    monkeypatch, available, why
):
    """Each silent one could else have given back, since the snapshot, what it had taken before: none could be proven beside another."""
    monkeypatch.setattr(agreeing, "_AT_MOST", 3600)
    baselines = Baselines()
    baselines.note(an_account(READ), READ)
    journal = Journal(5, baselines.journaled(None, [(ACCOUNT, SYMBOL)]))
    baselines.note(an_account(NOW - 10_000_000, available), NOW - 10_000_000)
    gateway = SimpleNamespace(name="qmt", lag=LAG)
    asked = Agreeing(journal, gateway, baselines, 20261128, NOW)
    suspects = [Suspect(n, ACCOUNT, 1, DIED, DIED) for n in range(5)]
    assert asked.objections(suspects) == why


OTHER = "SZSE.000725"


def test_order_when_a_calm_snapshot_was_journaled_with_an_earlier_batch_of_other_symbols_it_proves_as_well():
    """The newest one, of a moment when other orders were under way, leaves room for anything."""
    baselines = Baselines()
    baselines.note(an_account(READ), READ)
    first = baselines.journaled(None, [(ACCOUNT, OTHER)])
    baselines.moved(ACCOUNT, READ + 1)
    baselines.note(an_account(READ + 200), READ + 200, LAG)
    second = baselines.journaled(None, [(ACCOUNT, SYMBOL)])
    journal = Journal(1, "")
    journal.places_until = lambda *_: [second, first]
    before = Agreeing(journal, SimpleNamespace(name="qmt", lag=LAG), baselines, 20261128, NOW)._before(
        Suspect(0, ACCOUNT, 1, DIED, DIED)
    )
    assert [(one.read_at, one.knows(SYMBOL), one.knows("SHSE.600004")) for one in before] == [
        (READ + 200, True, False), (READ, True, True),
    ]  # fmt: skip


def test_snapshot_when_calm_goes_whole_into_one_batch_only():
    baselines = Baselines()
    baselines.note(an_account(READ), READ)
    told = [
        read_places(baselines.journaled(None, [(ACCOUNT, SYMBOL)])).accounts[ACCOUNT][0].whole
        for _ in range(3)
    ]
    assert told == [True, False, False]
