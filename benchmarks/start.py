"""How long ``make serve`` takes to its ready line, from a fresh clone and then a second time.

A new clone of the last commit, a new and empty HOME, a new data folder; what stays is how pip is configured,
and its cache, which is warm: the same was installed once before into another clone. The first ``make serve``
makes the environment, installs, makes the database cluster and migrates it; the second, after Ctrl-C, finds
all that there. Both end by Ctrl-C; the time from there until no process is left is the third figure.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from benchmarks.figure import Figure, Row, Setting, at_most
from benchmarks.processes import run, running
from benchmarks.servers import ENVIRONMENT, READY

CHECKOUT = Path(__file__).parent.parent
DEADLINE = 300.0
"""Seconds; far beyond the bar, so that a slow start is still a number."""


@define
class Times:
    """Seconds, one number for each run."""

    first: list[float] = field(factory=list)
    second: list[float] = field(factory=list)
    stop: list[float] = field(factory=list)


def measure(setting: Setting) -> Iterator[Row]:
    """Start from nothing, again and again."""
    setting.say("Warming pip's cache: one installation that does not count")
    cache = run([sys.executable, "-m", "pip", "cache", "dir"], deadline=60)[1].strip()
    _serve(_clone(setting.folder / "warming"), cache)
    times = Times()
    for number in range(setting.runs):
        home = _clone(setting.folder / f"run-{number}")
        setting.say(f"Run {number + 1} of {setting.runs}: first start")
        _note(times.first, times.stop, _serve(home, cache))
        setting.say(f"Run {number + 1} of {setting.runs}: second start")
        _note(times.second, times.stop, _serve(home, cache))
    yield Row(measure="first start, warm package cache", unit="s", ours=times.first, bar=at_most(60))
    yield Row(measure="second start", unit="s", ours=times.second, bar=at_most(4))
    yield Row(measure="Ctrl-C until all has ended", unit="s", ours=times.stop, bar=at_most(5))


def _clone(folder: Path) -> Path:
    """A clone of the last commit, as ``checkout`` beside an empty ``home``."""
    (folder / "home").mkdir(parents=True)
    run(["git", "clone", "--quiet", CHECKOUT, folder / "checkout"], deadline=60)
    return folder


def _serve(folder: Path, cache: str) -> tuple[float, float]:
    """``make serve``: seconds to the ready line, and from Ctrl-C to the end."""
    env = ENVIRONMENT | {
        "HOME": str(folder / "home"),
        "PIP_CACHE_DIR": cache,
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config")),
        "MAKEFLAGS": "",
    }
    with running(
        ["make", "serve", "PORT=0", f"PYTHON={sys.executable}"],
        ready=READY,
        log=folder / "serve.log",
        deadline=DEADLINE,
        env=env,
        cwd=folder / "checkout",
    ) as service:
        return service.seconds_to_ready, service.stop()


def _note(starts: list[float], stops: list[float], measured: tuple[float, float]) -> None:
    starts.append(measured[0])
    stops.append(measured[1])


FIGURE = Figure(
    name="start",
    question="how long does `make serve` take from a fresh clone, and the next time?",
    measure=measure,
)
