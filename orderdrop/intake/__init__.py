"""Bytes become orders, instructions and row errors. Pure: no files, no clock. The door is `Reader`."""

from __future__ import annotations

from orderdrop.intake.reader import Reader
from orderdrop.intake.rows import BLOCK_ROWS, Block, Context
from orderdrop.intake.sids import FollowedSids, derived_sid

__all__ = ["BLOCK_ROWS", "Block", "Context", "FollowedSids", "Reader", "derived_sid"]
