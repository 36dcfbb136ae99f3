"""Writes a drop: orders to rows, rows to bytes, bytes to a file that appears in the inbox whole. Durable, any number of writers."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from orderdrop.client.spelling import BREAK, InvalidOrder, spelled, told
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import FIN_SUFFIX, Workspace
from orderdrop.domain.order import DropKind, InstructionRow, OrderRow
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.errors import OrderdropError
from orderdrop.inbox.names import TABLE_SUFFIXES, Ignored, read_name
from orderdrop.inbox.profiles import Profiles, carrying
from orderdrop.intake.columns import ORDER_COLUMNS, column_named
from orderdrop.intake.encoding import byte_order_mark, last_line_end
from orderdrop.intake.nature import HEAD_BYTES, TEXT, suffix_of
from orderdrop.system.clock import SystemClock, to_datetime, trade_date
from orderdrop.system.files import rename_free, sync_folder

if TYPE_CHECKING:
    import pandas as pd

_TIMES: Final = ("not_before", "not_after")
_PLAIN: Final = tuple(column for column in ORDER_COLUMNS if column not in _TIMES)
"""What stands in a file whose orders ask for no times."""

HEADER: Final = ",".join(_PLAIN)
_SPOIL: Final = "," * len(ORDER_COLUMNS)
"""Behind a line that another writer left unfinished: too many fields, or an open quote, so it is refused and never traded."""

_ENDINGS: Final = tuple(f".{kind}{suffix}" for kind in DropKind for suffix in TABLE_SUFFIXES)

Rows = Iterable[Mapping[str, Any] | OrderRow]


class Refused(OrderdropError):
    """Orderdrop refused it. `code` is stable, `reason` and `remedy` are for people."""

    def __init__(self, code: str, reason: str, remedy: str) -> None:
        super().__init__(f"{code}: {reason} → {remedy}")
        self.code = code
        self.reason = reason
        self.remedy = remedy


def order_rows(orders: pd.DataFrame | pd.Series | Rows | Mapping[str, Any]) -> list[OrderRow]:
    """Raises InvalidOrder, naming every row that is none."""
    given = _given(orders)
    if not given:
        raise InvalidOrder("没有委托 / there are no orders")
    rows: list[OrderRow] = []
    problems: dict[str, list[int]] = {}
    plain = iter(spelled([_filled_in(row) for row in given if not isinstance(row, OrderRow)]))
    for number, row in enumerate(given, 1):
        try:
            one = row if isinstance(row, OrderRow) else OrderRow(**next(plain))
        except ValidationError as error:
            for problem in error.errors():
                problems.setdefault(_words(problem), []).append(number)
            continue
        rows.append(one)
        if any(character in cell for cell in _cells(one) for character in "\r\n\0"):
            problems.setdefault(BREAK, []).append(number)
    if problems:
        raise InvalidOrder(told(problems))
    return rows


def _given(orders: Any) -> list[Mapping[str, Any] | OrderRow]:
    """The rows of whatever holds orders. Raises InvalidOrder for what is none."""
    if _is_frame(orders):
        return [*_records(orders)]
    if isinstance(orders, OrderRow):
        return [orders]
    if isinstance(orders, Mapping):
        return [*_rows_of_columns(orders)]
    if isinstance(orders, Iterable):
        rows = [dict(row) if _is_frame(row) else row for row in orders]
        if all(isinstance(row, Mapping | OrderRow) for row in rows):
            return rows
    raise InvalidOrder(
        '委托要写成字典、DataFrame 或文件名，如 {"代码": "600000", "方向": "买入", "数量": 100, "价格": 10.35}'
        " / orders are dicts, a DataFrame, or the name of a file, such as"
        ' {"symbol": "600000", "side": "buy", "volume": 100, "price": 10.35}'
    )


def _rows_of_columns(columns: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One order, or lists of equal length, a column each. Raises InvalidOrder."""
    lists = [value for value in columns.values() if isinstance(value, list | tuple)]
    if not lists:
        return [columns]
    if len(lists) != len(columns) or len({*map(len, lists)}) > 1:
        raise InvalidOrder("各列长度不同 / the columns have different lengths")
    return [dict(zip(columns, values, strict=True)) for values in zip(*lists, strict=True)]


def instruct(place: Workspace, kind: DropKind, sids: Sequence[str], comment: str = "") -> Path:
    """Put a cancel, release or resend drop into the inbox."""
    if not sids:
        raise InvalidOrder("没有编号 / there are no sids")
    try:
        rows = [InstructionRow(sid=sid, comment=comment or None) for sid in sids]
    except ValidationError as error:
        problem = error.errors()[0]
        raise InvalidOrder(f"编号不合法 / not a sid: {problem['input']!r}") from None
    return put(
        place, unique_name(kind), _csv([("sid", "comment"), *((row.sid, row.comment or "") for row in rows)])
    )


def put(place: Workspace, name: str, content: bytes, strategy: str | None = None) -> Path:
    """Make a file appear in the inbox by a rename within its folder: the router sees it come in, whole.

    The hidden temporary file is made exclusively and bears the final name: so of several clients one has the name.
    """
    refuse_name(name)
    folder = place.inbox if strategy is None else place.inbox / _plain(strategy)
    folder.mkdir(exist_ok=True)
    for candidate in _candidates(name):
        path, temporary = folder / candidate, folder / f".{candidate}.tmp"
        with contextlib.suppress(FileExistsError):
            _write_durably(temporary, content)
            _move_in(temporary, path, whole=_is_whole(name, content))
            sync_folder(folder)
            return path
    raise AssertionError("there is always another name")  # pragma: no cover


def unique_name(kind: DropKind) -> str:
    """`20261120_093101.125-1f9c3a.order.csv`: it bears its day, so a drop that nobody took is refused the day after."""
    now = to_datetime(SystemClock().now())
    return f"{now:%Y%m%d_%H%M%S}.{now.microsecond // 1000:03}-{secrets.token_hex(3)}.{kind}.csv"


def new_sid(prefix: str = "P") -> str:
    """A sid that nobody else has: `P20261120-093101-1f9c3a5b`. prefix: a letter or a short name of [A-Za-z0-9_.]."""
    now = to_datetime(SystemClock().now())
    return f"{prefix}{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def _candidates(name: str) -> Iterator[str]:
    """The name itself, then `basket~1f9c3a.csv`; what says the kind stays at the end."""
    yield name
    lower = name.lower()
    ending = next((end for end in _ENDINGS if lower.endswith(end)), Path(name).suffix)
    stem = name[: len(name) - len(ending)]
    while True:
        yield f"{stem}~{secrets.token_hex(3)}{name[len(stem) :]}"


def _write_durably(path: Path, content: bytes) -> None:
    """Raises FileExistsError: somebody else is putting a drop of this name right now, or died doing it."""
    file = path.open("xb")
    with _removed_on_failure(path), file:  # closed before it is removed: Windows removes no open file
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _move_in(temporary: Path, path: Path, *, whole: bool) -> None:
    """Raises FileExistsError when the name is taken. The `.fin` comes last, as everybody's does: it speaks for what stands there."""
    with _removed_on_failure(temporary):
        rename_free(temporary, path)
    if not whole:
        path.with_name(path.name + FIN_SUFFIX).touch()


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def append_rows(path: Path, rows: Sequence[OrderRow]) -> None:
    with path.open("a+b", buffering=0) as file:
        begun = file.seek(0, os.SEEK_END) > 0
        lead = b""
        if begun:
            file.seek(0)
            columns = _columns_of(path, file.readline(), rows)
            file.seek(-1, os.SEEK_END)
            lead = b"" if file.read(1) == b"\n" else f"{_SPOIL}\n".encode()
        rest = memoryview(
            lead + (_csv(_cells(row)[: len(columns)] for row in rows) if begun else table(rows))
        )
        while rest:  # one write, unless the disk is full or the system cuts it short
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    if not begun:
        sync_folder(path.parent)


def _columns_of(path: Path, first: bytes, rows: Sequence[OrderRow]) -> Sequence[str]:
    """The columns of a file that append() has begun. Raises InvalidOrder when others have, or it has no place for these rows."""
    header = first.decode("utf-8-sig", "replace").rstrip("\r\n")
    columns = next((columns for columns in (_PLAIN, ORDER_COLUMNS) if ",".join(columns) == header), None)
    if columns is None:
        raise InvalidOrder(
            f"{path.name} 的表头不是 append() 写的,可能有别的程序在用它 / begins with a header that append() did not write;"
            f' another program may own it → append(…, name="…")'
        )
    if len(_columns(rows)) > len(columns):
        raise InvalidOrder(
            f"{path.name} 没有 not_before、not_after 列 / has no columns not_before and not_after"
            f' → append(…, name="…"), or drop(…)'
        )
    return columns


def read_whole(path: Path, at_most: int) -> bytes:
    """The content of a file that nobody is writing. Raises Refused, InvalidOrder, OSError."""
    if not path.exists():
        raise InvalidOrder(f"没有这个文件 / no such file: {path.absolute()}")
    if not path.is_file():
        raise InvalidOrder(f"这不是文件 / not a file: {path.absolute()}")
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        if before.st_size > at_most:
            raise _refusal(Refusal(Code.FILE_TOO_LARGE, value=str(before.st_size), bound=str(at_most)))
        content = file.read()
        after = os.fstat(file.fileno())
    if len(content) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise InvalidOrder(f"{path} 正在被写入 / is being written, try again")
    return content


def refuse_name(name: str) -> None:
    """Raises Refused for a name that the router would never take."""
    _plain(name)
    said = read_name(name)
    if isinstance(said, Ignored):
        raise Refused(
            Code.FILE_TYPE, f"{name}: {said.why}", "另存为 .csv 或 .xlsx / save it as .csv or .xlsx"
        )
    if isinstance(said, Refusal):
        raise _refusal(said)
    if said.day is not None and said.day < today():
        raise _refusal(Refusal(Code.FILE_STALE, value=said.day.isoformat(), bound=today().isoformat()))


def with_profile(settings: Settings, name: str, profile: str) -> str:
    """The name that lets the router read a file by that profile. Raises Refused when there is none."""
    known = Profiles(settings.profiles).named(profile)
    if isinstance(known, Refusal):
        raise _refusal(known)
    return carrying(name, known.name)


def _plain(name: str) -> str:
    if not name or name.startswith(".") or any(character in name for character in "/\\:\0"):
        raise InvalidOrder(f"{name!r} 不是普通的名字 / is not a plain name")
    return name


def _is_whole(name: str, content: bytes) -> bool:
    """Whether the last line has its newline, of what is text; if not, a `.fin` says that it is whole all the same."""
    if suffix_of(content[:HEAD_BYTES], Path(name).suffix.lower()) != TEXT:
        return True
    encoding, start = byte_order_mark(content) or (None, 0)
    return last_line_end(content, encoding, start, len(content)) == len(content)


def table(rows: Iterable[OrderRow]) -> bytes:
    given = list(rows)
    columns = _columns(given)
    return _csv([columns, *(_cells(row)[: len(columns)] for row in given)])


def _columns(rows: Iterable[OrderRow]) -> Sequence[str]:
    return ORDER_COLUMNS if any(row.not_before or row.not_after for row in rows) else _PLAIN


def _csv(lines: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _cells(row: OrderRow) -> tuple[str, ...]:
    price = "" if row.price is None else format(row.price, "f")
    return (
        row.sid or "", row.account_id or "", row.symbol, str(row.volume), str(int(row.order_type)),
        str(int(row.order_business)), price, row.remark or "", row.strategy or "",
        row.not_before or "", row.not_after or "",
    )  # fmt: skip


def _is_frame(orders: object) -> bool:
    """Without importing pandas for those who do not use it."""
    return type(orders).__module__.partition(".")[0] == "pandas"


def _records(frame: Any) -> list[dict[str, Any]]:
    """The rows of a DataFrame, or of a Series as one row. An index that bears a column's name is one; another is left out."""
    if not hasattr(frame, "columns"):
        return [dict(frame)]
    if any(name is not None and column_named(str(name)) in ORDER_COLUMNS for name in frame.index.names):
        frame = frame.reset_index()
    records: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return records


def _filled_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns by their names as texts."""
    return {str(column): value for column, value in row.items()}


def _words(problem: Any) -> str:
    column = ".".join(str(part) for part in problem["loc"])
    return f"{column}: {problem['msg']}" + (
        "" if problem["type"] == "missing" else f" ({problem['input']!r})"
    )


def _refusal(refusal: Refusal) -> Refused:
    why = explain(refusal)
    return Refused(refusal.code, why.text(), why.remedy)


def today() -> date:
    return trade_date(SystemClock().now())
