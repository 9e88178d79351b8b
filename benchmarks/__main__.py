"""``python -m benchmarks``: measure one figure, some, or all of them."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import click

from benchmarks import machine, report
from benchmarks.figure import BenchmarkFailed, Figure, Setting

MODULES = (
    *("uploads", "imports", "large", "start", "search", "searching", "finding"),
    *("hot", "floor", "zipf", "conditional", "peers", "headline", "workers", "latency", "cold", "full_list"),
    *("downloads", "memory", "freshness", "listeners", "hostile", "redirects", "day_2008"),
    "xmlrpc",
)
FIGURES: dict[str, Figure] = {
    figure.name: figure for figure in (import_module(f"benchmarks.{name}").FIGURE for name in MODULES)
}
LIST = "\n".join(f"  {figure.name:11}  {figure.question}" for figure in FIGURES.values())

SECONDS = 4
"""Longer, and the bursts of others spoil most turns; shorter, and a hundredth of a second counts."""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=f"\b\nFigures:\n{LIST}",
)
@click.argument("names", nargs=-1, metavar="[FIGURE]...", type=click.Choice(list(FIGURES)))
@click.option(
    "--runs", type=click.IntRange(1, 50), help="Runs of each subject; by default as many as the figure needs."
)
@click.option(
    "--seconds", default=SECONDS, show_default=True, type=click.IntRange(1, 60), help="Of load in each run."
)
@click.option("--quick", is_flag=True, help="One run of one second: shows that it works, measures nothing.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each figure in place of a table.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where to work, on a disk with 5 GB free; by default where temporary files go.",
)
def main(
    names: tuple[str, ...], runs: int | None, seconds: int, quick: bool, as_json: bool, folder: Path | None
) -> None:
    """Measure FIGUREs, all unless some are named, and print each beside its bar.

    Progress goes to stderr. The status is 1 if a bar is not met and 2 if a figure could not be measured.
    """
    if not machine.PROC.joinpath("self", "stat").exists():
        raise click.ClickException("measuring needs Linux and its /proc")
    # Whoever started this in the background may have it ignore the signal, and so would all it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if quick:
        runs, seconds = 1, 1
    status = 0
    for name in names or FIGURES:
        status = max(status, _measure(FIGURES[name], runs, seconds, folder, as_json=as_json, keep=not quick))
    sys.exit(status)


def _measure(
    figure: Figure, runs: int | None, seconds: int, folder: Path | None, *, as_json: bool, keep: bool
) -> int:
    began = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"[{figure.name} {time.monotonic() - began:4.0f} s] {what}", err=True)

    foreign = machine.Foreign()
    try:
        with tempfile.TemporaryDirectory(prefix="cheeseshop-bench-", dir=folder) as work:
            setting = Setting(runs=runs or figure.runs, seconds=seconds, folder=Path(work), say=say)
            rows = list(figure.measure(setting))
    except (BenchmarkFailed, OSError) as failure:
        click.echo(f"{figure.name}: {failure}", err=True)
        return 2
    share = foreign.share
    click.echo((report.line if as_json else report.table)(figure, rows, share))
    if keep:
        say(f"Kept in {report.keep(figure, rows, share)}")
    return int(any(row.is_met is False for row in rows))


if __name__ == "__main__":
    main()
