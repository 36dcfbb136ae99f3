"""Defines the journal's tables. Instants are microseconds since 1970 UTC, days are YYYYMMDD, money is decimal text.

An order's id is `drop id << 32 | line`, so the orders of a drop, and the drops of a day, are ranges of the primary key and
cost no index. Nothing is ever deleted.

`sid_key` is 64 bits of the sid's hash: unique within a trading day (a small, local part of the index, so that inserting stays
flat however old the journal is). `sids_past` holds the keys of days gone by, is filled in idle moments and only read while
trading.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION: Final = 3
ROW_BITS: Final = 32

metadata = MetaData()
_Int = BigInteger().with_variant(Integer, "sqlite")

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

drops = Table(
    "drops",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("name", Text, nullable=False),  # path below the inbox, with /
    Column("kind", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("trade_day", Integer, nullable=False),
    Column("received_at", _Int, nullable=False),
    Column("state", Text, nullable=False),  # DropState
    Column("sid_space", Text, nullable=False),  # what derived sids are made from
    Column("sha256", Text),  # of the bytes taken so far
    Column("position", _Int, nullable=False),  # bytes taken so far
    Column("next_row", _Int, nullable=False),
    Column("torn", Integer, nullable=False, server_default="0"),  # 1: skip the rest of a refused last line
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("denied", Integer, nullable=False, server_default="0"),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("errors", Integer, nullable=False, server_default="0"),
    Column("reason_code", Text),  # why the whole file was refused
    Column("reason_column", Text),
    Column("reason_value", Text),
    Column("reason_bound", Text),
    Column("archived_as", Text),  # path below the workspace
    Column("sheets", Text),  # JSON: names of the tables of a workbook that has more than one
    Column("owner", Text),  # who owned the file, where the system tells it
    Index("ix_drops_day", "trade_day"),
    Index("ix_drops_name", "name"),
    Index(
        "ix_drops_open",
        "id",
        sqlite_where=text("archived_as IS NULL"),
        postgresql_where=text("archived_as IS NULL"),
    ),
)

orders = Table(
    "orders",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("trade_day", Integer, nullable=False),
    Column("sid", Text, nullable=False),
    Column("sid_key", _Int),  # NULL: refused, the sid is not used up
    Column("account_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("volume", _Int, nullable=False),
    Column("order_type", Integer, nullable=False),
    Column("order_business", Integer, nullable=False),
    Column("price", Text),
    Column("remark", Text),
    Column("strategy", Text),
    Column("note", Text),
    Column("gateway", Text),
    Column("batch_id", _Int),
    Column("status", Text, nullable=False),
    Column("filled_volume", _Int, nullable=False, server_default="0"),
    Column("filled_value", Text),  # yuan: the sum of price × volume
    Column("order_id", Text),  # the broker's
    Column("reason_code", Text),
    Column("reason_column", Text),
    Column("reason_value", Text),
    Column("reason_bound", Text),
    Column("submitted_at", _Int),
    Column("confirmed_at", _Int),
    Column("updated_at", _Int, nullable=False),
    Column("closed_at", _Int),
    Column("due_at", _Int),  # held until then; NULL: until somebody releases it
    Column("expires_at", _Int),  # not handed over later than then
    Column("received_at", _Int),  # when its row came; NULL: with its drop
    Column("row_key", _Int),  # 64 bits of what a row without sid says; NULL: the row had a sid
    Column("told_volume", _Int),  # the broker's cumulative filled volume; NULL: never told
    Column(
        "worth", Text
    ),  # yuan, the most that it may come to, as it was judged; NULL: reckon it anew, never zero
    Column("not_before", _Int),  # not handed over earlier than then
    Column("held_for", Text),  # every reason that holds it: codes, a space between two
    UniqueConstraint("trade_day", "sid_key", name="one_order_per_sid"),
    Index(
        "ix_orders_live",
        "id",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "ix_orders_waiting",
        "gateway",
        "id",
        sqlite_where=text("status IN ('ready', 'held')"),
        postgresql_where=text("status IN ('ready', 'held')"),
    ),
    Index(
        "ix_orders_row_key",
        "trade_day",
        "row_key",
        sqlite_where=text("row_key IS NOT NULL"),
        postgresql_where=text("row_key IS NOT NULL"),
    ),
)

sids_past = Table(
    "sids_past",
    metadata,
    Column("sid_key", _Int, primary_key=True, autoincrement=False),
    Column("order_id", _Int, nullable=False),
)

rows = Table(  # rows that did not become an order
    "rows",
    metadata,
    Column("id", _Int, primary_key=True),  # drop id << 32 | line
    Column("outcome", Text, nullable=False),  # RowOutcome
    Column("sid", Text),
    Column("order_ref", _Int),  # orders.id of the one that a duplicate repeats
    Column("reason_code", Text, nullable=False),
    Column("reason_column", Text),
    Column("reason_value", Text),
    Column("reason_bound", Text),
    Column("received_at", _Int),  # when the row came; NULL: with its drop
)

instructions = Table(  # rows of cancel, release and resend drops
    "instructions",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("sid", Text, nullable=False),
    Column("order_ref", _Int),
    Column("state", Text, nullable=False),  # InstructionState
    Column("reason_code", Text),
    Column("reason_column", Text),
    Column("reason_value", Text),
    Column("reason_bound", Text),
    Column("updated_at", _Int, nullable=False),
    Column("received_at", _Int),  # when the row came; NULL: with its drop
    Index(
        "ix_instructions_asked",
        "id",
        sqlite_where=text("state = 'asked'"),
        postgresql_where=text("state = 'asked'"),
    ),
    Index("ix_instructions_order", "order_ref"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("trade_day", Integer, nullable=False),
    Column("created_at", _Int, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("first_order", _Int, nullable=False),
    Column("last_order", _Int, nullable=False),
    Column("content", LargeBinary, nullable=False),  # the exact bytes that are handed over
    Column("outcome", Text),  # gateway.base.Outcome; NULL: the intent stands, the result was never noted
    Column("handed_at", _Int),
    Column(
        "places", Text
    ),  # JSON: each output file and how far it was read when the batch was made; NULL proves nothing
    Index(
        "ix_batches_open",
        "id",
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
    Index("ix_batches_day", "trade_day"),
)

reports = Table(  # what the gateways told, as it was told
    "reports",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("received_at", _Int, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("sid", Text, nullable=False),
    Column("order_ref", _Int),  # NULL: not an order of ours
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("scan_name", Text),  # the 文件单 setting that the terminal named; NULL: none
    Index("ix_reports_order", "order_ref"),
)

fills = Table(
    "fills",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("order_ref", _Int, nullable=False),
    Column("exec_id", Text, nullable=False),
    Column("at", _Int, nullable=False),
    Column("volume", _Int, nullable=False),
    Column("price", Text, nullable=False),
    Column("fee", Text),
    UniqueConstraint("order_ref", "exec_id", name="one_fill_per_exec_id"),
)

events = Table(  # one row for every change of state
    "events",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("at", _Int, nullable=False),
    Column("order_ref", _Int),  # NULL: about the router, a drop or a gateway
    Column("event", Text, nullable=False),  # an order's new status, or what happened
    Column("source", Text, nullable=False),  # "router" or the gateway's name
    Column("detail", Text),
    Column("filled_volume", _Int),  # cumulative, for a status the broker gave
    Index("ix_events_order", "order_ref"),
)

seals = Table(  # the hash chain, see journal/chain.py
    "seals",
    metadata,
    Column("id", _Int, primary_key=True),
    Column("at", _Int, nullable=False),
    Column("events_to", _Int, nullable=False),  # the last event that is sealed; likewise:
    Column("reports_to", _Int, nullable=False),
    Column("fills_to", _Int, nullable=False),
    Column("batches_to", _Int, nullable=False),
    Column("marks", LargeBinary, nullable=False),
    Column("day", Integer),  # the day that is closed by it
    Column("note", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index(
        "ix_seals_day",
        "day",
        sqlite_where=text("day IS NOT NULL"),
        postgresql_where=text("day IS NOT NULL"),
    ),
)
