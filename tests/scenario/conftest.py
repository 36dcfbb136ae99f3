"""`trade({name: text})`: put files into an inbox, let a real router with the paper broker run, and look what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from file_desk import FileDesk, proof
from routed_desk import Desk

from orderdrop.system.clock import Clock
from orderdrop.terminal import Faults


@pytest.fixture
def desk(tmp_path):
    """Makes desks; all are closed at the end."""
    made = []

    def make(clock: Clock | None = None, **settings) -> Desk:
        made.append(Desk(tmp_path / f"w{len(made)}", clock, **settings))
        return made[-1]

    yield make
    for one in made:
        one.crash()


@pytest.fixture
def file_desk(tmp_path):
    """Makes desks with a router before a terminal; all are closed at the end, and each journal's chain holds."""
    made = []

    def make(faults: Faults | None = None, **gateway) -> FileDesk:
        made.append(FileDesk(tmp_path / f"w{len(made)}", faults, **gateway))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert proof(one).difference is None


@pytest.fixture
def trade(desk):
    """The files of an inbox go in, a desk that has routed them comes out."""

    def run(files: Mapping[str, str | bytes], /, clock: Clock | None = None, **settings) -> Desk:
        return desk(clock, **settings).route(files)

    return run
