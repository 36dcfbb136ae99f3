"""`orderdrop check`: what would become of each row of a file. Nothing is sent or written."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.look import NAME
from orderdrop.cli.output import (
    OTHER_SETTINGS,
    clock_time,
    give_up,
    json_option,
    print_json_array,
    say,
    shortened,
    stdout,
    table,
    tell,
)
from orderdrop.cli.progress import Progress
from orderdrop.domain.language import status_word
from orderdrop.domain.status import TERMINAL, Status

if TYPE_CHECKING:
    from orderdrop.admission.dry_run import Rehearsed
    from orderdrop.journal.reader import Reading
    from orderdrop.system.clock import Micros

GOOD: Final = frozenset({"would_go", "would_be_held", "duplicate", "would_be_asked"})
_SIDES: Final = {"buy": "买 buy", "sell": "卖 sell"}
_PASSED: Final = frozenset({"would_go", "would_be_held"})
_STYLES: Final = {
    "would_go": "green",
    "would_be_held": "yellow",
    "duplicate": "yellow",
    "would_be_asked": "green",
}


@click.command(short_help="What would become of each row; nothing is sent. 预检")
@click.argument("files", nargs=-1, required=True, metavar="FILE...",
                type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option(
    "--strategy",
    metavar="NAME",
    default="",
    help="As if it lay in the inbox's sub-folder of that strategy. 策略",
)
@click.option(
    "--at", metavar="HH:MM", help="As if it were that time, today or on a day: 2026-11-23T09:31. 假设的时间"
)
@click.option("--profile", metavar="NAME", help="Read them by that description in orderdrop.toml. 格式描述")
@json_option
@click.pass_context
@pass_place
def check(
    place: Place, ctx: click.Context, files: tuple[Path, ...], strategy: str, at: str | None, profile: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """What would become of each row if the files were dropped now, in this order. Nothing is sent or written.

    预检：现在放入这些文件，每一行会怎样。不发送，不写入。

    It is the router's own judgement: reading, checks, and duplicates against the journal. Exit 1 when anything would be refused, would meet a cancel
    that waits for it (`would_be_canceled`), or passes our checks and would be rejected by the broker (`would_be_rejected`: no cash, nothing to sell, no price
    on paper).
    Every rule that speaks against an order is told, not only the first.

    \b
    Examples 例子:
      orderdrop check basket.csv
      orderdrop check basket.csv --at 09:31
      orderdrop check *.csv --json
      orderdrop check 委托.csv --profile qmt
    """
    rehearsed = _rehearse(place, files, strategy, _instant(place, at), profile)
    found = [row for one in rehearsed for row in one]
    if not place.in_force:
        say(*OTHER_SETTINGS, place.language)
    _tell_new_accounts(place, found)
    if as_json:
        print_json_array(found)
    else:
        _show(place, found)
    if not all(row["outcome"] in GOOD for row in found):
        ctx.exit(1)


def _tell_new_accounts(place: Place, found: list[dict[str, Any]]) -> None:
    """Where no setting names an account every name is one, also a misspelt one."""
    from orderdrop.config.gateways import PAPER_ACCOUNT  # noqa: PLC0415
    from orderdrop.config.workspace import account_folder  # noqa: PLC0415

    named = {row["account_id"] for row in found if row["account_id"]} - {
        PAPER_ACCOUNT,
        *place.settings.accounts,
    }
    new = sorted(name for name in named if not (place.workspace.outbox / account_folder(name)).exists())
    if new and not place.settings.accounts:
        say(
            f"设置里没有这些账户，模拟柜台会为它们新开：{shortened(new)}",
            f"no setting names these accounts, the paper broker would open them anew: {shortened(new)}",
            place.language,
        )


def _rehearse(
    place: Place, files: tuple[Path, ...], strategy: str, now: Micros, profile: str | None
) -> list[list[dict[str, Any]]]:
    from orderdrop.admission.dry_run import rehearse  # noqa: PLC0415
    from orderdrop.domain.switches import scope_words  # noqa: PLC0415
    from orderdrop.gateway.instrument_feed import kept  # noqa: PLC0415
    from orderdrop.inbox.drop_file import Changed  # noqa: PLC0415
    from orderdrop.inbox.switches import switch_files  # noqa: PLC0415
    from orderdrop.journal.reader import Reading  # noqa: PLC0415
    from orderdrop.service.gateways import foreseen  # noqa: PLC0415
    from orderdrop.system.clock import FixedClock, to_datetime, trade_date  # noqa: PLC0415

    for path, key, _state in switch_files(place.workspace.inbox):
        whose = scope_words(place.bound_by(key))
        say(f"按开关 {path.name} 判断", f"judged as switched: {whose}", place.language)
    for name, told in kept(place.settings, place.workspace, trade_date(now)).items():
        count, at = len(told.securities), clock_time(told.at)
        say(
            f"按 {name} {at} 的证券资料判断({count} 只)",
            f"judged by what {name} told at {at} of {count} securities",
            place.language,
        )
    broker = foreseen(place.settings, place.workspace, FixedClock(to_datetime(now)))
    with place.connection() as real:
        try:
            with Progress(place.language) as progress:
                progress.step("正在预检", "judging the rows")
                found = rehearse(
                    files, place.settings, place.workspace, real, now, trade_date(now),
                    strategy=strategy, profile=profile, broker=broker,
                )  # fmt: skip
        except Changed as changed:
            give_up(f"{changed} 正在被写入", "is being written, try again")
        reading = Reading(real) if real is not None else None
        return [_rows(place, one, reading) for one in found]


def _instant(place: Place, at: str | None) -> Micros:
    """Now, or the time that was given. Raises click.UsageError."""
    from datetime import datetime  # noqa: PLC0415

    from orderdrop.system.clock import SHANGHAI, SystemClock, from_datetime  # noqa: PLC0415

    if at is None:
        return SystemClock().now()
    try:
        day, _, time = at.rpartition("T")
        given = datetime.fromisoformat(f"{day or place.today.isoformat()}T{time}")
    except ValueError:
        raise click.UsageError(
            f"--at {at}: 写成 09:31 或 2026-11-23T09:31 / write 09:31 or 2026-11-23T09:31"
        ) from None
    return from_datetime(given.replace(tzinfo=SHANGHAI))


def _rows(place: Place, found: Rehearsed, reading: Reading | None) -> list[dict[str, Any]]:
    """What `--json` prints for a file, by line; the file itself is row 0."""
    told = [(order.id, _row(place, found, order, _outcome(order), order)) for order in found.orders]
    told += [(row.id, _row(place, found, row, row.outcome)) for row in found.rows]
    told += [(row.id, _asked(place, found, row, reading)) for row in found.instructions]
    whole = [{**_row(place, found, found.drop, "refused"), "row": 0}] if found.drop.reason_code else []
    return whole + [row for _id, row in sorted(told, key=itemgetter(0))]


def _row(place: Place, found: Rehearsed, row: Any, outcome: str, order: Any = None) -> dict[str, Any]:
    from orderdrop.domain.refusal import explain  # noqa: PLC0415
    from orderdrop.views.orders import explain_row, order_view, where  # noqa: PLC0415

    why, code = explain_row(row, place.language), row.reason_code
    no = found.rejections.get(order.sid) if order is not None and outcome in _PASSED else None
    if no is not None:
        outcome, code, why = "would_be_rejected", no.code, explain(no, place.language)
    spot = where(row)
    view = order_view(order, place.language).model_dump(mode="json") if order is not None else {}
    columns = ("account_id", "strategy", "symbol", "side", "order_type", "volume", "price", "gateway")
    return {
        "file": str(found.path),
        "sheet": spot.sheet,
        "row": spot.row,
        "sid": getattr(row, "sid", None),
        **{column: view.get(column) for column in columns},
        "outcome": outcome,
        "code": code,
        "reason": why.text(place.language) if why else None,
        "remedy": why.remedy if why else None,
        "note": getattr(row, "note", None),
        "also": _also(place, found, row) if order is not None and row.reason_code else [],
    }


def _also(place: Place, found: Rehearsed, order: Any) -> list[dict[str, str]]:
    """What else speaks against an order that is denied."""
    from orderdrop.domain.refusal import explain  # noqa: PLC0415

    return [
        {"code": refusal.code, "reason": why.text(place.language), "remedy": why.remedy}
        for refusal in found.denials.get(order.sid, [])
        if refusal.code != order.reason_code
        for why in [explain(refusal, place.language)]
    ]


def _outcome(order: Any) -> str:
    from orderdrop.domain.refusal import Code  # noqa: PLC0415

    if order.status == Status.DENIED:
        return "not_sent" if order.reason_code == Code.NOT_SENT else "denied"
    if order.status == Status.HELD:
        canceled = Code.CANCELED_HERE in (order.held_for or "").split()
        return "would_be_canceled" if canceled else "would_be_held"
    return "would_go"


def _asked(place: Place, found: Rehearsed, row: Any, reading: Reading | None) -> dict[str, Any]:
    """A row of a cancel, release or resend file."""
    from orderdrop.client.order_watch import newest_order  # noqa: PLC0415
    from orderdrop.domain.refusal import Code, Refusal, explain  # noqa: PLC0415
    from orderdrop.domain.standing import is_proven_absent  # noqa: PLC0415

    said = _row(place, found, row, "would_be_asked")
    order = newest_order(reading, row.sid, place.today, place.settings.inbox.sid_scope) if reading else None
    if order is None:
        early = row.kind == "cancel_order"  # it waits for its order
        refusal = Refusal(Code.CANCEL_EARLY if early else Code.SID_UNKNOWN, "sid", row.sid)
    elif row.kind == "cancel_order" and order.status in TERMINAL:
        refusal = Refusal(Code.CANCEL_FINISHED, "sid", row.sid, order.status)
    elif row.kind == "release" and order.status != Status.HELD:
        refusal = Refusal(Code.RELEASE_NOT_HELD, "sid", row.sid, order.status)
    elif row.kind == "resend" and not is_proven_absent(order):
        refusal = Refusal(Code.RESEND_NOT_PROVEN, "sid", row.sid, order.status)
    else:
        return said
    why = explain(refusal, place.language)
    return said | {
        "outcome": "refused",
        "code": refusal.code,
        "reason": why.text(place.language),
        "remedy": why.remedy,
    }


def _show(place: Place, found: list[dict[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.views.called import is_derived  # noqa: PLC0415

    console, names = stdout(), place.names
    for file in dict.fromkeys(row["file"] for row in found):
        rows = [row for row in found if row["file"] == file]
        console.print(Text(file, "bold"), soft_wrap=True)
        named = any(row["symbol"] in names for row in rows)
        made = table(
            "行\nRow", "编号\nsid", "代码\nSymbol", *([NAME] if named else []), "买卖\nSide", "数量\nVolume", "价格\nPrice", "结果\nOutcome",
            right={"行\nRow", "数量\nVolume", "价格\nPrice"}, wrap=("编号\nsid",),
        )  # fmt: skip
        for row in rows:
            outcome = Text(status_word(row["outcome"]), _STYLES.get(row["outcome"], "red"))
            derived = row["sid"] and is_derived(row["sid"])
            called = f"{Path(file).name}:{_at(row)}" if derived else row["sid"]
            name = [names.get(row["symbol"])] if named else []
            cells = (called, row["symbol"], *name, _SIDES.get(row["side"]), row["volume"], row["price"])
            made.add_row(_at(row), *("" if cell is None else str(cell) for cell in cells), outcome)
        console.print(made)
        for row in rows:
            if row["code"] and row["code"] != "NOT_SENT":
                style = "yellow" if row["outcome"] in GOOD else "red"
                tell(console, _at(row), row["code"], row["reason"], row["remedy"], style)
            for more in row["also"]:
                tell(console, _at(row), more["code"], more["reason"], more["remedy"], "red")
            if row["note"]:
                console.print(Text.assemble("  ", (_at(row), "bold"), f"  注意 note: {row['note']}"))
    _show_totals(place, found)
    counts = Counter(row["outcome"] for row in found)
    say(
        ", ".join(f"{count} {status_word(outcome)}" for outcome, count in counts.items()) + "，没有发送",
        ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) + ", nothing was sent",
        place.language,
    )


def _at(row: dict[str, Any]) -> str:
    return str(row["row"]) if row["sheet"] is None else f"{row['sheet']}!{row['row']}"


def _show_totals(place: Place, found: list[dict[str, Any]]) -> None:
    """By account and side, of what would go or be held; and the account's cash before, and after all of it has traded."""
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.accounts.snapshots import last_snapshot  # noqa: PLC0415
    from orderdrop.system.clock import SystemClock  # noqa: PLC0415

    going = [row for row in found if row["outcome"] in _PASSED]
    for account_id in dict.fromkeys(row["account_id"] for row in going):
        mine = [row for row in going if row["account_id"] == account_id]
        known = last_snapshot(place.workspace, place.settings, account_id, SystemClock().now())
        bought, sold = (_value(mine, side) for side in ("buy", "sell"))
        words = [f"{place.account_name(account_id)}: 买入 buys {bought:.2f}", f"卖出 sells {sold:.2f}"]
        if any(row["price"] is None for row in mine):
            words.append("市价委托未计 market orders not counted")
        if known is not None:
            fees = sum(
                (
                    max(_worth(row) * place.settings.limits.fee_rate, place.settings.limits.fee_minimum)
                    for row in mine
                    if row["side"] == "buy"
                ),
                Decimal(0),
            )
            after = known.available - bought - fees + sold
            words.append(f"可用资金 cash {known.available:.2f} → {after:.2f}")
        stdout().print(Text("  ".join(words)), soft_wrap=True)


def _value(rows: list[dict[str, Any]], side: str) -> Decimal:
    return sum((_worth(row) for row in rows if row["side"] == side), Decimal(0))


def _worth(row: dict[str, Any]) -> Decimal:
    """Yuan; a repo's volume is in hundreds of yuan, its price is a rate."""
    from orderdrop.domain.board import board_of  # noqa: PLC0415

    board = board_of(row["symbol"])
    if board is not None and board.kind == "repo":
        return Decimal(100 * int(row["volume"]))
    return Decimal(row["price"] or 0) * int(row["volume"])
