"""Runs a command in a workspace, as its user does, and reads what it prints for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from orderdrop.cli import main


def json_of(workspace: Path, *words: str) -> tuple[Any, int]:
    """What a command prints with --json, and how it ends."""
    done = CliRunner().invoke(main, ["-C", str(workspace), *words, "--json"], catch_exceptions=False)
    return json.loads(done.stdout), done.exit_code
