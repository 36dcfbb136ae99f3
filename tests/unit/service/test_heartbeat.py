"""The router's sign of life, and how its age is judged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from orderdrop.service.heartbeat import EVERY, Heartbeat, last_beat
from orderdrop.views import health

BEAT = {
    "pid": 1,
    "host": "here",
    "at": "2026-11-20T09:31:00.000000+08:00",
    "mono": 1000.0,
    "fault": "",
    "chores": [],
}


def test_beat_is_read_as_it_was_written_and_comes_every_two_seconds(tmp_path: Path):
    now = [100.0]
    heart = Heartbeat(tmp_path / "heartbeat.json", lambda: now[0])
    assert heart.due
    heart.beat(BEAT | {"fault": "卡住 / stuck"})
    assert last_beat(tmp_path / "heartbeat.json")["fault"] == "卡住 / stuck"
    assert not heart.due
    now[0] += EVERY
    assert heart.due


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EACCES])
def test_beat_when_the_disk_is_full_or_somebody_reads_is_written_over_in_place(tmp_path, monkeypatch, fault):
    path = tmp_path / "heartbeat.json"
    heart = Heartbeat(path)
    heart.beat(BEAT | {"fault": "long " * 100})

    def fail(*_):
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(Path, "replace" if fault == errno.EACCES else "write_bytes", fail)
    heart.beat(BEAT)
    assert last_beat(path) == BEAT
    assert list(tmp_path.iterdir()) == [path]


def test_beat_when_it_cannot_be_written_at_all_is_told_once_and_stops_nobody(tmp_path, caplog):
    heart = Heartbeat(tmp_path / "gone" / "heartbeat.json")
    for _ in range(3):
        heart.beat(BEAT)
    assert caplog.text.count("the heartbeat cannot be written") == 1
    assert last_beat(tmp_path / "gone" / "heartbeat.json") is None


def test_beat_when_half_written_is_none(tmp_path):
    path = tmp_path / "heartbeat.json"
    path.write_bytes(b'{"pid": 1, "ho')
    assert last_beat(path) is None


def test_age_on_the_same_boot_is_told_by_the_ticks_whatever_the_clock_says():
    assert health.age(BEAT, ticks=1007.5, now=0.0, same_boot=True) == 7.5


def test_age_elsewhere_or_after_another_boot_is_told_by_the_clock():
    at = 1795138260.0  # 09:31 in Shanghai
    assert health.age(BEAT, ticks=1007.5, now=at + 3, same_boot=False) == 3
    assert health.age(BEAT, ticks=10.0, now=at + 4, same_boot=True) == 4


@pytest.mark.parametrize(
    ("over", "seconds", "words"),
    [
        ({}, 1.0, []),
        ({}, 8.5, ["no sign of life for 8 s"]),
        ({"fault": "the disk is full"}, 1.0, ["the disk is full"]),
        ({"chores": ["x", "y"]}, 1.0, ["housekeeping failed", "housekeeping failed"]),
        ({"gateways": {"gm": {"silent": True, "why": "no folder"}, "b": {"silent": False}}}, 1.0, ["gm: "]),
    ],
)
def test_problems_name_what_is_wrong(over, seconds, words):
    found = list(health.problems(BEAT | over, seconds))
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_problems_when_a_start_takes_too_long_says_so():
    assert not list(health.problems(None, 20.0))
    assert len(list(health.problems(None, 100.0))) == 1
