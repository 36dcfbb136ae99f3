"""Which switches hold now: those that lie in the inbox, those that closed by themselves, and whom each of them binds."""

from __future__ import annotations

from orderdrop.accounts.routing import Routing
from orderdrop.domain.switches import Switches, with_accounts
from orderdrop.errors import JournalError
from orderdrop.inbox.scanner import Inbox
from orderdrop.journal.journal import Journal
from orderdrop.risk.breakers import CircuitBreakers


class Switchboard:
    """Used from the router's thread. A switch that names no account which is known binds all of them."""

    def __init__(self, inbox: Inbox, journal: Journal, desk: Routing, breakers: CircuitBreakers) -> None:
        self._inbox = inbox
        self._journal = journal
        self._desk = desk
        self._breakers = breakers
        self._named = Switches()
        self._traded: dict[str, bool] = {}  # whether the accounts that switches name have ever had an order
        self._unread = False

    def watch(self) -> None:
        """Looks at the machine, and asks the journal again where it did not answer in the turn before."""
        if self._unread:
            self._traded, self._unread = {}, False
        self._breakers.watch()

    @property
    def switches(self) -> Switches:
        named = self._inbox.switches
        if named != self._named:
            self._named, self._traded = named, {}
        return self._breakers.over(with_accounts(named, self._desk.accounts, self._has_traded))

    def _has_traded(self, account_id: str) -> bool:
        """Says it of an account that no setting names. The journal is asked once for each switch that lies in the inbox."""
        if account_id not in self._traded:
            try:
                with self._journal.transaction() as writer:
                    known = account_id == self._desk.default_account or writer.has_traded(account_id)
            except JournalError:
                known, self._unread = False, True  # for this turn the switch binds all
            self._traded[account_id] = known
        return self._traded[account_id]
