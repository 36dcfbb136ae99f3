"""Gives a command the workspace that it works in. Everything is loaded when it is first asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orderdrop.errors import ConfigError, JournalError, OrderdropError
from orderdrop.service.log import set_up_log

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from orderdrop.config.settings import Settings
    from orderdrop.config.workspace import Workspace
    from orderdrop.domain.refusal import Language
    from orderdrop.domain.switches import ScopeKey
    from orderdrop.journal.reader import Reading


class Place:
    """A workspace, given by its folder; nothing is made or changed by looking at it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def _loaded(self) -> tuple[Settings, Workspace]:
        from orderdrop.config.sources import load  # noqa: PLC0415  pydantic is heavy

        return load(self.root)

    @property
    def settings(self) -> Settings:
        """Raises ConfigError."""
        return self._loaded[0]

    @property
    def workspace(self) -> Workspace:
        return self._loaded[1]

    @property
    def language(self) -> Language:
        return self.settings.log.language

    @property
    def names(self) -> Mapping[str, str]:
        """What securities are called, by symbol."""
        from orderdrop.market.names import names_of  # noqa: PLC0415

        return names_of(self.settings, self.workspace)

    def account_name(self, account_id: str) -> str:
        """The alias of an account, which people know, or its id where it has none."""
        named = self.settings.accounts.get(account_id)
        return (named.alias if named else None) or account_id

    @cached_property
    def today(self) -> date:
        from orderdrop.system.clock import SystemClock, trade_date  # noqa: PLC0415

        return trade_date(SystemClock().now())

    def must_exist(self) -> None:
        """Raises ConfigError where nobody has made a workspace: an order for a wrong folder would never be traded."""
        here = self.workspace
        cloned = (here.root / ".git").exists()  # the source itself has an inbox and an archive to look at
        if not (here.settings.exists() or here.state.is_dir() or (here.inbox.is_dir() and not cloned)):
            raise ConfigError(
                f"这里不是工作区 / this is no workspace: {here.root}\n"
                "  用 orderdrop init 建立，或用 -C 指定 / make one with orderdrop init, or name one with -C"
            )

    @contextmanager
    def journal(self) -> Iterator[Reading | None]:
        """The journal, to read only; None when there is none yet. Raises JournalError when it cannot be read."""
        from orderdrop.journal.reader import Reading  # noqa: PLC0415  SQLAlchemy is heavy

        with self.connection() as connection:
            yield None if connection is None else Reading(connection)

    @contextmanager
    def connection(self) -> Iterator[Connection | None]:
        """As `journal`, for those who ask in another way; in one state, whatever is written meanwhile."""
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

        from orderdrop.journal.journal import reading_engine, snapshot  # noqa: PLC0415

        try:
            engine = reading_engine(self.settings.journal.url, self.workspace.root)
        except JournalError:
            yield None
            return
        try:
            with snapshot(engine) as connection:
                yield connection
        except DBAPIError as error:
            raise JournalError(f"日志库读不出来 / the journal cannot be read: {error.orig}") from None
        finally:
            engine.dispose()

    def bound_by(self, key: ScopeKey) -> ScopeKey:
        """Whom a switch binds, as the router takes it. Raises JournalError."""
        from orderdrop.accounts.routing import Routing  # noqa: PLC0415
        from orderdrop.domain.switches import bound_by  # noqa: PLC0415
        from orderdrop.journal.lookups import has_traded  # noqa: PLC0415

        desk = Routing(self.settings, {})

        def traded(name: str) -> bool:
            if name == desk.default_account:
                return True
            with self.connection() as real:
                return real is not None and has_traded(real, name)

        return bound_by(key, desk.accounts, traded)

    @property
    def routed(self) -> bool:
        """Whether a router runs here."""
        from orderdrop.views.running import is_running  # noqa: PLC0415

        return is_running(self.workspace)

    @property
    def in_force(self) -> bool:
        """False while a router runs here that was started with other settings."""
        from orderdrop.views.running import has_settings  # noqa: PLC0415

        return has_settings(self.workspace, self.settings)


pass_place: Callable[..., Callable[..., None]] = click.make_pass_decorator(Place)


@contextmanager
def logged(place: Place) -> Iterator[None]:
    log = logging.getLogger("orderdrop")
    before = (log.handlers, log.level, log.propagate)
    set_up_log(place.settings, place.workspace)
    ours = log.handlers
    try:
        yield
    except OrderdropError as error:
        log.error("%s", error)  # who started it without a console looks here
        raise
    except Exception:
        log.exception("意外中止 / ended by an unexpected fault")
        raise
    finally:
        log.handlers, log.propagate = before[0], before[2]
        log.setLevel(before[1])
        for handler in ours:
            handler.close()
