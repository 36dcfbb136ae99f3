"""Sets who may enter a workspace, and who may write where: whoever can write the inbox can trade.

On POSIX a workspace is its user's alone (0700, files 0600), and a group is let into inbox and outbox on purpose. On Windows the user's own
ACL is left as it is; whom it lets in besides can be told.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
_INBOX: Final = 0o2770
_OUTBOX: Final = 0o2750
_ENTER: Final = 0o710


class Openness(NamedTuple):
    """What others than the user may do with a file or folder. who: bilingual; "" when nobody may."""

    write: bool = False
    read: bool = False
    who: str = ""


def write_private(path: Path, text: str) -> None:
    """A new file that only its user can read. FileExistsError if the name is taken."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    def let_in(group: str, root: Path, inbox: Path, outbox: Iterable[Path], private: Iterable[Path]) -> str:
        """Why a group cannot be let in from here."""
        del root, outbox, private
        return (
            f"Windows 上用 icacls 授权 / on Windows the folder's own ACL lets a group in: "
            f'icacls "{inbox}" /grant "{group}:(OI)(CI)M"'
        )

    def open_to_others(path: Path, group: str = "") -> Openness:
        del group
        return judge_acl(_acl_of(path))

    def _acl_of(path: Path) -> str:
        """Its access list in SDDL, "" where it cannot be told."""
        advapi, kernel = ctypes.WinDLL("advapi32"), ctypes.WinDLL("kernel32")
        found, text = ctypes.c_void_p(), wintypes.LPWSTR()
        name = ctypes.c_wchar_p(str(path))
        if advapi.GetNamedSecurityInfoW(name, 1, 4, None, None, None, None, ctypes.byref(found)):
            return ""
        try:
            convert = advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW
            if not convert(found, 1, 4, ctypes.byref(text), None):
                return ""
            said = text.value or ""
            kernel.LocalFree(ctypes.cast(text, ctypes.c_void_p))
            return said
        finally:
            kernel.LocalFree(found)

else:
    import grp
    import pwd

    def let_in(group: str, root: Path, inbox: Path, outbox: Iterable[Path], private: Iterable[Path]) -> str:
        """Let a group drop files into the inbox and read the outbox, and nothing else. Why that is impossible, "" when it is done."""
        try:
            number = grp.getgrnam(group).gr_gid
        except KeyError:
            return f"没有这个组 / there is no such group: {group}"
        wanted = [*((path, None, PRIVATE_FOLDER) for path in private), (root, number, _ENTER)]
        below = [folder for folder in inbox.iterdir() if folder.is_dir() and not folder.is_symlink()]
        wanted += [(folder, number, _INBOX) for folder in (inbox, *below)]
        wanted += [(folder, number, _OUTBOX) for folder in outbox]
        for path, its_group, mode in wanted:
            try:
                _give(path, its_group, mode)
            except FileNotFoundError:
                continue
            except OSError as error:
                return f"{path}: {error.strerror or error}"
        return ""

    def _give(path: Path, group: int | None, mode: int) -> None:
        status = path.stat()
        if group is not None and status.st_gid != group:
            os.chown(path, -1, group)
        if not path.is_dir():
            mode &= 0o666
        if status.st_mode & 0o7777 != mode or (group is not None and status.st_gid != group):
            path.chmod(mode)  # after the chown, which takes the group's bit away

    def open_to_others(path: Path, group: str = "") -> Openness:
        """group: one that is let in on purpose. Where others cannot get to it, its own mode does not matter."""
        try:
            status = path.stat()
            above = [parent.stat().st_mode for parent in path.absolute().parents]
        except OSError:
            return Openness()
        everybody = all(mode & 0o001 for mode in above)
        by_group = all(mode & 0o011 for mode in above) and not _is_own(status.st_gid, group)
        write = 0o003 if path.is_dir() else 0o002
        may_write = status.st_mode & write == write and everybody
        may_read = bool(status.st_mode & 0o004) and everybody
        if may_write or may_read:
            return Openness(may_write, may_read, "所有用户 / every user of this machine")
        may_write = by_group and status.st_mode & write << 3 == write << 3
        may_read = by_group and bool(status.st_mode & 0o040)
        if may_write or may_read:
            name = _group_name(status.st_gid)
            return Openness(may_write, may_read, f"组 {name} / the group {name}")
        return Openness()

    def _is_own(number: int, let_in_group: str) -> bool:
        """A group that is the user's own, the administrators', or let in on purpose."""
        name = _group_name(number)
        try:
            user = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            user = ""
        return number == 0 or name in {user, let_in_group}

    def _group_name(number: int) -> str:
        try:
            return grp.getgrgid(number).gr_name
        except KeyError:
            return str(number)


_ACE: Final = re.compile(r"\((A|XA);[^;]*;([^;]*);[^;]*;[^;]*;([^;)]*)[;)]")
_ANYBODY: Final = {
    "WD": "Everyone", "AU": "Authenticated Users", "BU": "Users", "AN": "Anonymous", "BG": "Guests", "IU": "Interactive",
}  # fmt: skip
_WRITES: Final = frozenset({"GA", "GW", "FA", "FW", "DC", "LC"})
_READS: Final = frozenset({"GA", "GR", "FA", "FR", "CC"})


def judge_acl(sddl: str) -> Openness:
    """What an access list of Windows lets everybody do; its short names are the same in every language of Windows."""
    write = read = False
    who = []
    for _kind, rights, sid in _ACE.findall(sddl):
        if sid not in _ANYBODY:
            continue
        if rights.lower().startswith("0x"):
            bits = int(rights, 16)
            writes, reads = bool(bits & 0x50000006), bool(bits & 0x90000001)
        else:
            words = set(re.findall("..", rights))
            writes, reads = bool(words & _WRITES), bool(words & _READS)
        write, read = write or writes, read or reads
        if writes or reads:
            who.append(_ANYBODY[sid])
    names = ", ".join(dict.fromkeys(who))
    return Openness(write, read, f"{names} / {names}" if names else "")
