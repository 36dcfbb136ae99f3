"""Keeps a connection to MiniQMT: one session after the other with back-off, and full queries, which are the net below lost events.

Used from the router's thread; sessions put events into its queue. No order goes before a full query has told all that the
terminal has: until then the link is not `ready`.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from orderdrop.config.gateways import MiniqmtSettings
from orderdrop.gateway.miniqmt import events as ev
from orderdrop.gateway.miniqmt.codes import ACCOUNT_OK
from orderdrop.gateway.miniqmt.session import QUESTIONS, Session
from orderdrop.system.clock import Clock, Micros

log = logging.getLogger(__name__)

BACK_OFF: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each next attempt to connect; the last one again and again."""

_READS_KEPT: Final = 20


class Link:
    """The connection, as the gateway sees it.

    reads: by account, when the complete queries of this session began, oldest first. down: why there is no connection, "" while there
    is one. sessions: how many there were, so that a change of session can be seen.
    """

    def __init__(self, settings: MiniqmtSettings, accounts: Sequence[str], clock: Clock) -> None:
        self._settings = settings
        self._accounts = accounts
        self._clock = clock
        self._events: deque[tuple[int, ev.Event]] = deque()
        self._came = threading.Event()
        self._session: Session | None = None
        self._since = self._next_attempt = Micros(0)
        self._failures = 0
        self._up = False
        self._states: dict[str, int] = {}
        self._round = 0
        self._begun: Micros | None = None  # of the round under way
        self._asked_at: Micros | None = None
        self._answers: dict[str, dict[str, Any]] = {}
        self._unread: dict[str, list[str]] = defaultdict(list)  # of the round under way, by account
        self.reads: dict[str, list[Micros]] = defaultdict(list)
        self.sessions = 0
        self.down = "还没有连接 / not connected yet"

    @property
    def ready(self) -> bool:
        return self._up and all(self.reads.get(account) for account in self._accounts) and not self.sick

    @property
    def sick(self) -> list[str]:
        """Accounts that the terminal says are not logged in."""
        return [account for account, state in self._states.items() if state not in ACCOUNT_OK]

    @property
    def session(self) -> Session | None:
        """The session of now, None while there is none that works."""
        return self._session if self._up else None

    @property
    def trouble(self) -> str:
        """Why nothing can be handed over, for people."""
        if self.down:
            return self.down
        return (
            f"账号未登录 / not logged in: {', '.join(self.sick)}" if self.sick else "正在查询 / still asking"
        )

    def pump(self) -> Iterator[ev.Event | ev.Full]:
        """What came since the last time, in its order; connects and asks when it is time for that."""
        self._came.clear()
        while self._events:
            number, event = self._events.popleft()
            if self._session is None or number != self._session.number:
                continue
            yield from self._hear(event)
        self._keep_up()

    def wait(self, seconds: float) -> None:
        """Until there is an event, at most `seconds`."""
        if not self._events:
            self._came.wait(seconds)

    def close(self) -> None:
        self._drop("已关闭 / closed")

    def drop(self, words: str) -> None:
        """This session is no good any more; the next one begins after a while."""
        log.error("MiniQMT 断开,将重连 / the connection is lost, will connect again: %s", words)
        self._drop(words)

    # details

    def _hear(self, event: ev.Event) -> Iterator[ev.Event | ev.Full]:
        match event:
            case ev.Up():
                self._up, self.down = True, ""
                log.warning("MiniQMT 已连接 / connected, session %s", self.sessions)
            case ev.Down():
                self.drop(event.words)
                yield event
            case ev.AccountState():
                self._states[event.account_id] = event.state
            case ev.Answer():
                yield from self._answered(event)
            case _:
                yield event

    def _keep_up(self) -> None:
        now = self._clock.now()
        if self._session is None:
            if now >= self._next_attempt:
                self._connect(now)
        elif not self._up:
            if _over(self._since, now, self._settings.connect_timeout):
                self.drop("连接超时 / no answer while connecting")
        elif self._begun is not None:
            if _over(self._begun, now, self._settings.connect_timeout):
                self.drop("查询没有应答 / the terminal does not answer queries")
        elif self._asked_at is None or _over(self._asked_at, now, self._settings.query_interval):
            self._ask(now)

    def _connect(self, now: Micros) -> None:
        self.sessions += 1
        self._since = now
        self._session = Session(
            self.sessions,
            self._settings.userdata_dir,
            self._accounts,
            self._settings.account_type,
            self._tell,
        )
        self._session.begin()

    def _tell(self, number: int, event: ev.Event) -> None:
        self._events.append((number, event))
        self._came.set()

    def _drop(self, words: str) -> None:
        session, self._session = self._session, None
        self._up, self.down = False, words
        self._begun = self._asked_at = None
        self.reads.clear()
        self._states.clear()
        wait = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._next_attempt = Micros(self._clock.now() + round(wait * 1_000_000))
        if session is not None:
            session.end()

    def _ask(self, now: Micros) -> None:
        assert self._session is not None  # noqa: S101  it is up
        self._round += 1
        self._begun = self._asked_at = now
        self._answers = {account: {} for account in self._accounts}
        self._unread.clear()
        try:
            self._session.ask(self._round)
        # The vendor's native code raises what it likes, and a query must not end the router's turn.
        except Exception as error:  # noqa: BLE001
            self.drop(f"查询出错 / a query failed: {error}")

    def _answered(self, answer: ev.Answer) -> Iterator[ev.Full]:
        if answer.round != self._round or self._begun is None:
            return
        answers = self._answers[answer.account_id]
        answers[answer.question] = answer.value
        self._unread[answer.account_id] += answer.unread
        begun = self._begun
        if all(len(each) == len(QUESTIONS) for each in self._answers.values()):
            self._begun = None
        if len(answers) < len(QUESTIONS) or answers["orders"] is None or answers["trades"] is None:
            return
        money, positions = answers["asset"], answers["positions"]
        account = (
            None
            if money is None or positions is None
            else ev.snapshot(answer.account_id, money, positions, begun)
        )
        unread = tuple(self._unread[answer.account_id])
        yield ev.Full(answer.account_id, begun, answers["orders"], answers["trades"], account, unread)

    def count(self, full: ev.Full) -> None:
        """A full query that was found to be whole: it is evidence, and the connection healthy."""
        reads = self.reads[full.account_id]
        reads.append(full.begun)
        del reads[1:-_READS_KEPT]
        self._failures = 0


def _over(since: Micros, now: Micros, seconds: float) -> bool:
    """Also when the clock was set back."""
    return not 0 <= now - since < seconds * 1_000_000
