"""Who may enter a workspace: made private, opened to a group on purpose, and told where it is open by mistake."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
from command_line import GOOD, a_file, orderdrop, printed, routed

from orderdrop.system.access import Openness, judge_acl

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def public():
    """A folder that everybody can get to, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="orderdrop-access-"))
    folder.chmod(0o755)
    if any(not parent.stat().st_mode & 0o001 for parent in folder.parents):
        pytest.skip("the folder for temporary files is closed to others here")
    yield folder
    shutil.rmtree(folder)


def access(workspace: Path) -> dict[str, tuple[str, str]]:
    """What doctor says of who may do what."""
    found = printed(orderdrop("doctor", "--json", at=workspace))
    return {
        one["check"]: (one["level"], one["finding"]) for one in found if one["check"].startswith("access.")
    }


@pytest.mark.posix
@posix
@pytest.mark.parametrize("there", [False, True])
def test_init_makes_a_workspace_that_only_its_user_can_enter(public, there):
    workspace = public / "w"
    if there:
        workspace.mkdir()
    result = orderdrop("init", workspace)
    assert result.exit_code == 0, result.output
    assert mode(workspace) == 0o700
    assert mode(workspace / "orderdrop.toml") == 0o600
    assert {mode(path) for path in workspace.iterdir() if path.is_dir()} == {0o700}
    a_file(workspace / "inbox", "a.csv", GOOD)
    routed(workspace)
    assert {level for level, _finding in access(workspace).values()} == {"ok"}


@pytest.mark.posix
@posix
def test_init_where_other_things_are_leaves_the_folder_alone_and_says_so(public):
    (public / "mine").touch()
    result = orderdrop("init", public)
    assert mode(public) == 0o755
    assert "its permissions were left alone" in result.stderr
    assert mode(public / "inbox") == 0o700


@pytest.mark.posix
@posix
@pytest.mark.parametrize(
    ("name", "bits", "check", "words"),
    [
        ("inbox", 0o777, "access.inbox", "may write it: whoever can write there can trade"),
        ("inbox", 0o755, "access.inbox", "may read it"),
        ("orderdrop.toml", 0o646, "access.settings", "may write it"),
        ("journal.db", 0o644, "access.journal", "may read it"),
        ("scan", 0o777, "access.scan", "trades past orderdrop"),
        ("token.txt", 0o604, "access.token", "may read it"),
    ],
)
def test_doctor_names_what_others_may_write_or_read(public, name, bits, check, words):
    workspace = public / "w"
    orderdrop("init", workspace)
    routed(workspace)
    (workspace / "scan").mkdir(mode=0o700)
    (workspace / "token.txt").touch(mode=0o600)
    (workspace / "orderdrop.toml").write_text(
        '[gateways.a]\ntype = "goldminer"\nlive = false\nscan_dir = "scan"\npush_dir = "push"\n'
        '[gateways.b]\ntype = "gm"\nlive = false\ntoken_file = "token.txt"\n'
        '[accounts.A1]\ngateway = "a"\n[accounts.A2]\ngateway = "b"\n'
    )
    (workspace / "journal.db").chmod(0o600)
    workspace.chmod(0o711)
    (workspace / name).chmod(bits)
    found = access(workspace)
    assert found.pop(check)[0] == "warn"
    assert {level for level, _finding in found.values()} == {"ok"}
    assert words in access(workspace)[check][1]
    workspace.chmod(0o700)  # nobody gets there
    assert access(workspace)[check][0] == "ok"


@pytest.mark.posix
@posix
@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root may give files to any group")
def test_group_when_let_in_may_drop_and_read_results_and_nothing_else(public):
    import grp  # noqa: PLC0415  not there on Windows

    others = [one for one in grp.getgrall() if one.gr_gid not in {0, os.getgid()}]
    if not others:
        pytest.skip("there is no other group on this machine")
    group = others[-1]
    workspace = public / "w"
    orderdrop("init", workspace)
    (workspace / "inbox" / "alpha").mkdir()
    (workspace / "orderdrop.toml").write_text(f'[inbox]\ngroup = "{group.gr_name}"\n')
    a_file(workspace / "inbox", "a.csv", GOOD)
    assert routed(workspace).exit_code == 0
    for name, bits in {"": 0o710, "inbox": 0o2770, "inbox/alpha": 0o2770, "outbox": 0o2750}.items():
        assert (mode(workspace / name), (workspace / name).stat().st_gid) == (bits, group.gr_gid), name
    assert mode(workspace / "outbox" / "receipts") == 0o2750
    assert mode(workspace / "outbox" / "receipts" / "a.csv.receipt.csv") & 0o040
    for name in ("orderdrop.toml", "journal.db", ".orderdrop", "archive", "quarantine"):
        assert not mode(workspace / name) & 0o077, name
    assert {level for level, _finding in access(workspace).values()} == {"ok"}


@pytest.mark.posix
@posix
def test_group_when_there_is_none_of_that_name_then_the_router_says_so_and_goes_on(tmp_path, caplog):
    workspace = tmp_path / "w"
    orderdrop("init", workspace)
    (workspace / "orderdrop.toml").write_text('[inbox]\ngroup = "no-such-group"\n')
    a_file(workspace / "inbox", "a.csv", GOOD)
    result = routed(workspace)
    assert result.exit_code == 0, result.output
    assert "no such group: no-such-group" in (workspace / ".orderdrop" / "orderdrop.log").read_text()


@pytest.mark.parametrize(
    ("sddl", "expected"),
    [
        ("", Openness()),
        ("D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)", Openness()),
        ("D:AI(A;OICI;FA;;;WD)", Openness(True, True, "Everyone / Everyone")),
        ("D:AI(A;OICI;0x1200a9;;;BU)", Openness(False, True, "Users / Users")),
        ("D:AI(A;OICIID;0x1301bf;;;AU)", Openness(True, True, "Authenticated Users / Authenticated Users")),
        ("D:AI(D;OICI;FA;;;WD)", Openness()),
        ("D:AI(A;;FR;;;WD)(A;;FW;;;BU)", Openness(True, True, "Everyone, Users / Everyone, Users")),
    ],
)
def test_access_list_of_windows_when_read_tells_what_everybody_may_do(sddl, expected):
    assert judge_acl(sddl) == expected
