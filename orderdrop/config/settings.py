"""The settings: `orderdrop.toml`, then `ORDERDROP_…` variables. All optional; an unknown key is an error.

`load` is the door. Names, defaults and meanings of every setting stand here (those of limits in checks/bounds.py, where they are
obeyed) and nowhere else; `init` and the README are made from these descriptions.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from orderdrop.config import faults
from orderdrop.config.limits import AccountLimits, Limits, StrategyLimits
from orderdrop.config.workspace import SETTINGS_FILE, Workspace
from orderdrop.errors import ConfigError

PREFIX = "ORDERDROP_"


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


class OutboxSettings(_Section):
    """The result files."""

    format: Literal["csv", "csv+dbf"] = Field(
        "csv", description="csv+dbf: each of them as dbf as well, which needs orderdrop[dbf] 结果文件格式"
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
    language: Literal["zh+en", "zh", "en"] = Field("zh+en", description="language of messages 消息语言")


class CloseSettings(_Section):
    """The day's end: what the terminals' folders still hold is put into the archive, and the day is reconciled."""

    auto: bool = Field(
        True, description="by itself after `at` on weekdays, for live gateways 收盘后自动归档(实盘通道)"
    )
    at: time = Field(
        time(15, 30),
        description="Shanghai time; before it, `orderdrop close` leaves live gateways alone 北京时间",
    )


class FeeSettings(_Section):
    """What the paper broker charges; defaults as in docs/rules.md, in yuan and fractions of the turnover."""

    commission: Decimal = Field(Decimal("0.00025"), ge=0, description="commission rate 佣金率")
    commission_minimum: Decimal = Field(Decimal(5), ge=0, description="yuan an order 最低佣金")
    stamp_duty: Decimal = Field(Decimal("0.0005"), ge=0, description="on sells of shares 印花税")
    transfer_fee: Decimal = Field(Decimal("0.00001"), ge=0, description="on shares, both sides 过户费")


class OpeningPosition(_Section):
    """What a new account holds of a symbol."""

    volume: int = Field(ge=1, description="shares 股数")
    cost: Decimal | None = Field(
        None, gt=0, description="yuan a share; left out, the reference price, else the first trade's 成本价"
    )


class PaperSettings(_Section):
    """The paper broker that is built in."""

    type: Literal["paper"] = "paper"
    live: bool = Field(False, description="always simulated unless you say otherwise 是否实盘")
    cash: Decimal = Field(Decimal(1_000_000), ge=0, description="yuan in each new account 初始资金")
    positions: dict[str, int | OpeningPosition] = Field(
        default_factory=dict,
        description="shares in each new account, by symbol, or {volume = 1000, cost = 9.8} 初始持仓",
    )
    quotes: Path = Field(
        Path("quotes.csv"), description="reference prices for market orders: symbol,price 参考价文件"
    )
    simulate: bool = Field(True, description="answer the terminal's simulated symbols as 掘金 does 仿真代码")
    fees: FeeSettings = Field(default_factory=FeeSettings)

    @property
    def opening(self) -> dict[str, OpeningPosition]:
        """What a new account holds, by symbol as it is written there."""
        return {
            symbol: held
            if isinstance(held, OpeningPosition)
            else OpeningPosition.model_construct(volume=held)
            for symbol, held in self.positions.items()
        }


class RemoteSettings(_Section):
    """What all gateways have in common whose broker is another program."""

    live: bool = Field(True, description="false: a simulated account or a stand-in terminal 是否实盘")
    window: int = Field(
        100,
        ge=1,
        le=100_000,
        description="most orders handed over and not confirmed yet 未确认委托上限(窗口)",
    )
    confirm_timeout: float = Field(
        5,
        gt=0,
        le=3600,
        description="seconds until an unconfirmed order is UNKNOWN, with an alarm 确认超时(秒)",
    )
    lost_after: float = Field(
        60,
        ge=0,
        le=86400,
        description="seconds of silence about a whole file before it can be called lost 整份文件无回报多久才可能判漏单(秒)",
    )
    resend: Literal["ask", "auto", "never"] = Field(
        "ask", description="what happens to an order that is proven to have never arrived 证明漏单后"
    )
    fills_timeout: float = Field(
        30,
        gt=0,
        le=3600,
        description="seconds to wait for the fills of an order that is said to be filled 等待成交明细(秒)",
    )
    sells_first: bool = Field(
        False, description="in a batch, sells go before buys, so that their cash is there 同批先卖后买"
    )


class GoldminerSettings(RemoteSettings):
    """掘金 and 东财 EMC file orders 文件单."""

    type: Literal["goldminer"] = "goldminer"
    scan_dir: Path = Field(
        description="the folder that the terminal scans 终端扫单目录", examples=["D:/goldminer/scan"]
    )
    push_dir: Path = Field(
        description="the folder that the terminal writes its output to 终端输出目录",
        examples=["D:/goldminer/push"],
    )
    archive_dir: Path | None = Field(
        None,
        description="the terminal's archive, if it keeps one 终端归档目录",
        examples=["D:/goldminer/archive"],
    )
    scan_name: str = Field(
        "fileorder_s01", min_length=1, description="the name of the 文件单 setting in the terminal 文件单名称"
    )
    format: Literal["csv", "dbf"] = Field("csv", description="of the files that are handed over 文件格式")
    staging_dir: Path | None = Field(
        None,
        description="where files are made ready, on scan_dir's volume; default: scan_dir + “.orderdrop” 暂存目录",
        examples=["D:/goldminer/scan.orderdrop"],
    )
    fin: bool = Field(
        True,
        description="tell the terminal by a .fin file that it may take a file away; without it nothing can be proven lost 写 .fin",
    )
    poll_interval: float = Field(
        0.2,
        gt=0,
        le=60,
        description="seconds between looks at the output; file events wake it earlier 轮询间隔(秒)",
    )

    @model_validator(mode="after")
    def _has_a_staging(self) -> GoldminerSettings:
        if self.staging_dir is None and not self.scan_dir.name:
            raise ValueError(
                "scan_dir 是整个盘或共享的根 → 另设 staging_dir，用同一个盘上的单独文件夹"
                " / scan_dir is the root of a volume or share → set staging_dir, a folder of its own on it"
            )
        return self

    def below(self, root: Path) -> GoldminerSettings:
        """With relative folders taken as below `root`."""
        folders = {name: getattr(self, name) for name in _FOLDERS}
        return self.model_copy(update={name: path and root / path for name, path in folders.items()})

    @property
    def staging(self) -> Path:
        """Where files are made ready: beside the scan folder, so on its volume; one for each scan folder, whoever writes to it."""
        if self.staging_dir is not None:
            return self.staging_dir
        return self.scan_dir.with_name(f"{self.scan_dir.name}.orderdrop")


class DeliveringSettings(RemoteSettings):
    """Of gateways whose terminal knows the day's securities."""

    instruments: bool = Field(
        True, description="ask the terminal for the day's limit prices and the like 向终端索取当日证券资料"
    )


class GmSettings(DeliveringSettings):
    """掘金's API, through its package gm 掘金接口."""

    type: Literal["gm"] = "gm"
    token: SecretStr | None = Field(
        None,
        description="the user's token; better in a variable, or in token_file 掘金 token",
        examples=["…"],
    )
    token_file: Path | None = Field(
        None,
        description="a file that holds nothing but the token; relative to the workspace 存放 token 的文件",
        examples=["D:/goldminer/token.txt"],
    )
    serv_addr: str = Field(
        "", description="host:port of the terminal, if it runs on another computer 终端服务地址"
    )
    strategy_id: str = Field(
        "", description="a strategy of the terminal that the orders are to belong to 终端里的策略编号"
    )
    call_timeout: float = Field(
        5, gt=0, le=600, description="seconds to wait for an answer; after that nobody knows 接口超时(秒)"
    )
    poll_interval: float = Field(
        0.5, gt=0, le=60, description="seconds between queries of orders and fills 查询间隔(秒)"
    )

    def below(self, root: Path) -> GmSettings:
        """With a relative path taken as below `root`."""
        return self.model_copy(update={"token_file": self.token_file and root / self.token_file})

    def secret(self) -> str:
        """The token. Raises ConfigError, and never shows it."""
        if self.token is not None and self.token.get_secret_value():
            return self.token.get_secret_value()
        try:
            found = self.token_file.read_text(encoding="utf-8-sig").strip() if self.token_file else ""
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"读不到 token 文件 / the token file cannot be read: {self.token_file}: {error}"
            ) from None
        if not found:
            raise ConfigError(
                "掘金接口需要 token: 设置 token_file,或环境变量 ORDERDROP_GATEWAYS__<通道名>__TOKEN / "
                "掘金's API needs a token: set token_file, or the variable ORDERDROP_GATEWAYS__<NAME>__TOKEN"
            )
        return found


class MiniqmtSettings(DeliveringSettings):
    """MiniQMT: a broker's QMT terminal in its 极简 (独立交易) mode, through the vendor's package xtquant."""

    type: Literal["miniqmt"] = "miniqmt"
    userdata_dir: Path = Field(
        description="the terminal's folder userdata_mini 终端的 userdata_mini 文件夹",
        examples=["D:/QMT/userdata_mini"],
    )
    account_type: Literal["STOCK", "CREDIT"] = Field(
        "STOCK",
        description="CREDIT: a margin account, which takes credit orders too 账户类型(信用账户用 CREDIT)",
    )
    in_flight: int = Field(
        32,
        ge=1,
        le=1000,
        description="most orders given to the API and not answered by it yet 未应答请求上限",
    )
    answer_timeout: float = Field(
        5, gt=0, le=600, description="seconds until an unanswered call counts as unknown 接口应答超时(秒)"
    )
    connect_timeout: float = Field(
        15, gt=0, le=600, description="seconds for connecting and the first full query 连接超时(秒)"
    )
    query_interval: float = Field(
        5,
        gt=0,
        le=600,
        description="seconds between full queries, the net below lost events 全量查询间隔(秒)",
    )

    def below(self, root: Path) -> MiniqmtSettings:
        """With a relative folder taken as below `root`."""
        return self.model_copy(update={"userdata_dir": root / self.userdata_dir})


_FOLDERS = ("scan_dir", "push_dir", "archive_dir", "staging_dir")


def _type_of(values: Any) -> str:
    return str(values.get("type", "paper") if isinstance(values, dict) else getattr(values, "type", "paper"))


GatewaySettings = Annotated[
    Annotated[PaperSettings, Tag("paper")]
    | Annotated[GoldminerSettings, Tag("goldminer")]
    | Annotated[GmSettings, Tag("gm")]
    | Annotated[MiniqmtSettings, Tag("miniqmt")],
    Discriminator(_type_of),
]


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


def _only_paper() -> dict[str, GatewaySettings]:
    return {"paper": PaperSettings()}


GatewayName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
"""It becomes part of file names."""


class Settings(BaseSettings):
    """All settings of a workspace."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    inbox: InboxSettings = Field(default_factory=InboxSettings)
    outbox: OutboxSettings = Field(default_factory=OutboxSettings)
    archive: ArchiveSettings = Field(default_factory=ArchiveSettings)
    journal: JournalSettings = Field(default_factory=JournalSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    close: CloseSettings = Field(default_factory=CloseSettings)
    gateways: dict[GatewayName, GatewaySettings] = Field(default_factory=_only_paper, min_length=1)
    accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    strategies: dict[str, StrategySettings] = Field(default_factory=dict)
    limits: Limits = Field(default_factory=Limits)
    switches: SwitchSettings = Field(default_factory=SwitchSettings)
    instruments: InstrumentSettings = Field(default_factory=InstrumentSettings)
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)

    @field_validator("accounts")
    @classmethod
    def _aliases_are_unique(cls, accounts: dict[str, AccountSettings]) -> dict[str, AccountSettings]:
        names = [name for key, account in accounts.items() for name in (key, account.alias) if name]
        twice = {name for name in names if [*map(str.casefold, names)].count(name.casefold()) > 1}
        if twice:
            names_twice = ", ".join(sorted(twice))
            raise ValueError(
                f"账户号或别名用了两次：{names_twice} → 每个别名只给一个账户"
                f" / used twice as account id or alias: {names_twice} → give each account an alias of its own"
            )
        return accounts

    @field_validator("strategies")
    @classmethod
    def _strategies_are_unique(cls, strategies: dict[str, StrategySettings]) -> dict[str, StrategySettings]:
        """Names are compared casefolded, as Windows compares the folders that they may be."""
        spelled = [name.strip().casefold() for name in strategies]
        twice = {name for name in strategies if spelled.count(name.strip().casefold()) > 1}
        if twice:
            same = ", ".join(sorted(twice))
            raise ValueError(
                f"策略重名（不分大小写）：{same} → 给其中一个改名"
                f" / used twice as a strategy, whatever the case: {same} → rename one"
            )
        return strategies

    @model_validator(mode="after")
    def _accounts_have_a_gateway(self) -> Settings:
        for account_id, account in self.accounts.items():
            if account.gateway is None and len(self.gateways) > 1:
                raise ValueError(
                    f'有 {len(self.gateways)} 个通道，[accounts.{account_id}] 没有写用哪一个 → 在它下面写 gateway = "{next(iter(self.gateways))}"'
                    f" / there are {len(self.gateways)} gateways, and [accounts.{account_id}] names none"
                    f' → write gateway = "{next(iter(self.gateways))}" below it'
                )
            if account.gateway is not None and account.gateway not in self.gateways:
                there = ", ".join(self.gateways)
                raise ValueError(
                    f"[accounts.{account_id}] 的通道 “{account.gateway}” 不存在 → 已有的通道：{there}"
                    f" / [accounts.{account_id}]: there is no gateway “{account.gateway}” → the gateways are {there}"
                )
        if not self.accounts and len(self.gateways) > 1:
            raise ValueError(
                "有几个通道，却没有 [accounts.<账户>] 说明哪个账户用哪个 → 每个账户写一个 [accounts.<账户>]，下面写 gateway"
                " / several gateways, but no [accounts.<id>] says which account uses which → write one for each account, with its gateway"
            )
        return self

    @model_validator(mode="after")
    def _folders_mean_one_thing(self) -> Settings:
        """A sub-folder of the inbox names an account or a strategy."""
        names = {name for key, account in self.accounts.items() for name in (key, account.alias) if name}
        spelled = {name.strip().casefold() for name in self.strategies}
        if both := {name for name in names if name.strip().casefold() in spelled}:
            same = ", ".join(sorted(both))
            raise ValueError(
                f"账户和策略同名：{same} → 给其中一个改名，收件箱的子文件夹才不会有两个意思"
                f" / an account and a strategy have the same name: {same} → rename one: a folder of the inbox means one thing"
            )
        return self

    def bound(self, gateway: str) -> bool:
        """Whether a gateway is held to sessions, cash and the rest."""
        return self.gateways[gateway].live or self.limits.as_live

    def accounts_of(self, gateway: str) -> list[str]:
        """The accounts named here that use a gateway."""
        return [account_id for account_id in self.accounts if self.gateway_of(account_id) == gateway]

    def account_id(self, named: str | None) -> str | None:
        """An account by id or alias; one that is not named here stays as it is."""
        known = {account.alias: key for key, account in self.accounts.items() if account.alias}
        return None if named is None else known.get(named, named)

    @property
    def fingerprint(self) -> str:
        """The same for settings that mean the same, however they are written."""
        values = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(values.encode()).hexdigest()

    @property
    def credit_accounts(self) -> frozenset[str]:
        """The accounts named here that take credit orders."""
        return frozenset(
            account_id
            for account_id in self.accounts
            if getattr(self.gateways[self.gateway_of(account_id)], "account_type", "") == "CREDIT"
        )

    def gateway_of(self, account_id: str) -> str:
        """The gateway's name. Accounts that are not named here use the only gateway."""
        account = self.accounts.get(account_id)
        return account.gateway if account and account.gateway else next(iter(self.gateways))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over the file, which is passed as init values."""
        return env_settings, init_settings


def load(root: Path) -> tuple[Settings, Workspace]:
    """Read the settings of the workspace at `root`.

    Raises:
        ConfigError: the folder is missing, or the settings are wrong; the message names file, key and remedy.
    """
    root = root.expanduser().absolute()
    if not root.is_dir():
        raise ConfigError(f"没有这个文件夹 / no such folder: {root}")
    path = root / SETTINGS_FILE
    text = _read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_told(path, text, [faults.of_toml(error, text)])) from None
    _refuse_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigError(_told(path, text, faults.of_settings(error, Settings, text))) from None
    return settings, Workspace(root, root / settings.inbox.path)


def _read_text(path: Path) -> str:
    """Return no text when there is no file: every setting has a default."""
    try:
        return faults.decode(path.read_bytes()).replace("\r\n", "\n")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path}: 编码读不懂 / the encoding cannot be read\n  → 另存为 UTF-8 / save it as UTF-8"
        ) from None


def _told(path: Path, text: str, faults: Sequence[faults.Fault]) -> str:
    lines = text.splitlines()
    return "\n".join([f"{path}: 设置有误 / settings are wrong", *(fault.text(lines) for fault in faults)])


# Read by others: failpoints of the crash tests, and the command line's own options.
_OTHER_VARIABLES = frozenset({"ORDERDROP_FAILPOINT", "ORDERDROP_WORKSPACE"})


def _refuse_unknown_variables() -> None:
    known = set(Settings.model_fields)
    for name in os.environ:
        if not name.upper().startswith(PREFIX) or name.upper() in _OTHER_VARIABLES:
            continue
        section = name[len(PREFIX) :].split("__")[0].lower()
        if section not in known:
            raise ConfigError(
                f"环境变量 {name} 不是设置项 / the variable {name} is no setting; sections: {', '.join(sorted(known))}"
            )
