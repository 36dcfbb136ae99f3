"""At which drop an unforeseen fault arises: it is set aside once another one has passed beside it, and not before."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from orderdrop.admission.suspects import Suspects
from orderdrop.domain.order import DropKind


@pytest.fixture
def take(tmp_path):
    def made(name: str, kind: DropKind = DropKind.ORDER, refusal: object = None) -> SimpleNamespace:
        path = tmp_path / name
        path.write_text("x")
        return SimpleNamespace(
            file=SimpleNamespace(path=str(path), info=SimpleNamespace(kind=kind)), refusal=refusal
        )

    return made


@pytest.fixture(autouse=True)
def takes_are_takes(monkeypatch):
    monkeypatch.setattr("orderdrop.admission.suspects.Take", SimpleNamespace)


def test_suspects_when_a_transaction_failed_then_all_of_it_until_they_pass_or_are_gone(take, tmp_path):
    suspects, bad, good = Suspects(), take("bad.csv"), take("good.csv")
    assert not suspects.any()
    suspects.suspect([bad, good])
    assert suspects.any()
    suspects.note([], [good])
    assert suspects.any()
    (tmp_path / "bad.csv").unlink()
    assert not suspects.any(), "somebody has taken it out"


def test_cause_when_another_one_passes_beside_it_is_found_at_the_second_time(take):
    suspects, bad, good = Suspects(), take("bad.csv"), take("good.csv")
    suspects.suspect([bad, good])
    assert not suspects.is_cause(bad, [])
    assert suspects.is_cause(bad, [good])


@pytest.mark.parametrize(
    "other",
    [{"kind": DropKind.CANCEL}, {"refusal": "it was refused"}],
    ids=["a cancel says nothing of orders", "nor does what was refused"],
)
def test_cause_when_only_something_else_passes_is_not_found(take, other):
    suspects, bad = Suspects(), take("bad.csv")
    suspects.suspect([bad])
    assert not suspects.is_cause(bad, [take("other.csv", **other)])


def test_cause_when_it_is_alone_is_found_after_many_times(take):
    suspects, bad = Suspects(), take("bad.csv")
    suspects.suspect([bad])
    times = 1
    while not suspects.is_cause(bad, []):
        suspects.note([bad], [])
        times += 1
        assert times < 100
    assert times > 10
