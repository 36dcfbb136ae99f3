"""Installs the wheel of a folder into a new environment in a path with blanks and Chinese, and runs the demo there: not the source.

python .ci/installed.py dist
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def main(dist: Path) -> None:
    (wheel,) = dist.absolute().glob("orderdrop-*.whl")
    with tempfile.TemporaryDirectory(prefix="交易 员 ", ignore_cleanup_errors=True) as folder:
        here = Path(folder) / "程序 文件"
        venv.create(here, with_pip=True)
        bin_folder = here / ("Scripts" if os.name == "nt" else "bin")
        python = bin_folder / ("python.exe" if os.name == "nt" else "python")
        command = bin_folder / ("orderdrop.exe" if os.name == "nt" else "orderdrop")
        plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True, cwd=folder, env=plain)
        where = "import orderdrop; print(orderdrop.__file__)"
        told = subprocess.run(
            [python, "-c", where], check=True, cwd=folder, env=plain | {"PYTHONIOENCODING": "utf-8"}, stdout=subprocess.PIPE,
        ).stdout.decode()  # fmt: skip
        if here.name not in told:
            raise SystemExit(f"not the installed one: {told}")
        workspace = Path(folder) / "我的 工作区"
        subprocess.run([command, "demo", workspace], check=True, cwd=folder, env=plain)
        subprocess.run([command, "-C", workspace, "orders"], check=True, cwd=folder, env=plain)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
