"""The real service with projects imported into it, real ones where they can be had."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import requires
from pathlib import Path

from attrs import define

from pypi.domain.names import normalize
from tests.support.service import Service

FRESH_DAYS = 30
"""How long what was downloaded counts as today's."""

DOWNLOAD_SECONDS = 90.0
TRIES = 4


@define(eq=False)
class Site:
    """A running service that holds projects.

    Attributes:
        service: the process.
        real: normalized names of the real projects it holds; empty where none could be downloaded.
        why_not_real: the reason for that.
    """

    service: Service
    real: Sequence[str] = ()
    why_not_real: str = ""

    @property
    def url(self) -> str:
        """Where it answers, without a slash at its end."""
        return self.service.url.rstrip("/")

    def stock(self, write: Callable[[Path], object] | None = None, *, owner: str = "ada") -> None:
        """Import this project's own dependencies, as far as they are here or can be had, and more.

        Args:
            write: puts distributions into a folder.
            owner: an account.
        """
        folder = dependencies()
        with tempfile.TemporaryDirectory(dir=self.service.folder) as made:
            if write is not None:
                write(Path(made))
            if isinstance(folder, str):
                self.why_not_real = folder
                folders = [Path(made)]
            else:
                self.real = sorted({normalize(path.name.partition("-")[0]) for path in folder.iterdir()})
                folders = [Path(made), folder]
            self.service.cheeseshop("import", "--quiet", "--owner", owner, *folders)


def cache() -> Path:
    """Where tests keep what they downloaded, between runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "cheeseshop-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kept(name: str, make: Callable[[Path], str]) -> Path | str:
    """A folder of the cache that is made once.

    Args:
        name: of the folder.
        make: fills a new folder; returns why it could not, or nothing.

    Returns:
        the folder, or why there is none.
    """
    place = cache() / name
    if place.exists() and time.time() - place.stat().st_mtime < FRESH_DAYS * 86400:
        return place
    # Made beside its place and then moved, so that an interrupted run leaves nothing that looks finished.
    with tempfile.TemporaryDirectory(dir=cache()) as workplace:
        new = Path(workplace) / "new"
        new.mkdir()
        complaint = make(new)
        if complaint:
            return complaint
        if place.exists():
            shutil.move(place, Path(workplace) / "old")
        new.rename(place)
    return place


def dependencies() -> Path | str:
    """A folder of the wheels this project runs on, or why there is none."""
    wanted = [one for one in requires("cheeseshop") or () if "extra ==" not in one]
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
    return kept(f"dependencies-{digest}-py{sys.version_info.minor}", lambda folder: _download(wanted, folder))


def _download(wanted: Sequence[str], folder: Path) -> str:
    """Wheels only, for a source distribution would be built; whoever has no wheel is passed over."""
    complaint = ""
    for _ in range(TRIES):
        complaint = ask_pip("download", "--only-binary", ":all:", "--dest", str(folder), *wanted)
        without_wheel = re.search(r"No matching distribution found for ([\w.-]+)", complaint)
        if without_wheel is None:
            break
        wanted = [one for one in wanted if re.match(r"[\w.-]+", one)[0] != without_wheel[1]]  # type: ignore[index]
    return complaint


def ask_pip(verb: str, *arguments: str) -> str:
    """Run pip; returns what went wrong, or nothing."""
    quiet = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip", verb, *quiet, *arguments],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"pip took more than {DOWNLOAD_SECONDS:g} s"
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
