"""Which profile a file is read by: the one that its name carries, else one whose pattern it matches, else one of its folder. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from fnmatch import fnmatchcase

from orderdrop.config.profiles import ProfileSettings
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.inbox.names import Name, read_name, stem_of
from orderdrop.intake.profile import Profile


class Profiles:
    """The profiles of a workspace."""

    def __init__(self, settings: Mapping[str, ProfileSettings]) -> None:
        self._settings = settings
        self._made = {name: described.profile(name) for name, described in settings.items()}
        self._named = {name.casefold(): name for name in settings}

    def named(self, name: str) -> Profile | Refusal:
        """The one of that name, whatever its case."""
        known = self._named.get(name.casefold())
        if known is None:
            return Refusal(Code.PROFILE_UNKNOWN, value=name, bound=", ".join(self._made) or "—")
        return self._made[known]

    def of(self, path: str) -> Profile | Refusal | None:
        """The one for a drop; None: it is read as always. Refused where two would do. path: below the inbox.

        Only files of orders are described so; cancels and the like have one form.
        """
        if not self._made:
            return None
        said = read_name(path.rpartition("/")[2])
        if not isinstance(said, Name) or said.kind is not DropKind.ORDER:
            return None
        folder, _, stem = stem_of(path).rpartition("/")
        carried = self._named.get(stem.rpartition(".")[2]) if "." in stem else None
        if carried is not None:
            return self._made[carried]
        base = _folded(path.rpartition("/")[2])
        found = [
            name
            for name, described in self._settings.items()
            if described.files
            and any(fnmatchcase(one, _folded(described.files)) for one in (base, f"{stem}{said.suffix}"))
        ] or [
            name
            for name, described in self._settings.items()
            if described.folder and _folded(described.folder) == folder
        ]
        if len(found) > 1:
            return Refusal(Code.PROFILE_SEVERAL, value=path, bound=", ".join(found))
        return self._made[found[0]] if found else None


NO_PROFILES = Profiles({})


def carrying(name: str, profile: str) -> str:
    """The name of a file with its profile in it: `basket.eastmoney.csv`."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{profile}{dot}{suffix}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
