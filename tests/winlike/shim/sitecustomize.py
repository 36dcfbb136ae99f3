"""Python loads this by itself at its start, where this folder is on PYTHONPATH: orderdrop then runs as if it were on Windows.

A test aid for Linux, never shipped. Two layers: winlike_files.py lets the file system refuse what NTFS refuses, winlike_modules.py shows
orderdrop's own modules what Python has on Windows. Only what Linux can show is shown: tests/winlike/README.md says what that proves.

WINLIKE_ROOTS     folders in which files behave so, separated by ":" (default: the temporary folder)
WINLIKE_COARSE    "0": clocks as they are (CPython 3.13 and later), else they tick every 15.625 ms
WINLIKE_NO_INODE  "1": st_ino is 0, as some redirectors and RAM disks tell it
WINLIKE_DENY      "write": whoever wants to write a file that this process has open is refused, as by Excel
WINLIKE_LONG      "1": paths may be longer than 259 characters (LongPathsEnabled)
WINLIKE_LOG       a file that gets a line for each refusal, and each exclusive open
"""

import winlike_files
import winlike_modules

winlike_files.install()
winlike_modules.install()
