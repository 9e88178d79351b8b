"""``cheeseshop import`` of 500 wheels, the whole command: from its start to its exit.

The wheels lie in a folder as they would be on an index of one's own: 100 projects of five releases each; of
the 500, 300 have about 2 kB, 150 about 100 kB and 50 about 400 kB, some 36 MB together. Every run imports
them into an index that is empty but was set up before:

*without a service*: the command starts PostgreSQL and Redis and stops them again;
*beside a service*: it uses those of a service that runs and waits for requests;
*once more*: the same files again, of which none is published, as after an interruption.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import distributions, servers
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_least

PROJECTS = 100
SIZES = ((0, 100_000, 0, 100_000, 0), (0, 100_000, 0, 400_000, 0))
"""Bytes of a project's releases, of every other project's; 0 for a tiny one."""

FILES = PROJECTS * 5
DEADLINE = 300.0


def measure(setting: Setting) -> Iterator[Row]:
    """Import again and again, into new indexes."""
    wheels = setting.folder / "wheels"
    setting.say(f"Making {FILES} wheels")
    total = _make(wheels)
    setting.say(f"They have {total / 1e6:.0f} MB")
    alone: list[float] = []
    again: list[float] = []
    beside: list[float] = []
    for run in range(setting.runs):
        setting.say(f"Run {run + 1} of {setting.runs}: without a service")
        data = setting.folder / f"alone-{run}"
        servers.cheeseshop("migrate", data=data)
        alone.append(_import(wheels, data))
        again.append(_import(wheels, data))
        setting.say(f"Run {run + 1} of {setting.runs}: beside a service")
        folder = setting.folder / f"beside-{run}"
        with servers.serving(folder):
            beside.append(_import(wheels, folder / "data"))
    yield _row("without a service", alone, 50)
    yield _row("beside a service", beside, 50)
    yield _row("once more, without a service", again)


def _make(folder: Path) -> int:
    """Make the wheels, in a folder for each project; returns their bytes."""
    total = 0
    for number, project in enumerate(distributions.numbered("imported", PROJECTS)):
        (folder / project).mkdir(parents=True)
        for release, size in enumerate(SIZES[number % len(SIZES)]):
            version = f"1.{release}"
            if size:
                path = distributions.middling(folder / project, project, version, size)
            else:
                path = distributions.tiny(folder / project, project, version)
            total += path.stat().st_size
    return total


def _import(folder: Path, data: Path) -> float:
    """Import the folder; files per second."""
    seconds, said = servers.cheeseshop("import", "--quiet", folder, data=data, deadline=DEADLINE)
    stored = sum(1 for _ in (data / "files").glob("*/*/*/*.whl"))
    if stored != FILES:
        raise BenchmarkFailed(f"{stored} of {FILES} files were imported: {said[:2000]}")
    return FILES / seconds


def _row(measure: str, rates: list[float], least: float | None = None) -> Row:
    return Row(
        measure=measure,
        unit="files/s",
        ours=rates,
        more_is_better=True,
        bar=None if least is None else at_least(least),
    )


FIGURE = Figure(
    name="import",
    question=f"how fast does `cheeseshop import` publish {FILES} wheels?",
    measure=measure,
)
