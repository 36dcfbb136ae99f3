"""Names every folder and file of a workspace; no other place knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Final

from orderdrop.config.names import is_reserved
from orderdrop.errors import ConfigError
from orderdrop.system.access import PRIVATE_FOLDER
from orderdrop.system.paths import length, longest_path

SETTINGS_FILE: Final = "orderdrop.toml"
HALT_FILE: Final = "HALT"
REDUCE_FILE: Final = "REDUCE"
FIN_SUFFIX: Final = ".fin"
LEAST_NAME: Final = 40
"""Characters that a drop's name must be able to have."""

_BELOW_ROOT: Final = 80
"""Of `archive/<day>/drops/`, and of what is put behind a name: a number, `.receipt.xlsx`, a temporary's own."""

_BELOW_INBOX: Final = 85
"""Of a name of ours under which a file is put away."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace folder. `inbox` may lie elsewhere (`[inbox] path`), everything else is below `root`."""

    root: Path
    inbox: Path

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS_FILE

    @property
    def receipts(self) -> Path:
        return self.outbox / "receipts"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def quarantine(self) -> Path:
        """Files refused whole, byte for byte, a folder a day."""
        return self.root / "quarantine"

    @property
    def quotes(self) -> Path:
        return self.root / "quotes.csv"

    @property
    def state(self) -> Path:
        """What the program keeps for itself: lock, log, paper broker."""
        return self.root / ".orderdrop"

    @property
    def lock(self) -> Path:
        return self.state / "router.lock"

    @property
    def holder(self) -> Path:
        """Who holds the lock, for people; the lock itself cannot be read on Windows."""
        return self.state / "router.json"

    @property
    def heartbeat(self) -> Path:
        """What the router's loop says every two seconds."""
        return self.state / "heartbeat.json"

    @property
    def close_request(self) -> Path:
        """Asks a running router to close a day."""
        return self.state / "close.json"

    @property
    def stop_request(self) -> Path:
        """Asks a running router to end, and scheduled ones not to start, on the day that it names."""
        return self.state / "stop.json"

    @property
    def scheduled(self) -> Path:
        """What a scheduled start that did not start has said last."""
        return self.state / "scheduled.json"

    @property
    def closed(self) -> Path:
        """What came of the last close."""
        return self.state / "closed.json"

    def shut(self, gateway: str) -> Path:
        """Says that a gateway is closed for the rest of a day."""
        return self.state / f"shut-{gateway}.json"

    @property
    def log(self) -> Path:
        return self.state / "orderdrop.log"

    def securities(self, gateway: str) -> Path:
        """What a gateway's terminal has told of the day's securities."""
        return self.state / f"instruments-{gateway}.csv"

    def switch(self, *, account: str = "", strategy: str = "", reducing: bool = False) -> Path:
        """The file that switches off all, an account or a strategy."""
        name = REDUCE_FILE if reducing else HALT_FILE
        return self.inbox / strategy / (f"{name}.{account}" if account else name)

    def day(self, day: date) -> Path:
        return self.archive / day.isoformat()

    def terminal_day(self, day: date, gateway: str) -> Path:
        """What was left in a terminal's folders: `in` and `out/<account>`."""
        return self.day(day) / "terminal" / gateway

    def home_of(self, day: date, *, refused_whole: bool) -> Path:
        """Where a drop is put away."""
        return self.quarantine / day.isoformat() if refused_whole else self.day(day) / "drops"

    def folders(self) -> tuple[Path, ...]:
        return (self.inbox, self.outbox, self.receipts, self.archive, self.quarantine, self.state)

    @property
    def longest_name(self) -> int | None:
        """So many characters may a drop's name have, with its sub-folder: all that is made of it has to fit; None: any name fits."""
        longest = longest_path()
        if longest is None:
            return None
        return longest - max(length(str(self.root)) + _BELOW_ROOT, length(str(self.inbox)) + _BELOW_INBOX)

    def fitting(self, name: str) -> str:
        """The name of a drop that was refused because it has too many characters, cut so that its own end stays; any other as it is."""
        room = self.longest_name
        return name if room is None or length(name) <= room else PurePosixPath(name).name[-room // 2 :]

    def make(self) -> None:
        """Raises ConfigError when the inbox lies elsewhere and is not there, for a share that is not mounted must not be made up;
        and when the paths are so long that Windows takes no names below them.
        """
        room = self.longest_name
        if room is not None and room < LEAST_NAME:
            raise ConfigError(
                f"路径太长，Windows 放不下文件名 / the path is so long that Windows takes no names below it: {self.root}\n"
                "  把工作区移到短一些的文件夹，如 D:\\trading / move the workspace to a shorter folder, D:\\trading say"
            )
        if not self.inbox.is_relative_to(self.root) and not self.inbox.is_dir():
            raise ConfigError(f"[inbox] path: 没有这个文件夹 / no such folder: {self.inbox}")
        for folder in self.folders():
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)


def account_folder(account_id: str) -> str:
    """The folder of an account below `outbox`; names that mean something else there, or to Windows, get a mark."""
    plain = account_id.rstrip(". ")
    if is_reserved(plain):  # a device, whatever stands behind its dot
        stem, dot, rest = plain.partition(".")
        return f"{stem}_{dot}{rest}"
    return (
        f"{plain}_"
        if plain.partition(".")[0].lower() == "receipts" or plain != account_id or not plain
        else account_id
    )


def book_path(receipt: Path) -> Path:
    """Of the receipt that a workbook gets besides its csv."""
    return receipt.with_suffix(".xlsx")


def receipt_path(receipts: Path, name: str, number: int | None = None) -> Path:
    """name: the drop's path below the inbox. number: the drop's own, once another drop has taken its name."""
    plain = receipts / PurePosixPath(name)
    middle = "" if number is None else f"~{number}"
    return plain.with_name(f"{plain.name}{middle}.receipt.csv")
