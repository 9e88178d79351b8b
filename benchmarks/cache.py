"""What is made once and used by many runs: peers in environments of their own, catalogues."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import Command, run

VARIABLE = "CHEESESHOP_BENCH_CACHE"
INSTALLATION = 600.0


def cache() -> Path:
    """The folder of all that is kept."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "cheeseshop-bench"


def environment(name: str, requirements: Sequence[str], say: Callable[[str], None]) -> Path:
    """The folder of the programs of an environment in which these are installed; made when missing."""
    folder = cache() / name
    programs = folder / "bin"
    if not (folder / "complete").exists():
        say(f"Installing {', '.join(requirements)} into {folder}")
        run([sys.executable, "-m", "venv", "--clear", folder], deadline=INSTALLATION)
        pip: Command = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, *requirements], deadline=INSTALLATION)
        (folder / "complete").touch()
    return programs


@contextmanager
def alone(name: str = "machine") -> Iterator[None]:
    """Only one process at a time is in such a block; others wait, so that they do not measure each other."""
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
