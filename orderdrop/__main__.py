"""`python -m orderdrop`: the same as the command `orderdrop`."""

from __future__ import annotations

from orderdrop.cli import main

if __name__ == "__main__":
    main(prog_name="orderdrop")
