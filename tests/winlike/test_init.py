from __future__ import annotations

import sys

from command_line import orderdrop


def test_init_leaves_a_file_to_start_by_a_double_click_and_keeps_one_that_is_there(tmp_path):
    folder = tmp_path / "我的 工作区"
    assert orderdrop("init", folder).exit_code == 0
    start = folder / "启动 orderdrop.cmd"
    assert sys.executable.encode() in start.read_bytes()
    start.write_bytes(b"mine")
    (folder / "orderdrop.toml").unlink()
    assert orderdrop("init", folder).exit_code == 0
    assert start.read_bytes() == b"mine"
