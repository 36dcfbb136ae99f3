"""orderdrop.toml is explained like an order: the line with a caret, a code, the reason, the remedy in both languages."""

import pytest

from orderdrop.config.sources import load
from orderdrop.errors import ConfigError

GOLDMINER = '[gateways.gm]\ntype = "goldminer"\n'


def told(folder, toml: str | bytes) -> str:
    data = toml if isinstance(toml, bytes) else toml.encode()
    (folder / "orderdrop.toml").write_bytes(data)
    with pytest.raises(ConfigError) as raised:
        load(folder)
    return str(raised.value)


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        (GOLDMINER + 'scan_dir = "D:\\goldminer\\scan"\n', ["line 3", "TOML_BACKSLASH", '"D:/goldminer/scan"', "'D:\\goldminer\\scan'"]),
        ('[inbox]\npath = "D:\\new\\test"\n', ["line 2", "inbox.path", "TOML_BACKSLASH", '"D:/new/test"', "'D:\\new\\test'"]),
        ('[gateways.gm]\ntype = "goldminder"\n', ["line 2", "SETTING_CHOICE", "是不是想写 goldminer", "did you mean goldminer"]),
        (GOLDMINER + 'scan_dir = "D:/x"\n', ["line 1", "SETTING_MISSING", "缺少 push_dir", "终端输出目录"]),
        ('[limits]\nmax_order_value = "30万"\n', ["line 2", "SETTING_NUMBER", "max_order_value = 300000"]),
        ("[inbox]\nsettle = 0.3秒\n", ["line 2", "TOML_UNIT", "settle = 0.3"]),
        ('[gateway.goldminer]\ntype = "goldminer"\n', ["line 1", "SETTING_UNKNOWN", "[gateways.goldminer]"]),
        ("[inbox]\nsetle = 3\n", ["line 2", "SETTING_UNKNOWN", "did you mean settle"]),
        (GOLDMINER + 'scan_dri = "D:/x"\n', ["line 3", "SETTING_UNKNOWN", "scan_dir", "SETTING_MISSING"]),
        ("[inbox]\npath = “收件箱”\n", ["line 2", "TOML_FULL_WIDTH", "半角"]),
        ("[inbox]\npath = here\n", ["line 2", "TOML_VALUE", 'path = "here"']),
        ("[inbox]\nsettle = 1\nsettle = 2\n", ["line 3", "TOML_TWICE"]),
        ("[inbox]\nsettle = -1\n", ["line 2", "SETTING_VALUE", "不能小于 0", "静默多久"]),
        ("rubbish\n", ["line 1", "TOML_SYNTAX"]),
        ('[gateways.a]\ntype = "paper"\n[gateways.b]\ntype = "paper"\n', ["SETTING_VALUE", "哪个账户用哪个", "with its gateway"]),
        ('[accounts.x]\ngateway = "nope"\n', ["不存在", "there is no gateway “nope”", "paper"]),
    ],
)  # fmt: skip
def test_settings_when_wrong_name_line_code_reason_and_remedy(tmp_path, toml, parts):
    text = told(tmp_path, toml)
    for part in parts:
        assert part in text
    assert "→" in text


def test_caret_stands_below_the_fault_also_behind_chinese(tmp_path):
    lines = told(tmp_path, '[inbox]\npath = "收件箱" x\n').splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == "^")
    assert lines[at].index("^") == lines[at - 1].index("x") + len("收件箱")


def test_every_wrong_value_is_told_at_once_in_the_order_of_the_lines(tmp_path):
    text = told(tmp_path, "[inbox]\nsettle = -1\nsetle = 2\n[log]\nlanguage = 'cn'\n")
    assert [text.index(part) for part in ("line 2", "line 3", "line 5")] == sorted(
        text.index(part) for part in ("line 2", "line 3", "line 5")
    )


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-8-sig", "utf-8"])
def test_settings_of_any_editor_are_read(tmp_path, encoding):
    (tmp_path / "orderdrop.toml").write_bytes('[inbox]\r\npath = "收件箱" # 注释\r\n'.encode(encoding))
    settings, workspace = load(tmp_path)
    assert str(settings.inbox.path) == "收件箱"
    assert workspace.inbox == tmp_path / "收件箱"


def test_settings_in_no_encoding_say_how_to_save_them(tmp_path):
    assert "UTF-8" in told(tmp_path, b'[inbox]\npath = "\xff\xff"\n')
