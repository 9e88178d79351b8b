"""How long readers of a hot page wait while somebody uploads descriptions made to be slow to render.

One worker, with all that it starts, on one processor, wrk on the other, 64 connections, the page of 17 files;
in turns undisturbed and with uploads, one after the other without a pause: reStructuredText whose
substitutions double with every line, a code fence and comments in Markdown over which their parsers brood.
*At full load* each connection asks again at once, *at about 6,000/s* it waits 10 ms on average.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from urllib.parse import urlsplit

from attrs import define, evolve, field

from benchmarks import contest, distributions, servers, uploading, wrk
from benchmarks.client import Client
from benchmarks.clients import BARE
from benchmarks.contest import SERVER, Contender, Turn
from benchmarks.distributions import Description
from benchmarks.field import OURS
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, times_as_much
from benchmarks.latency import CONNECTIONS, PAUSES
from benchmarks.servers import Subject
from benchmarks.wrk import Load

HOT, FILES = "hotpage", 17
MOST = 1.2
NESTED = 14
DESCRIPTIONS = (
    Description(
        "\n".join(f".. |a{n}| replace:: |a{n + 1}| |a{n + 1}|" for n in range(NESTED))
        + f"\n.. |a{NESTED}| replace:: x\n\n|a0|\n",
        "text/x-rst",
    ),
    Description("```perl\n" + "s{{{{" * 10_000 + "\n```\n"),
    Description("<!--" * 50_000),
)


@define(eq=False)
class Uploader:
    """Uploads such things, one after the other, while it is wanted.

    Attributes:
        uploads: how many were taken.
    """

    setting: Setting
    subject: Subject
    uploads: int = field(default=0, init=False)
    failure: BenchmarkFailed | None = field(default=None, init=False)
    _numbers: Iterator[int] = field(factory=count, init=False)
    _over: threading.Event = field(factory=threading.Event, init=False)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A block during which it uploads."""
        self._over.clear()
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
        if self.failure is not None:
            raise self.failure

    def _work(self) -> None:
        with closing(Client(self.subject.origin)) as client:
            while not self._over.is_set():
                number = next(self._numbers)
                description = _anew(DESCRIPTIONS[number % len(DESCRIPTIONS)], number)
                project, code = f"hostile{number}", {"hostile.py": b"# Nothing\n"}
                wheel = distributions.wheel(self.setting.folder, project, "1.0", code, description)
                try:
                    client.ask(uploading.request(self.subject, project, "1.0", wheel))
                except BenchmarkFailed as failure:
                    self.failure = failure
                    return
                self.uploads += 1


def _anew(description: Description, number: int) -> Description:
    """The same, so that nobody can remember what came of it: a paragraph more."""
    return evolve(description, text=f"Number {number}.\n\n{description.text}")


def measure(setting: Setting) -> Iterator[Row]:
    """With and without pauses of the readers."""
    wheels = setting.folder / "wheels"
    wheels.mkdir()
    for number in range(FILES):
        distributions.tiny(wheels, HOT, f"1.{number}")
    with servers.serving(setting.folder / OURS, cores=SERVER) as subject:
        servers.cheeseshop("import", "--quiet", wheels, data=setting.folder / OURS / "data")
        contender = Contender(OURS, subject.origin, partial(servers.answering, subject.running))
        request = BARE.request(f"/simple/{HOT}/", urlsplit(subject.origin).netloc)
        file = wrk.write(setting.folder / "requests", [request])
        for when, pause in PAUSES:
            load = Load(file=file, connections=CONNECTIONS, pause=pause)
            uploader = Uploader(setting, subject)
            yield from _rows(setting, when, contender, load, uploader)


def _rows(setting: Setting, when: str, contender: Contender, load: Load, uploader: Uploader) -> Iterator[Row]:
    def disturbed(seconds: int) -> Turn:
        with uploader.at_work():
            return contest.turn(contender, load, seconds)

    takes: dict[str, Callable[[int], Turn]] = {
        "undisturbed": partial(contest.turn, contender, load),
        "disturbed": disturbed,
    }
    found = contest.of_turns(setting, when, takes)
    note = f"{uploader.uploads} such uploads"
    bar = times_as_much(MOST)
    yield found.row(f"{when}: p99", "ms", Turn.p99, "disturbed", "undisturbed", bar=bar, note=note)
    yield found.row(f"{when}: rate", "/s", Turn.rate, "disturbed", "undisturbed", rate=True)


FIGURE = Figure(
    name="hostile",
    question="what do hostile descriptions do to readers of a hot page?",
    peer="ourselves, undisturbed",
    measure=measure,
    runs=5,
)
