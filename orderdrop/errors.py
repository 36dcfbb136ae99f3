"""Faults, as exceptions. Outcomes of ordinary work (a bad row, a denial, a rejection) are values, never these.

OrderdropError
├── ConfigError        a setting or a workspace is wrong: exit 2, nothing was done
├── WorkspaceBusy      another router owns this workspace
├── JournalError       the journal cannot be opened, read or written
│   └── SidTaken       an order was to be added whose sid is used up
└── GatewayError       a terminal's folder or connection failed
"""

from __future__ import annotations


class OrderdropError(Exception):
    """Something orderdrop depends on is not as it must be."""


class ConfigError(OrderdropError):
    """The settings or the workspace are wrong."""


class WorkspaceBusy(OrderdropError):
    """Another router owns this workspace."""


class JournalError(OrderdropError):
    """The journal cannot be used."""


class SidTaken(JournalError):
    """The journal has an order of that sid."""


class GatewayError(OrderdropError):
    """A gateway's folder or connection failed."""
