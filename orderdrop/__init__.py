"""Drop an order file from any tool. It reaches the broker exactly once, or you are told why not."""

from __future__ import annotations

__version__ = "0.1.0"
