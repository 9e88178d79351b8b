"""The index of 2008 in a data folder: ``python -m benchmarks.day_2008_catalogue FOLDER``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from benchmarks.cache import cache
from benchmarks.day_2008_rows import Catalogue
from benchmarks.figure import BenchmarkFailed
from benchmarks.loading import fill
from pypi.config import load as load_config
from pypi.foundations import Foundations
from pypi.shadow.record import Logs

FORMAT = 2
"""Changed when what is made of a log changes."""

VARIABLE = "DAY_2008_LOG"
LOG = Path(__file__).parents[2] / "shared" / "data" / "day-2008.first-half.tsv.gz"
"""Half a day of the original index, which lies outside of the checkout; ``VARIABLE`` names another place."""

DEADLINE = 300.0


def log() -> Path:
    """Where the log lies.

    Raises:
        BenchmarkFailed: it is not there.
    """
    path = Path(os.environ.get(VARIABLE) or LOG)
    if not path.is_file():
        raise BenchmarkFailed(f"the log of 2008 is not at {path}; {VARIABLE} may name another place")
    return path


def kept(say: Callable[[str], object]) -> Path:
    """The data folder of the index; made when missing.

    Raises:
        BenchmarkFailed: it cannot be made.
    """
    folder = cache() / f"day-2008-{FORMAT}-{log().stat().st_size}"
    if not (folder / "complete").exists():
        say(f"Making the index of 2008 in {folder}")
        if (folder / "data").exists():
            raise BenchmarkFailed(f"{folder} was left half made: remove it and try again")
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.day_2008_catalogue", folder / "data"]
        if subprocess.run(command, stdout=sys.stderr, timeout=DEADLINE, check=False).returncode:
            raise BenchmarkFailed("the index of 2008 could not be made")
        (folder / "complete").touch()
    return folder / "data"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
def main(data: Path) -> None:
    """Make the index that the log saw, in a new data folder."""
    try:
        made = Catalogue.of(Logs([log()]))
    except BenchmarkFailed as failure:
        raise click.ClickException(str(failure)) from None
    releases = sum(len(project.releases) for project in made.projects.values())
    click.echo(
        f"{len(made.projects):,} projects, {releases:,} releases, {len(made.filenames):,} files, "
        f"{len(made.digests):,} digests"
    )

    async def filled(reactor: Any) -> None:
        foundations = Foundations(load_config(environment={}, overrides={"service.data": str(data)}), reactor)
        await foundations.start()
        try:
            await deferToThread(
                fill,
                foundations.database_url,
                lambda cursor: made.fill(cursor, data / "files"),
                say=click.echo,
            )
        finally:
            await foundations.stop()

    react(lambda reactor: Deferred.fromCoroutine(filled(reactor)))


if __name__ == "__main__":
    main()
