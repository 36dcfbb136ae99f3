"""The folders of terminals are found where people have them, and nothing else is taken for one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orderdrop.config.terminals import FileOrders, accounts_written_of, find_file_orders, find_qmt

UUID = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"


def made(root: Path, *names: str) -> Path:
    path = root.joinpath(*names)
    path.mkdir(parents=True)
    return path


def wrote(push: Path, account: str = UUID) -> None:
    made(push, account).joinpath("order_status_change.csv").write_text("header\n", encoding="utf-8")


def test_qmt_when_installed_on_two_drives_then_found_the_newest_first(tmp_path):
    older = made(tmp_path, "D", "国金QMT交易端", "userdata_mini")
    newer = made(tmp_path, "C", "Program Files", "gj_qmt_mn", "userdata_mini")
    made(tmp_path, "C", "Program Files", "国信", "deeper", "userdata_mini")
    os.utime(older, (1, 1))
    assert find_qmt([tmp_path / "C", tmp_path / "D"]) == [newer, older]


def test_roots_when_they_are_not_there_or_closed_then_nothing_is_found(tmp_path):
    assert find_qmt([tmp_path / "nothing"]) == []
    assert find_file_orders([tmp_path / "nothing"]) == []


@pytest.mark.parametrize(("scan", "archive"), [("scan", "archive"), ("输入", "归档")])
def test_file_orders_when_the_terminal_has_written_then_found_with_their_neighbours(tmp_path, scan, archive):
    wrote(made(tmp_path, "goldminer", "push"))
    for name in (scan, archive, "other"):
        made(tmp_path, "goldminer", name)
    assert find_file_orders([tmp_path]) == [
        FileOrders(
            tmp_path / "goldminer" / "push", tmp_path / "goldminer" / scan, tmp_path / "goldminer" / archive, (UUID,)
        )
    ]  # fmt: skip


def test_file_orders_when_a_folder_only_looks_so_then_not_taken(tmp_path):
    made(tmp_path, "goldminer", "push", UUID)  # nothing is written
    wrote(made(tmp_path, "other"), "8881234567")
    assert find_file_orders([tmp_path]) == []
    assert accounts_written_of(tmp_path / "other") == ()
