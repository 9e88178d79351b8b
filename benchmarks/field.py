"""Our service and nginx beside each other, with the same pages of a synthetic catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from attrs import evolve, field, frozen

from benchmarks import catalogue, nginx, reaching, servers, traffic, tree
from benchmarks.contest import CLIENT, SERVER, Contender, Heat, heat
from benchmarks.figure import Setting
from benchmarks.processes import Running
from benchmarks.traffic import Ask, Known
from benchmarks.wrk import Load

OURS = "Cheeseshop"
MEMORY = {"CHEESESHOP_CACHE_MEMORY": "1GB"}
"""For all pages that are asked for; nginx has the memory of the whole machine for its files."""


@frozen
class Entry:
    """A server that is ready, and what it is asked."""

    contender: Contender
    known: Known = field(repr=False)


@frozen
class Ground:
    """All that are ready.

    Attributes:
        service: ours.
        entries: ours first, then nginx in each configuration.
        sizes: (project, is it JSON?) → size of the page.
    """

    service: Running
    entries: tuple[Entry, ...]
    sizes: dict[tuple[str, bool], tree.Size] = field(repr=False)


@contextmanager
def prepared(
    setting: Setting,
    shape: str,
    asks: Sequence[Ask],
    *,
    configurations: Sequence[nginx.Configuration] = (nginx.ORDINARY, nginx.BEST),
    workers: int = 1,
    cores: str = SERVER,
) -> Iterator[Ground]:
    """Start all, write the pages for nginx from our answers, warm all up, and see that they say the same.

    Args:
        shape: a name of ``catalogue.SHAPES``.
        asks: all that will be asked.
    """
    data = catalogue.kept(shape, setting.say)
    with ExitStack() as stack:
        folder = setting.folder / f"{OURS}-{workers}"
        setting.say(f"Starting {OURS}, {workers} worker{'s' if workers > 1 else ''}")
        service = stack.enter_context(servers.reading(data, folder, workers=workers, cores=cores, env=MEMORY))
        origin = servers.origin(service)
        setting.say("Writing its pages as files")
        pages = setting.folder / f"pages-{workers}"
        sizes = tree.write(pages, origin, asks)
        setting.say("Asking everybody for everything once")
        ours = Entry(
            Contender(OURS, origin, partial(servers.answering, service)), traffic.known(origin, asks)
        )
        _warm(origin, servers.workers(service, workers), asks)
        entries = [ours]
        for one in configurations:
            place = setting.folder / f"{one.name}-{workers}".replace(" ", "-")
            server, url = stack.enter_context(
                nginx.serving(one, place, tree=pages, workers=workers, cores=cores)
            )
            known = traffic.known(url, asks, one.path)
            traffic.check_same(ours.known, known)
            entries.append(Entry(Contender(one.name, url, server.tree), known))
        yield Ground(service, tuple(entries), sizes)


def _warm(origin: str, workers: Sequence[int], asks: Sequence[Ask]) -> None:
    """Have every one of several workers answer everything once; each has pages of its own."""
    for clients in reaching.each(origin, workers).values() if len(workers) > 1 else ():
        for client in clients:
            for request in {ask.client.request(f"/simple/{ask.project}/", client.host) for ask in asks}:
                client.ask(request)
            client.close()


def written(setting: Setting, ground: Ground, asks: Sequence[Ask]) -> list[Path]:
    """The list as a file for each server: each gets its own paths and validators."""
    return [
        entry.known.write(setting.folder / f"{place}.requests", asks)
        for place, entry in enumerate(ground.entries)
    ]


def raced(
    setting: Setting,
    ground: Ground,
    what: str,
    files: Sequence[Path],
    connections: int,
    *,
    threads: int = 1,
    cores: str = CLIENT,
) -> Heat:
    """All servers under their lists, in turns.

    Args:
        threads: of wrk.
        cores: the processors wrk may use.
    """
    load = Load(file=files[0], connections=connections, threads=threads, cores=cores)
    entries = zip(ground.entries, files, strict=True)
    return heat(setting, what, [(entry.contender, evolve(load, file=file)) for entry, file in entries])
