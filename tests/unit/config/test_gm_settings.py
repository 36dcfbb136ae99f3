import pytest

from orderdrop.config.gateways import GmSettings
from orderdrop.config.sources import load
from orderdrop.errors import ConfigError

TOML = '[gateways.gm]\ntype = "gm"\n'


def test_token_when_it_stands_in_a_variable_then_it_is_taken(tmp_path, monkeypatch):
    (tmp_path / "orderdrop.toml").write_text(TOML)
    monkeypatch.setenv("ORDERDROP_GATEWAYS__GM__TOKEN", "a-secret")
    gateway = load(tmp_path)[0].gateways["gm"]
    assert isinstance(gateway, GmSettings)
    assert gateway.secret() == "a-secret"


def test_token_when_it_stands_in_a_file_then_it_is_taken(tmp_path):
    (tmp_path / "orderdrop.toml").write_text(TOML + 'token_file = "token.txt"\n')
    (tmp_path / "token.txt").write_bytes(b"\xef\xbb\xbfa-secret\r\n")
    assert load(tmp_path)[0].gateways["gm"].below(tmp_path).secret() == "a-secret"


@pytest.mark.parametrize("toml", [TOML, TOML + 'token = ""\n', TOML + 'token_file = "missing.txt"\n'])
def test_token_when_there_is_none_then_says_where_it_belongs(tmp_path, toml):
    (tmp_path / "orderdrop.toml").write_text(toml)
    with pytest.raises(ConfigError, match="token"):
        load(tmp_path)[0].gateways["gm"].below(tmp_path).secret()


@pytest.mark.parametrize(
    "line", ["token = 12345678", 'token = ["a-secret"]', 'token = "a-secret"\nwindow = 0']
)
def test_token_when_settings_are_wrong_then_the_message_does_not_show_it(tmp_path, line):
    (tmp_path / "orderdrop.toml").write_text(TOML + line)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path)
    assert "12345678" not in str(raised.value)
    assert "a-secret" not in str(raised.value)


def test_token_when_settings_are_shown_then_it_is_hidden(tmp_path):
    settings = GmSettings(token="a-secret")
    assert "a-secret" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
