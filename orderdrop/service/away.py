"""Puts drops away: what was taken, and nothing else. Each by itself, so that one that cannot be moved keeps no other.

What stands under a drop's name when it is moved is compared with what was taken; another file goes back and is a drop that is still
to come. After a crash `finish_interrupted` does what was begun.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from orderdrop.archive import filing
from orderdrop.archive.filing import PutAway
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import from_day_number
from orderdrop.inbox.drop_file import DropFile
from orderdrop.inbox.scanner import Inbox, RefusedFile
from orderdrop.journal.journal import JOURNAL_ID, Journal
from orderdrop.journal.records import DropState
from orderdrop.journal.writer import Writer
from orderdrop.router import Router
from orderdrop.system.grasp import Held, Seen, are_halves, give_back, hash_of, held, is_what_was_seen

log = logging.getLogger(__name__)

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0


class Away:
    """The way out of the inbox. Used from the router's thread."""

    def __init__(self, workspace: Workspace, journal: Journal, inbox: Inbox, router: Router) -> None:
        self._workspace = workspace
        self._journal = journal
        self._inbox = inbox
        self._router = router
        self._refused: list[tuple[RefusedFile, int]] = []
        self._kept_back: dict[str, _KeptBack] = {}
        self._interrupted = False  # something stands under a name of ours
        with journal.transaction() as writer:
            self._journal_id = _id_of(writer)

    def add(self, refused: list[tuple[RefusedFile, int]]) -> None:
        """Files that were refused unopened, with their drops' numbers."""
        self._refused += refused

    def refused_files(self) -> Iterator[None]:
        """Raises OSError at the end, for all that could not be moved."""
        left = []
        while self._refused:
            refused, drop_id = self._refused.pop()
            folder = self._workspace.home_of(self._router.today, refused_whole=True)
            try:
                name = self._workspace.fitting(_plain_name(refused))
                target = self._move(refused.path, folder, name, drop_id, refused.seen)
            except FileNotFoundError:
                self._note(drop_id, None, DropState.REFUSED)
            except OSError as error:
                left.append((refused, drop_id, error))
            else:
                self._note(drop_id, target.path if target.away else None, DropState.REFUSED)
                if not target.away:  # another file stands there now
                    self._inbox.forget(refused)
            yield
        self._refused += [(refused, drop_id) for refused, drop_id, _error in reversed(left)]
        if left:
            raise OSError("; ".join(f"{refused.name}: {error}" for refused, _id, error in left))

    def drops(self, *, at_once: bool) -> Iterator[None]:
        """Raises OSError at the end, for all that could not be moved; those are tried again later."""
        if self._interrupted:
            self._interrupted = False
            with self._journal.transaction() as writer:
                finish_interrupted(self._workspace, writer)
        kept_back, self._kept_back = self._kept_back, {}
        for file in self._inbox.to_put_away(self._router.today, at_once=at_once):
            before = kept_back.get(file.name)
            if before is not None and not (at_once or before.is_due):
                self._kept_back[file.name] = before
                continue
            try:
                self._put_away(file)
            except OSError as error:
                self._kept_back[file.name] = _KeptBack(error, before)
                self._interrupted |= not os.path.lexists(file.path)
            yield
        if self._kept_back:
            raise OSError("; ".join(f"{name}: {kept.error}" for name, kept in self._kept_back.items()))

    def _put_away(self, file: DropFile) -> None:
        folder = self._workspace.home_of(file.day, refused_whole=file.refused and not file.traded)
        target = self._move(file.path, folder, file.name, file.drop_id, file.seen())
        if not target.away:
            self._inbox.given_back(file, target.path)
            return
        self._note(file.drop_id, target.path, DropState.REFUSED if file.refused else DropState.DONE)
        self._inbox.put_away(file, str(target.path))

    def _move(self, path: str, folder: Path, name: str, drop_id: int, seen: Seen) -> PutAway:
        tag = f"{self._journal_id}-{drop_id}-{seen.size}-{seen.written}"
        return filing.put_away(Path(path), folder, name, tag, drop_id, seen)

    def _note(self, drop_id: int, target: Path | None, state: DropState) -> None:
        where = target.relative_to(self._workspace.root).as_posix() if target else ""
        with self._journal.transaction() as writer:
            writer.update_drop(drop_id, archived_as=where, state=state)


class _KeptBack:
    """A drop that could not be moved, and when that is tried again."""

    def __init__(self, error: OSError, before: _KeptBack | None) -> None:
        self.error = error
        self.wait: float = min(before.wait * 2, _LONGEST_WAIT) if before else _FIRST_WAIT
        self._due = time.monotonic() + self.wait

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due


def finish_interrupted(workspace: Workspace, writer: Writer) -> None:
    """After a crash: what stands in the inbox under a name of our own goes where it was to go, or back."""
    journal_id = _id_of(writer)
    for folder in (workspace.inbox, *(path for path in workspace.inbox.iterdir() if _is_folder(path))):
        for found in list(held(folder)):
            try:
                _finish(workspace, writer, found, journal_id)
            except OSError as error:
                log.error("归档没有做完 / was not put away: %s: %s", found.path, error)


def _finish(workspace: Workspace, writer: Writer, found: Held, journal_id: str) -> None:
    if found.tag == filing.FIN_TAG:
        give_back(found.path, found.path.with_name(found.name))
        return
    whose, *numbers = found.tag.split("-")
    drop = writer.drop_or_none(int(numbers[0])) if whose == journal_id and len(numbers) == 3 else None
    if drop is None:
        log.error("不是这个日志库的文件，请人工处理 / not of this journal, look at it: %s", found.path)
        return
    size, written = map(int, numbers[1:])
    read = None if drop.reason_code else drop.sha256
    seen = Seen(0, size, written, read, drop.position)
    if drop.archived_as is not None or not is_what_was_seen(found.path, seen):
        name = PurePosixPath(drop.name).name
        give_back(found.path, found.path.with_name(name if name.startswith(found.name) else found.name))
        return
    target = put_away_before(workspace, writer, drop)
    if target is None or are_halves(found.path, target):
        target = filing.finish(found.path, home_of(workspace, drop), drop.name, drop.id)
    else:  # a copy on another volume
        found.path.unlink()
    filing.put_away_fin(workspace.inbox / drop.name, target)
    note_put_away(workspace, writer, drop, target)


def note_put_away(workspace: Workspace, writer: Writer, drop: Any, target: Path | None) -> None:
    """target: None when nobody knows where it stands."""
    where = target.relative_to(workspace.root).as_posix() if target else ""
    writer.update_drop(drop.id, archived_as=where, state=final_state(drop))


def put_away_before(workspace: Workspace, writer: Writer, drop: Any) -> Path | None:
    """Returns where all that was taken of a drop stands already, although nobody has noted it."""
    path = moved_to(workspace, writer, drop)
    try:
        whole = path is not None and drop.sha256 is not None and path.lstat().st_size == drop.position
        return path if path and whole and hash_of(path, drop.position) == drop.sha256 else None
    except OSError:
        return None


def moved_to(workspace: Workspace, writer: Writer, drop: Any) -> Path | None:
    """Returns where a drop stands that has left the inbox; None if somebody else has taken it away."""
    candidates = filing.candidates(home_of(workspace, drop), drop.name, drop.id)
    standing = [path for path in reversed(candidates) if path.exists()]
    others = (
        {one.archived_as for one in writer.drops_called(drop.name) if one.id != drop.id} if standing else ()
    )
    return next(
        (path for path in standing if path.relative_to(workspace.root).as_posix() not in others), None
    )


def home_of(workspace: Workspace, drop: Any) -> Path:
    """Returns where a drop is kept, by what the journal says of it."""
    refused_whole = drop.state == DropState.REFUSED and not drop.accepted
    return workspace.home_of(from_day_number(drop.trade_day), refused_whole=refused_whole)


def final_state(drop: Any) -> DropState:
    return DropState.REFUSED if drop.state == DropState.REFUSED else DropState.DONE


def _id_of(writer: Writer) -> str:
    """The journal's own, short enough for a name."""
    return (writer.get_meta(JOURNAL_ID) or "")[:8]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def _plain_name(refused: RefusedFile) -> str:
    """A name that any file system takes, for a file whose own name may be hostile."""
    name = refused.refusal.value if refused.refusal.code == "FILE_NAME" else refused.name
    return name.replace("\\", "_").replace(":", "_").strip(". ") or "unnamed"
