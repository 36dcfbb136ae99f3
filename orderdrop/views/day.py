"""Models what people and programs are shown of a closed day."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

_CONTRACT: Final = ConfigDict(extra="forbid", frozen=True)


class StayedView(BaseModel):
    """A file that was not put away, and why."""

    model_config = _CONTRACT

    path: str
    why: str


class ReconciledView(BaseModel):
    """An order of which dropped, sent, taken and ended do not tell the same story."""

    model_config = _CONTRACT

    sid: str
    account_id: str
    gateway: str
    symbol: str
    volume: int
    drop: str
    row: int
    sent: int = Field(description="how often it was handed over")
    taken: int | None = Field(
        description="how often it stands in the terminal's upfiles; null: none are kept"
    )
    status: str
    filled_volume: int
    difference: str


class ClosedView(BaseModel):
    """What came of closing a day, as `orderdrop close --json` prints it."""

    model_config = _CONTRACT

    day: str
    at: str
    put_away: int = Field(description="files of the terminals' folders that are in the archive now")
    stayed: list[StayedView]
    taken_back: list[str] = Field(description="order ids that the terminal never took, now expired")
    open: list[str] = Field(description="order ids that are not finished")
    dropped: int
    denied: int
    sent: int
    taken: int | None
    ended: int
    differing: int
    differences: list[ReconciledView]
    faults: list[str]

    @property
    def well(self) -> bool:
        return not (self.stayed or self.differing or self.faults)
