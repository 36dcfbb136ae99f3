"""The tables of orderdrop.toml, but for those of gateways and limits: every key, its default and meaning."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from orderdrop.config.limits import AccountLimits, StrategyLimits
from orderdrop.domain.language import Language
from orderdrop.system.tongue import language_of_system


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InboxSettings(_Section):
    """The folder that is watched."""

    path: Path = Field(
        Path("inbox"), description="the watched folder, relative to the workspace 监视的文件夹"
    )
    scan_interval: float = Field(
        0.5, gt=0, le=60, description="seconds between scans of the folder 扫描间隔(秒)"
    )
    settle: float = Field(
        0.3, ge=0, le=60, description="seconds of quiet before a file counts as finished 静默多久算写完(秒)"
    )
    torn_timeout: float = Field(
        10, gt=0, le=3600, description="seconds before a last line without newline is refused 残行等待(秒)"
    )
    events: bool = Field(
        True, description="let file events wake the scan early; false on network shares 使用文件事件"
    )
    on_bad_row: Literal["reject-file", "reject-row"] = Field(
        "reject-file",
        description="a basket goes whole or not at all, or row by row; followed files always go row by row 有坏行时",
    )
    on_repeat: Literal["hold", "duplicate", "new"] | None = Field(
        None,
        examples=["hold"],
        description="rows without a sid that come again in a changed file, or a copy of it; left out: hold, workbooks duplicate"
        " 改过的文件或其副本里重复的无编号行",
    )
    sid_scope: Literal["forever", "day"] = Field(
        "forever", description="a sid is used once for ever, or once a trading day 编号唯一范围"
    )
    max_bytes: int = Field(32 * 1024 * 1024, gt=0, description="largest file in bytes 文件上限(字节)")
    max_rows: int = Field(200_000, gt=0, lt=2**31, description="most rows in one file 行数上限")
    hold: bool = Field(False, description="hold every order until `orderdrop release` 全部暂存,手工放行")
    group: str = Field(
        "",
        description="a group of this machine that may drop files and read the outbox, not on Windows 可投单的用户组",
    )
    archive_after: float = Field(
        2, ge=0, le=86400, description="seconds of quiet before a finished file is archived 归档前静默(秒)"
    )


class ArchiveSettings(_Section):
    """What was taken and sent, a folder a day."""

    compress_after: int = Field(
        0,
        ge=0,
        description="days after which a day's folder becomes a zip beside it; 0: never 多少天后压缩(0 不压缩)",
    )


class JournalSettings(_Section):
    """The durable truth."""

    url: str = Field(
        "sqlite:///journal.db",
        description="SQLite on a local disk; a relative path is below the workspace 日志库",
    )


class LogSettings(_Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="of .orderdrop/orderdrop.log 日志级别"
    )
    language: Annotated[
        Language,
        BeforeValidator(lambda said: language_of_system() if said == "system" else said),
        WithJsonSchema({"enum": ["system", "zh+en", "zh", "en"], "type": "string"}),
    ] = Field(
        "system",
        validate_default=True,
        description="of messages; system: Chinese where the system is, both where it does not say 消息语言",
    )


class CloseSettings(_Section):
    """The day's end: what the terminals' folders still hold is put into the archive, and the day is reconciled."""

    auto: bool = Field(
        True, description="by itself after `at` on weekdays, for live gateways 收盘后自动归档(实盘通道)"
    )
    at: time = Field(
        time(15, 30),
        description="Shanghai time; before it, `orderdrop close` leaves live gateways alone 北京时间",
    )


class AccountSettings(_Section):
    gateway: str | None = Field(
        None, description="name of a gateway; may be left out when there is only one 通道"
    )
    alias: str | None = Field(None, description="a short name for this account in files 别名")
    limits: AccountLimits = Field(default_factory=AccountLimits)


class StrategySettings(_Section):
    hold: bool = Field(False, description="hold this strategy's orders until release 暂存该策略的委托")
    limits: StrategyLimits = Field(default_factory=StrategyLimits)


class InstrumentSettings(_Section):
    """What is known of each security today; it wins over the boards' general rules."""

    path: Path = Field(
        Path("instruments.csv"),
        description="symbol and what is known: docs/checks.md. Its prices count on the day it was written 证券资料文件",
    )
    last_age: float = Field(
        60, gt=0, le=86400, description="seconds for which its last prices count 最新价有效期(秒)"
    )


class SwitchSettings(_Section):
    """When new orders stop by themselves, until `orderdrop resume`. Counts, clock and disk: on live gateways; 0: never."""

    rejects_per_minute: int = Field(20, ge=0, description="the broker's, of an account 一分钟废单上限")
    denials_per_minute: int = Field(200, ge=0, description="our own, of an account 一分钟拒单上限")
    day_loss: Decimal | None = Field(
        None, gt=0, description="yuan an account may lose in a day; then it may only reduce 当日亏损上限",
        examples=[Decimal(50_000)],
    )  # fmt: skip
    day_turnover: Decimal | None = Field(
        None, gt=0, description="yuan an account may trade in a day; then it may only reduce 当日成交上限",
        examples=[Decimal(20_000_000)],
    )  # fmt: skip
    clock_jump: float = Field(5, ge=0, description="seconds by which the clock may jump 时钟跳动上限(秒)")
    free_disk: int = Field(200, ge=0, description="megabytes that must be free on the disk 磁盘剩余下限(MB)")


class CalendarSettings(_Section):
    """Trading days and sessions; live gateways are held to them."""

    path: Path = Field(
        Path("calendar.csv"), description="closed days of whole years: orderdrop calendar --write 休市日文件"
    )
    extra_closed: tuple[date, ...] = Field(
        (),
        description="days without trading, whatever the calendar says 额外休市日",
        examples=[["2026-12-31"]],
    )
    extra_open: tuple[date, ...] = Field(
        (), description="days with trading, whatever the calendar says 额外交易日", examples=[["2026-12-30"]]
    )
    outside_session: Literal["hold", "refuse"] = Field(
        "hold", description="an order that comes too early waits for its session, or is refused 时段之外"
    )
