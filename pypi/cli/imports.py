"""``cheeseshop import``: folders of wheels and source distributions, checked like uploads."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults

from pypi.app import Application
from pypi.cli.running import application, configured, fail, run
from pypi.domain.errors import Refusal, Unavailable
from pypi.domain.permissions import OPERATOR, Identity

ENDINGS = (".whl", ".tar.gz", ".zip")
AT_ONCE = 8
CHUNK = 1 << 20


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--owner", metavar="NAME", help="Account that shall own the projects this makes.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.pass_context
def import_(context: click.Context, paths: tuple[Path, ...], owner: str | None, quiet: bool) -> None:
    """Publish the wheels and source distributions in PATHS (files, or folders with all below them).

    Every file goes through the checks of an upload. What is on the index already is passed over, so an
    import that was interrupted is simply run again. Ends with counts and a list of what was refused and
    why; status 1 if anything was.
    """
    config = configured(context)
    found = sorted(set(_distributions(paths)))
    if not found:
        fail(f"no {', '.join(ENDINGS)} files in {', '.join(map(str, paths))}")
    report = Report(total=len(found))

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            identity = OPERATOR if owner is None else await index.accounts.named(owner)
            progress = click.progressbar(
                length=len(found), label="Importing", hidden=quiet, show_pos=True, file=sys.stderr
            )
            with progress as bar:
                await _import_all(index, identity, found, report, lambda: bar.update(1))

    run(command)
    click.echo(str(report))
    if report.refused:
        raise SystemExit(1)


@define
class Report:
    """What became of every file."""

    total: int
    counts: Counter[str] = field(factory=Counter)
    refused: list[tuple[Path, str]] = field(factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.counts['published']} published, {self.counts['there']} already there, "
            f"{len(self.refused)} refused, of {self.total} files."
        ]
        lines += [f"  {path.name}: {why}" for path, why in sorted(self.refused)]
        return "\n".join(lines)


def _distributions(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (one for one in path.rglob("*") if one.name.endswith(ENDINGS) and one.is_file())
        elif path.name.endswith(ENDINGS):
            yield path


async def _import_all(
    index: Application, identity: Identity, found: list[Path], report: Report, advance: Any
) -> None:
    """A few at a time; the first sign that the index itself fails ends it all."""
    left = iter(found)

    async def one(path: Path) -> None:
        try:
            report.counts[await _import(index, identity, path)] += 1
        except Unavailable:
            raise
        except (Refusal, OSError) as refusal:
            report.refused.append((path, str(refusal)))
        advance()

    async def lane() -> None:
        for path in left:
            await one(path)

    lanes = [Deferred.fromCoroutine(lane()) for _ in range(AT_ONCE)]
    await gatherResults(lanes, consumeErrors=True)


async def _import(index: Application, identity: Identity, path: Path) -> str:
    file = await index.spool.create(index.publisher.rules.max_file_size)
    try:
        with path.open("rb") as source:
            while data := source.read(CHUNK):
                await file.write(data)
        published = await index.publisher.publish_file(identity, path.name, await file.finish())
    finally:
        await file.abort()
    return "there" if published.serial is None else "published"
