"""``cheeseshop purge``: having the edge forget what it keeps."""

from __future__ import annotations

from typing import Any

import click
from twisted.internet.task import deferLater

from pypi.app import Application
from pypi.cli.running import application, configured, fail, run, show
from pypi.domain.cache_tags import files_tag
from pypi.domain.names import normalize

WITHIN = 90.0
"""Seconds ``--wait`` waits: a purge of everything is sent twice, half a minute apart."""


@click.command()
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@click.option("--project", "projects", multiple=True, metavar="NAME", help="Every page of a project.")
@click.option("--all", "everything", is_flag=True, help="Everything the edge keeps.")
@click.option("--hard", is_flag=True, help="For good, files among it: not even while the index is away.")
@click.option("--wait", is_flag=True, help=f"Wait until the edge has done it, up to {WITHIN:g} s.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def purge(
    context: click.Context,
    tags: tuple[str, ...],
    projects: tuple[str, ...],
    everything: bool,
    hard: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Have the CDN or Varnish before the index forget every page with one of these tags.

    A running service does it; with --wait, this command does if no service runs. Status 1 if it was asked
    for, but is not done in time: it will be tried until it is.
    """
    names = [normalize(name) for name in projects]
    wanted = [*tags, *(f"project/{name}" for name in names)]
    if hard:
        wanted += map(files_tag, names)
    if bool(wanted) == everything:
        raise click.UsageError("Name tags or projects, or say --all.")
    if everything and hard:
        raise click.UsageError("Name what is to be purged hard: everything goes as softly as the edge can.")
    settings = configured(context)
    if settings.edge.purger == "off":
        fail("There is no edge to be purged: edge.purger is off.", status=2)

    outcome: dict[str, Any] = {"tags": wanted, "everything": everything}

    async def command(reactor: Any) -> None:
        async with application(settings, reactor) as index:
            if everything:
                errand = await index.purges.ask_for_all()
            else:
                errand = await index.purges.ask(wanted, hard=hard)
            outcome.update(errand=errand, done=wait and await _done(index, errand, reactor))

    run(command)
    show(outcome, as_json=as_json, text=_told)
    if wait and not outcome["done"]:
        fail(f"The edge has not acknowledged within {WITHIN:g} s; it will be asked until it does.")


async def _done(index: Application, errand: int, reactor: Any) -> bool:
    ends = reactor.seconds() + WITHIN
    while reactor.seconds() < ends:
        if await index.purges.is_done(errand):
            return True
        await deferLater(reactor, 0.2)
    return False


def _told(outcome: dict[str, Any]) -> str:
    what = "everything" if outcome["everything"] else ", ".join(outcome["tags"])
    return f"Purged: {what}." if outcome["done"] else f"To be purged: {what}."
