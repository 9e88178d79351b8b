"""``python -m benchmarks``: measure one figure, some, or all of them."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks import machine, report
from benchmarks.figure import BenchmarkFailed, Figure, Setting
from benchmarks.imports import FIGURE as IMPORT
from benchmarks.large import FIGURE as LARGE
from benchmarks.start import FIGURE as START
from benchmarks.uploads import FIGURE as UPLOADS

FIGURES = {figure.name: figure for figure in (UPLOADS, IMPORT, LARGE, START)}
LIST = "\n".join(f"  {figure.name:8}  {figure.question}" for figure in FIGURES.values())


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nFigures:\n{LIST}",
)
@click.argument("names", nargs=-1, metavar="[FIGURE]...", type=click.Choice(list(FIGURES)))
@click.option(
    "--runs", default=3, show_default=True, type=click.IntRange(1, 50), help="Runs of each subject."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where to work, on a disk with 5 GB free; by default where temporary files go.",
)
def main(names: tuple[str, ...], runs: int, folder: Path | None) -> None:
    """Measure FIGUREs, all unless some are named, and print each beside its bar.

    Progress goes to stderr. The status is 1 if a bar is not met and 2 if a figure could not be measured.
    """
    if not machine.PROC.joinpath("self", "stat").exists():
        raise click.ClickException("measuring needs Linux and its /proc")
    # Whoever started this in the background may have it ignore the signal, and so would all it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = 0
    for name in names or FIGURES:
        status = max(status, _measure(FIGURES[name], runs, folder))
    sys.exit(status)


def _measure(figure: Figure, runs: int, folder: Path | None) -> int:
    began = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"[{figure.name} {time.monotonic() - began:4.0f} s] {what}", err=True)

    foreign = machine.Foreign()
    try:
        with tempfile.TemporaryDirectory(prefix="cheeseshop-bench-", dir=folder) as work:
            rows = list(figure.measure(Setting(runs=runs, folder=Path(work), say=say)))
    except (BenchmarkFailed, OSError) as failure:
        click.echo(f"{figure.name}: {failure}", err=True)
        return 2
    share = foreign.share
    click.echo(report.table(figure, rows, share))
    say(f"Kept in {report.keep(figure, rows, share)}")
    return int(any(row.is_met is False for row in rows))


if __name__ == "__main__":
    main()
