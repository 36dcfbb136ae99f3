"""`python -m orderdrop.terminal`: the terminal to try with."""

from __future__ import annotations

from orderdrop.terminal.command import terminal

if __name__ == "__main__":
    terminal(prog_name="python -m orderdrop.terminal")
