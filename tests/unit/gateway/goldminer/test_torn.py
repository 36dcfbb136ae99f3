"""A terminal's file, cut at any byte, appended in any pieces, rewritten in place: the same reports in the end."""

from __future__ import annotations

import tempfile
from pathlib import Path

from goldminer_writing import Pushed, a_change, an_execution, text
from hypothesis import given, settings
from hypothesis import strategies as st

from orderdrop.domain.report import StatusReport

CHANGES, LATEST, FILLS = "order_status_change.csv", "order_status.csv", "execution_report.csv"

sids = st.sampled_from(["S1", "S2", "委-1", ""])
changes = st.lists(
    st.builds(
        lambda sid, status, words: a_change(sid, status, ord_rej_reason_detail=words),
        sids,
        st.sampled_from([1, 2, 3, 6, 8, 10]),
        st.sampled_from(["", "不支持", 'a,"b"', "x\ny"]),
    ),
    min_size=1,
    max_size=8,
).map(lambda rows: [row | {"updated_at": f"2026-11-20T09:31:{n:02}+08:00"} for n, row in enumerate(rows)])
fills = st.lists(st.builds(an_execution, sids, volume=st.integers(1, 900)), min_size=1, max_size=5).map(
    lambda rows: [row | {"exec_id": f"e{n}"} for n, row in enumerate(rows)]
)
builds = st.fixed_dictionaries({"bom": st.booleans(), "end": st.sampled_from(["\n", "\r\n"])})
moves = st.lists(
    st.tuples(st.sampled_from(["append", "truncate", "rewrite", "delete"]), st.floats(0, 1)), max_size=12
)


def expected(rows, build):
    with tempfile.TemporaryDirectory() as folder:
        pushed = Pushed(Path(folder))
        pushed.write(CHANGES if "status" in rows[0] else FILLS, text(rows, **build))
        return pushed.drain()


def write(pushed, name, content, do, share):
    """One move of a terminal that has to write `content` in the end; what was told in the middle of it."""
    path = pushed.folder / name
    done = path.stat().st_size if path.exists() else 0
    match do:
        case "append":
            pushed.write(name, content[: done + round((len(content) - done) * share)])
        case "truncate":
            pushed.write(name, content[: round(done * share)])
        case "rewrite":
            pushed.write(name, b"")
            told = pushed.poll()
            pushed.write(name, content[: round(len(content) * share)])
            return told
        case "delete":
            path.unlink(missing_ok=True)
    return []


@settings(deadline=None)
@given(changes, builds, moves)
def test_changes_when_written_in_any_pieces_then_the_same_reports(rows, build, moves):
    content = text(rows, **build)
    with tempfile.TemporaryDirectory() as folder:
        pushed, told = Pushed(Path(folder)), []
        for do, share in moves:
            told += write(pushed, CHANGES, content, do, share)
            told += pushed.poll(limit=2)
        pushed.write(CHANGES, content)
        told += pushed.drain(limit=3)
        assert told == expected(rows, build)
        assert not pushed.output.problems.counts


@settings(deadline=None)
@given(fills, builds, moves)
def test_fills_when_written_in_any_pieces_then_the_same_reports(rows, build, moves):
    content = text(rows, **build)
    with tempfile.TemporaryDirectory() as folder:
        pushed, told = Pushed(Path(folder)), []
        for do, share in moves:
            told += write(pushed, FILLS, content, do, share)
            told += pushed.poll()
        pushed.write(FILLS, content)
        assert told + pushed.drain() == expected(rows, build)


@settings(deadline=None)
@given(changes, fills, st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=8))
def test_router_when_it_restarts_while_files_grow_then_nothing_lost_and_nothing_twice(rows, filled, steps):
    contents = {CHANGES: text(rows), FILLS: text(filled)}
    with tempfile.TemporaryDirectory() as folder:
        pushed, told = Pushed(Path(folder)), []
        for share, restart in steps:
            for name, content in contents.items():
                write(pushed, name, content, "append", share)
            if restart:
                pushed.output.poll(pushed.cursor, 3)  # told, and not journaled
                pushed.reborn()
            told += pushed.poll(limit=3)
        for name, content in contents.items():
            pushed.write(name, content)
        told += pushed.drain()
    assert [r for r in told if isinstance(r, StatusReport)] == expected(rows, {})
    assert [r for r in told if not isinstance(r, StatusReport)] == expected(filled, {})


@given(changes, st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_changes_when_overwritten_in_place_by_other_rows_then_each_whole_row_once(rows, size):
    """A terminal that is started again writes its new file over the old one, without cutting it first."""
    old, new = text([a_change("OLD", status=s) for s in (10, 1, 3)]), text(rows)
    with tempfile.TemporaryDirectory() as folder:
        pushed = Pushed(Path(folder))
        pushed.write(CHANGES, old)
        told = pushed.drain()
        for at in range(0, len(new), size * 37):
            pushed.write(CHANGES, new[: at + size] + old[at + size :])
            told += pushed.poll()
        pushed.write(CHANGES, new)
        told += pushed.drain()
    ours = [r for r in told if r.sid != "OLD"]
    assert {r for r in expected(rows, {}) if r.sid != "OLD"} <= set(ours)
