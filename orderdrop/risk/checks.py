"""Owns our no: a tuple of rules, of which the first denial wins. Pure; refuses what cannot be judged (fail closed).

`RULES`, `HOLDS` and `WARNINGS` are the table of contents; docs/checks.md says what each looks at.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import compress, repeat

from orderdrop.domain.hold import Hold, Wait, combined
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context, HoldRule, Rule
from orderdrop.risk.rules.board import (
    board_known,
    lot_kept,
    maximum_kept,
    order_type_offered,
    side_offered,
    side_taken,
    tick_kept,
)
from orderdrop.risk.rules.cash import (
    cash_enough,
    odd_lot_whole,
    shares_enough,
    snapshot_fresh,
    snapshot_there,
)
from orderdrop.risk.rules.fields import account_known, price_as_type_wants
from orderdrop.risk.rules.limits import passed_softly, within_limits
from orderdrop.risk.rules.market import (
    entry_of,
    not_suspended,
    price_within_cage,
    price_within_limits,
    reference_there,
    sale_worth_known,
)
from orderdrop.risk.rules.rate import cancels_few, day_ceiling, held_for_cancels, turn_comes_in_time
from orderdrop.risk.rules.repeats import crosses_nothing_own, held_as_repeat, repeat_refused, repeat_told
from orderdrop.risk.rules.session import held_for_time, in_time, on_trading_day
from orderdrop.risk.rules.switches import gateway_open, not_halted, not_switched_off, strategy_named

__all__ = [
    "HOLDS",
    "RULES",
    "WARNINGS",
    "Context",
    "Hold",
    "Rule",
    "Wait",
    "all_pass",
    "check",
    "combined",
    "entry_of",
    "every_denial",
    "holds",
    "once_more",
    "warnings",
]

ACCOUNT_RULES: tuple[Rule, ...] = (
    not_halted,
    account_known,
    side_taken,
)
"""They look at nothing of an order but its account and side, so their yes is remembered; so is that of the next three."""

KIND_RULES: tuple[Rule, ...] = (
    board_known,
    side_offered,
    order_type_offered,
)
"""They look at the symbol, the order type and the side."""

PRICE_RULES: tuple[Rule, ...] = (
    price_as_type_wants,
    tick_kept,
)
"""They look at the price, the order type and the board."""

VOLUME_RULES: tuple[Rule, ...] = (
    lot_kept,
    maximum_kept,
)
"""They look at the volume, the order type, the side and the board."""

STANDING_RULES: tuple[Rule, ...] = (
    on_trading_day,
    in_time,
    gateway_open,
    not_switched_off,
    snapshot_there,
)
"""Of an order without times of its own they look at account, strategy, order type, side and board, so their yes is remembered. They run
where the settings, or a live gateway, call for it; the first two also for an order that has times.
"""

FURTHER_RULES: tuple[Rule, ...] = (
    price_within_limits,
    price_within_cage,
    within_limits,
    cash_enough,
    shares_enough,
    odd_lot_whole,
    crosses_nothing_own,
    repeat_refused,
    day_ceiling,
    turn_comes_in_time,
)
"""They need to know more; each runs where the settings, or a live gateway, call for it."""

_TIMES: tuple[Rule, ...] = (on_trading_day, in_time)

_ONCE: frozenset[Rule] = frozenset({repeat_refused, turn_comes_in_time})
"""They look at an order's coming, so nobody asks them again."""

RULES = ACCOUNT_RULES + KIND_RULES + PRICE_RULES + VOLUME_RULES + STANDING_RULES + FURTHER_RULES

HOLDS: tuple[HoldRule, ...] = (held_as_repeat, held_for_cancels, held_for_time)
"""What waits for a person before what waits for a time."""

WARNINGS: tuple[Rule, ...] = (
    reference_there,
    not_suspended,
    snapshot_fresh,
    cancels_few,
    repeat_told,
    sale_worth_known,
    strategy_named,
)
"""What is said of an order that goes all the same; so are soft limits."""


def check(order: Order, context: Context) -> Refusal | None:
    """Returns why the order is denied, None when it may go. Never raises."""
    terms = _judged_alone(order, context)
    if isinstance(terms, Refusal):
        return terms
    refusal = None
    if order.not_before or order.not_after:
        refusal = _first_denial(_TIMES + context.standing, order, context)
    elif context.standing:
        whose = order.account_id, order.strategy, context.folder, terms
        if whose not in context.passed.standing:
            refusal = _first_denial(context.standing, order, context)
            if refusal is None:
                context.passed.add(context.passed.standing, whose)
    if refusal is None and context.further:
        return _first_denial(context.further, order, context)
    return refusal


def all_pass(orders: Sequence[Order], context: Context) -> bool:
    """Whether `check` lets each of these pass, asked once for what is alike. False also where that has to be asked one by one."""
    if not (context.alone and orders):
        return False
    _, _, accounts, symbols, volumes, types, sides, prices, _, _, _, befores, afters = zip(
        *orders, strict=True
    )
    if any(befores) or any(afters):
        return False
    passed = context.passed
    terms = [*map(passed.kinds.get, zip(symbols, types, sides, strict=True))]
    alike: Iterable[bool] = map(
        operator.and_,
        map(passed.prices.__contains__, zip(terms, prices, strict=True)),
        map(passed.volumes.__contains__, zip(terms, volumes, strict=True)),
    )
    if not passed.accounts.issuperset(zip(accounts, sides, strict=True)):
        alike = repeat(False)
    new = compress(orders, map(operator.not_, alike))
    return not any(isinstance(_judged_alone(order, context), Refusal) for order in new)


def _judged_alone(order: Order, context: Context) -> int | Refusal:
    """What the rules say that need no more than the order: asked once of each account, kind, price and volume. The number of its terms."""
    passed, order_type, side = context.passed, order.order_type, order.order_business
    if (order.account_id, side) not in passed.accounts:
        refusal = _first_denial(ACCOUNT_RULES, order, context)
        if refusal is not None:
            return refusal
        passed.add(passed.accounts, (order.account_id, side))
    kind = order.symbol, order_type, side
    terms = passed.kinds.get(kind)
    if terms is None:
        refusal = _first_denial(KIND_RULES, order, context)
        if refusal is not None:
            return refusal
        terms = passed.of_kind(kind, context.board_of(order.symbol))
    if (terms, order.price) not in passed.prices:
        refusal = _first_denial(PRICE_RULES, order, context)
        if refusal is not None:
            return refusal
        passed.add(passed.prices, (terms, order.price))
    if (terms, order.volume) not in passed.volumes:
        refusal = _first_denial(VOLUME_RULES, order, context)
        if refusal is not None:
            return refusal
        passed.add(passed.volumes, (terms, order.volume))
    return terms


def every_denial(order: Order, context: Context) -> list[Refusal]:
    """Returns all that speaks against an order; for those who ask beforehand."""
    alone = ACCOUNT_RULES + KIND_RULES + PRICE_RULES + VOLUME_RULES
    rules = dict.fromkeys((*alone, *_TIMES, *context.standing, *context.further))
    found = [refusal for rule in rules if (refusal := _first_denial((rule,), order, context)) is not None]
    # What cannot be judged because of what was denied already tells nothing new.
    return found[:1] + [refusal for refusal in found[1:] if refusal.code is not Code.CHECK_FAILED]


def once_more(context: Context) -> Context:
    """For orders that have passed before and have waited since: they are no repeats of themselves, nor do they wait for their turn any more, and
    what a person was asked about is answered. What is left is denied, or waits for a time.
    """
    further = tuple(rule for rule in context.further if rule not in _ONCE)
    return replace(context, further=further, holds=(held_for_time,))


def holds(order: Order, context: Context) -> list[Hold] | Refusal:
    """Returns whatever an order that may go has to wait for first; a refusal when that cannot be told."""
    return _asked(context.holds or (held_for_time,), order, context)


def _asked(rules: tuple[HoldRule, ...], order: Order, context: Context) -> list[Hold] | Refusal:
    found = []
    for rule in rules:
        try:
            hold = rule(order, context)
        except Exception as fault:  # noqa: BLE001  as below
            return Refusal(Code.CHECK_FAILED, rule.__name__, type(fault).__name__)
        if hold is not None:
            found.append(hold)
    return found


def warnings(order: Order, context: Context) -> list[Refusal]:
    """Returns what is to be said of an order that may go: one for each rule, and one for each soft limit that it passes."""
    found = []
    if _first_denial(context.warnings, order, context) is not None:  # seldom
        one_by_one = (_first_denial((rule,), order, context) for rule in context.warnings)
        found = [refusal for refusal in one_by_one if refusal is not None]
    return found + passed_softly(order, context) if context.soft else found


def _first_denial(rules: tuple[Rule, ...], order: Order, context: Context) -> Refusal | None:
    for rule in rules:
        try:
            refusal = rule(order, context)
        # Broad on purpose, and only here: a check that cannot be run denies, whatever went wrong in it.
        except Exception as fault:  # noqa: BLE001
            return Refusal(Code.CHECK_FAILED, rule.__name__, type(fault).__name__)
        if refusal is not None:
            return refusal
    return None
