"""All settings of a workspace: the tables of orderdrop.toml in one model, and the rules that hold between them.

The tables stand in sections.py, gateways.py and limits.py, each with its defaults and meanings; `init` and the README are made from these
descriptions. `sources.load` reads them. An unknown key is an error.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import (
    Field,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from orderdrop.config.gateways import GatewayName, GatewaySettings, _only_paper
from orderdrop.config.limits import Limits
from orderdrop.config.names import alike, is_reserved, why_unfit
from orderdrop.config.profiles import ProfileSettings, must_have_names
from orderdrop.config.sections import (
    AccountSettings,
    ArchiveSettings,
    CalendarSettings,
    CloseSettings,
    InboxSettings,
    InstrumentSettings,
    JournalSettings,
    LogSettings,
    StrategySettings,
    SwitchSettings,
    _Section,
)

PREFIX = "ORDERDROP_"


class OutboxSettings(_Section):
    """The result files."""

    format: Literal["csv", "csv+dbf"] = Field(
        "csv", description="csv+dbf: each of them as dbf as well, which needs orderdrop[dbf] 结果文件格式"
    )


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
    profiles: dict[str, ProfileSettings] = Field(default_factory=dict)
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

    @field_validator("accounts", "strategies", "gateways")
    @classmethod
    def _names_fit_files(cls, named: dict[str, Any]) -> dict[str, Any]:
        """Each becomes the name of a folder or of a switch: `HALT.<account>`."""
        for name in named:
            if (why := why_unfit(name)) is not None:
                raise ValueError(
                    f"名称 “{name}” {why[0]}：它会成为文件名 → 换一个名称 / the name “{name}” {why[1]}: it becomes the name of a file → use another"
                )
        return named

    @field_validator("gateways")
    @classmethod
    def _gateways_are_unique(cls, gateways: dict[str, Any]) -> dict[str, Any]:
        if twice := alike(gateways):
            same = ", ".join(twice)
            raise ValueError(
                f"通道重名（不分大小写）：{same} → 给其中一个改名 / used twice as a gateway, whatever the case: {same} → rename one"
            )
        if reserved := [name for name in gateways if is_reserved(name)]:
            raise ValueError(
                f"通道名 {reserved[0]} 是 Windows 的设备名 → 换一个名称 / {reserved[0]} is a device's name on Windows → use another"
            )
        return gateways

    @field_validator("strategies")
    @classmethod
    def _strategies_are_unique(cls, strategies: dict[str, StrategySettings]) -> dict[str, StrategySettings]:
        """Names are compared casefolded, as Windows compares the folders that they may be."""
        if twice := alike(strategies):
            same = ", ".join(twice)
            raise ValueError(
                f"策略重名（不分大小写）：{same} → 给其中一个改名"
                f" / used twice as a strategy, whatever the case: {same} → rename one"
            )
        return strategies

    @field_validator("profiles")
    @classmethod
    def _profiles_are_unique(cls, profiles: dict[str, ProfileSettings]) -> dict[str, ProfileSettings]:
        must_have_names(profiles)
        return profiles

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
        values = self.model_dump(mode="json")
        del values["log"]["language"]  # of whoever looks: a service and its user may speak two
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

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
