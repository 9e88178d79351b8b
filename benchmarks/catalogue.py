"""A synthetic index to measure with: ``python -m benchmarks.catalogue --projects 140000``.

By default into a data folder in the cache of benchmarks, with the embedded PostgreSQL, where it stays: the
next run finds it. See ``benchmarks.synthetic`` for what it looks like.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from benchmarks.cache import alone, cache
from benchmarks.figure import BenchmarkFailed
from benchmarks.loading import load
from benchmarks.synthetic import LARGE, SMALL, Shape
from pypi.config import load as load_config
from pypi.foundations import Foundations

FORMAT = 1
"""Changed when what is made for a shape changes."""

DEADLINE = 1200.0
LIST = 500_000
SHAPES = {"small": SMALL, "large": LARGE, "list": Shape(LIST, with_files=False)}


def kept(name: str, say: Callable[[str], None]) -> Path:
    """The data folder of one of ``SHAPES``; made when missing, which takes minutes.

    Raises:
        BenchmarkFailed: it cannot be made.
    """
    folder = cache() / f"catalogue-{FORMAT}-{SHAPES[name].key}"
    if not (folder / "complete").exists():
        say(f"Making the catalogue {name!r} in {folder}")
        command = [sys.executable, "-m", "benchmarks.catalogue", "--shape", name]
        made = subprocess.run(command, stdout=sys.stderr, timeout=DEADLINE, check=False)
        if made.returncode:
            raise BenchmarkFailed(f"the catalogue {name!r} could not be made")
    return folder / "data"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--projects", type=click.IntRange(1, 2_000_000), help="Projects, of realistic sizes.")
@click.option("--full-list", type=click.IntRange(1, 2_000_000), help="Projects without files instead.")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="One that the figures use.")
@click.option("--seed", default=1, show_default=True, help="Another one makes another index of this shape.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder whose embedded PostgreSQL it goes into; by default one in the cache of benchmarks.",
)
@click.option("--database-url", help="An outside database, empty and migrated.")
def main(
    projects: int | None,
    full_list: int | None,
    shape: str | None,
    seed: int,
    data: Path | None,
    database_url: str | None,
) -> None:
    """Load a synthetic index into an empty database, and print the data folder it is in."""
    wanted = _shape(projects, full_list, shape, seed)
    try:
        if database_url:
            _load(database_url, wanted)
        elif data:
            into(data, partial(_load, shape=wanted))
        else:
            click.echo(_into_cache(wanted))
    except BenchmarkFailed as failure:
        raise click.ClickException(str(failure)) from None


def _shape(projects: int | None, full_list: int | None, named: str | None, seed: int) -> Shape:
    if named:
        return SHAPES[named]
    if full_list:
        return Shape(full_list, seed=seed, with_files=False)
    return Shape(projects or LARGE.projects, seed=seed)


def _into_cache(shape: Shape) -> Path:
    folder = cache() / f"catalogue-{FORMAT}-{shape.key}"
    with alone("catalogues"):
        if not (folder / "complete").exists():
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / "data").exists():
                raise BenchmarkFailed(f"{folder} was left half made: remove it and try again")
            into(folder / "data", partial(_load, shape=shape))
            (folder / "complete").touch()
    return folder / "data"


def into(data: Path, fill: Callable[[str], None]) -> None:
    """Start the servers of a data folder, and have their database filled in a thread, by its URL."""

    async def filled(reactor: Any) -> None:
        foundations = Foundations(load_config(environment={}, overrides={"service.data": str(data)}), reactor)
        await foundations.start()
        try:
            await deferToThread(fill, foundations.database_url)
        finally:
            await foundations.stop()

    try:
        react(lambda reactor: Deferred.fromCoroutine(filled(reactor)))
    except SystemExit as end:
        if end.code:
            raise


def _load(database_url: str, shape: Shape) -> None:
    began = time.monotonic()
    total = shape.projects + sum(block.projects for block in shape.blocks)

    def say(what: str) -> None:
        click.echo(f"\n[{time.monotonic() - began:4.0f} s] {what}", err=True, nl=False)

    with click.progressbar(length=total, label="Copying", file=sys.stderr) as bar:
        load(database_url, shape, advance=bar.update, say=say)
    say("Done\n")


if __name__ == "__main__":
    main()
