"""What the doctor says of one thing: how bad it is, what was found, what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from orderdrop.domain.refusal import Language, both


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """Orders pass, but something is amiss or slow, or will be in the way later."""

    WRONG = "wrong"
    """Orders will not pass, or nobody could tell their results."""


class Finding(NamedTuple):
    """check: a stable name. where: the folder, gateway or account that was looked at. remedy: empty when all is well."""

    level: Level
    check: str
    where: str
    zh: str
    en: str
    remedy_zh: str = ""
    remedy_en: str = ""

    def view(self, language: Language) -> FindingView:
        return FindingView(
            level=self.level,
            check=self.check,
            where=self.where,
            finding=both(self.zh, self.en, language),
            remedy=both(self.remedy_zh, self.remedy_en, language),
        )


class FindingView(BaseModel):
    """One finding, as `orderdrop doctor --json` prints it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Level
    check: str = Field(description="stable name of what was looked at, such as `scan.leftovers`")
    where: str = Field(description="folder, gateway or account")
    finding: str
    remedy: str = Field(description="what to do; empty when all is well")
