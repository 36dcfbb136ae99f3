"""The tables [gateways.<name>] of orderdrop.toml: a model for each type of gateway."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, SecretStr, StringConstraints, Tag, model_validator

from orderdrop.config.sections import _Section
from orderdrop.errors import ConfigError

PAPER_ACCOUNT: Final = "paper"
"""The account of orders that name none, in a workspace without settings."""


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
        Path("quotes.csv"),
        description="reference prices for market orders, columns symbol,price; else the last fill, else instruments.csv 参考价文件",
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


def _only_paper() -> dict[str, GatewaySettings]:
    return {"paper": PaperSettings()}


GatewayName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
"""It becomes part of file names."""
