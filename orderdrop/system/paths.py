"""How long a path may be: Windows takes 259 characters, unless its administrator has switched long paths on."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import winreg

    def longest_path() -> int | None:
        """Characters; None: no bound that anybody meets."""
        try:
            with winreg.OpenKey(
                winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem"
            ) as key:
                return None if winreg.QueryValueEx(key, "LongPathsEnabled")[0] else 259
        except OSError:
            return 259

else:

    def longest_path() -> int | None:
        """None: no bound that anybody meets."""
        return None


def length(text: str) -> int:
    """As Windows counts: in units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
