"""`orderdrop doctor`: can orders pass? Folders, clocks, what the terminal writes, and what to do."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import json_option, print_json_array, say, stdout

if TYPE_CHECKING:
    from orderdrop.doctor.finding import Finding
    from orderdrop.doctor.surroundings import RouterFacts

_MARKS: Final = {"ok": ("√", "green"), "warn": ("!", "bold yellow"), "wrong": ("×", "bold red")}


@click.command(short_help="Look whether orders can pass, and what to do. 体检")
@json_option
@click.pass_context
@pass_place
def doctor(place: Place, ctx: click.Context, as_json: bool) -> None:
    """Look whether orders can pass: folders, leftovers of earlier days, what the terminal writes, clocks, slow renames, the console.

    体检：文件夹、遗留文件、终端输出、时钟、改名耗时、终端窗口编码；逐项说明怎么办。

    Nothing is repaired, and nothing is sent. Run it in the morning, with the terminal up. Exit 1 when something is wrong.

    \b
    Examples 例子:
      orderdrop doctor
      orderdrop doctor --json
    """
    from orderdrop.doctor.examination import examine  # noqa: PLC0415  heavy

    place.must_exist()
    findings = list(
        examine(place.settings, place.workspace, _router(place), sys.stdout.encoding or "ascii", place.today)
    )
    if as_json:
        print_json_array(finding.view(place.language) for finding in findings)
    else:
        show(findings, place)
    ctx.exit(1 if any(finding.level == "wrong" for finding in findings) else 0)


def _router(place: Place) -> RouterFacts:
    from orderdrop.cli.status import who_runs  # noqa: PLC0415
    from orderdrop.doctor.surroundings import RouterFacts  # noqa: PLC0415
    from orderdrop.errors import JournalError  # noqa: PLC0415
    from orderdrop.views import health  # noqa: PLC0415
    from orderdrop.views.inbox import waiting  # noqa: PLC0415

    router, beat = who_runs(place)
    faults = health.problems(beat, router["silent_for"]) if router["running"] else ()
    try:
        with place.journal() as reading:
            files = waiting(place.workspace, reading, place.today)
    except JournalError:  # told on its own
        files = []
    who = f"pid {router.get('pid', '?')}"
    return RouterFacts(router["running"], who, tuple(files), place.in_force, tuple(faults))


def show(findings: list[Finding], place: Place) -> None:
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = stdout()
    for finding in findings:
        view = finding.view(place.language)
        line = Text.assemble(_MARKS[view.level], f" {view.check}  ", (view.where, "dim"), f"  {view.finding}")
        console.print(line, soft_wrap=True)
        if view.remedy:
            console.print(Padding.indent(Text(f"→ {view.remedy}", "yellow"), 4))
    counts = Counter[str](finding.level for finding in findings)
    say(
        f"{counts['ok']} 项正常，{counts['warn']} 项注意，{counts['wrong']} 项有误",
        f"{counts['ok']} ok, {counts['warn']} to mind, {counts['wrong']} wrong",
        place.language,
    )
