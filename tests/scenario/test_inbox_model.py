"""Any interleaving of what a writer does with what the router does, also within a move: each row is traded once or told, every byte is kept."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routed_desk import TODAY, Desk

from orderdrop.archive import filing

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
NAMES = ("a.csv", "b.csv", f"{TODAY}.order.csv")
ACTS = ("append", "rewrite", "rewrite with size and time kept", "replace", "chmod", "link", "touch", "fin")
MOMENTS = ("now", "hold", "compare", "link", "unlink", "fin")
"""Now, or within the next file's way to the archive: just before that call."""


class Writer:
    """Writes rows with sids of one length, each once. given_up: those that it has overwritten itself."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox
        self.written: set[str] = set()
        self.given_up: set[str] = set()
        self._numbers = itertools.count(1)

    def act(self, act: str, name: str) -> None:
        path = self.inbox / name
        if not path.exists() and act != "append":
            act = "replace"
        {
            "append": self._append, "rewrite": self._rewrite, "replace": self._replace,
            "rewrite with size and time kept": self._rewrite_keeping,
            "chmod": lambda path: path.chmod(path.stat().st_mode ^ 0o040),
            "link": lambda path: os.link(path, self.inbox.parent / f"backup-{next(self._numbers)}"),
            "touch": os.utime,
            "fin": lambda path: path.with_name(f"{path.name}.fin").touch(),
        }[act](path)  # fmt: skip

    def _append(self, path: Path) -> None:
        new = not path.exists()
        with path.open("a") as file:
            file.write((HEADER if new else "") + self._new_row())

    def _rewrite(self, path: Path) -> None:
        self._give_up(path)
        path.write_text(HEADER + self._new_row())

    def _rewrite_keeping(self, path: Path) -> None:
        status = self._give_up(path)
        rows = path.read_text().count("\n") - 1
        path.write_text(HEADER + "".join(self._new_row() for _ in range(rows)))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _replace(self, path: Path) -> None:
        if path.exists():
            self._give_up(path)
        new = self.inbox / "new.tmp"
        new.write_text(HEADER + self._new_row())
        new.rename(path)

    def _new_row(self) -> str:
        sid = f"S{next(self._numbers):04}"
        self.written.add(sid)
        return f"{sid},acc,SHSE.600000,100,1,1,10.35\n"

    def _give_up(self, path: Path) -> os.stat_result:
        """What it overwrites itself may have been traded, or not."""
        self.given_up |= {line[:5] for line in path.read_text().splitlines()[1:]}
        return path.stat()

    def must_be_known(self) -> set[str]:
        """Sids of rows that nobody has overwritten."""
        return self.written - self.given_up


class Moments:
    """Lets the writer act just before a call that the router makes."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.due: dict[str, tuple[str, str]] = {}

    def before(self, moment: str, call):
        def called(*args, **options):
            if moment in self.due:
                self.writer.act(*self.due.pop(moment))
            return call(*args, **options)

        return called


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.sampled_from(MOMENTS), st.sampled_from(ACTS), st.sampled_from(NAMES), st.booleans()),
        max_size=12,
    )
)
def test_rows_when_writer_and_router_interleave_are_each_traded_once_and_kept(steps):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "w")
        writer = Writer(desk.inbox)
        moments = Moments(writer)
        real = filing.take_hold, filing.is_what_was_seen, filing.put_away_fin, os.link
        filing.take_hold = moments.before("hold", filing.take_hold)
        filing.is_what_was_seen = moments.before("compare", filing.is_what_was_seen)
        filing.put_away_fin = moments.before("fin", filing.put_away_fin)
        os.link = _before_and_after(moments, os.link)
        try:
            desk.open()
            for moment, act, name, turns in steps:
                if moment == "now":
                    writer.act(act, name)
                else:
                    moments.due[moment] = act, name
                if turns:
                    desk.route(rounds=1)
            desk.route()
            moments.due.clear()
            desk.route()
        finally:
            filing.take_hold, filing.is_what_was_seen, filing.put_away_fin, os.link = real
            desk.close()
        _is_as_promised(desk, writer)


def _before_and_after(moments: Moments, link):
    """The writer acts before a link, and between that and the unlink."""

    def linked(own: Path, target: Path, **options) -> None:
        moments.before("link", link)(own, target, **options)
        moments.before("unlink", lambda: None)()

    return linked


def _is_as_promised(desk: Desk, writer: Writer) -> None:
    traded = [sid for sid, *_ in desk.at_broker()]
    assert len(traded) == len(set(traded)), "no row twice"
    told = {row["sid"] for row in desk.query("SELECT sid FROM rows")} | set(traded)
    assert writer.must_be_known() <= told, "each row is traded or told"
    kept = "".join(
        path.read_text()
        for folder in ("archive", "quarantine", "inbox")
        for path in (desk.root / folder).rglob("*.csv")
    )
    assert writer.must_be_known() <= {line[:5] for line in kept.splitlines()}, "every byte is kept"
    assert not list(desk.inbox.glob(".*"))
    assert desk.query("SELECT name FROM drops WHERE archived_as = ''") == []
