"""Old Pythons and their tools, where this machine has them; a test that needs a missing one is skipped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

from tests.support.service import run

VERSIONS = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

LAST_PIP = {"2.7": "20.3.4", "3.6": "21.3.1", "3.7": "24.0", "3.8": "25.0.1", "3.9": "26.0.1"}
"""The last pip that supports each of the Pythons that are no longer maintained."""

FRESH_DAYS = 30
"""How long "the newest" stays in the cache of tools."""

INSTALL_SECONDS = 120


@frozen
class Interpreter:
    """A Python on this machine.

    Attributes:
        version: ``3.6``.
        path: of the program.
    """

    version: str
    path: Path

    def __str__(self) -> str:
        return f"Python {self.version}"


@frozen
class Pip:
    """A pip, and the interpreter it works for.

    Attributes:
        version: ``20.3.4``.
        folder: what has to be on ``PYTHONPATH`` for it; ``None`` for the interpreter's own.
    """

    python: Interpreter
    version: str
    folder: Path | None

    def __str__(self) -> str:
        return f"pip {self.version} on {self.python}"

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = re.findall(r"\d+", self.version)[:2]
        return int(major), int(minor)

    def run(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str],
        cwd: Path,
        status: int | None = 0,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with no other settings than the arguments as far as it can be told so."""
        apart = ["--isolated", "--disable-pip-version-check"] if self.release >= (6, 0) else []
        path = {} if self.folder is None else {"PYTHONPATH": str(self.folder)}
        return run(
            [self.python.path, "-m", "pip", *arguments, *apart],
            cwd=cwd,
            environment={**environment, **path},
            status=status,
        )


def interpreter(version: str) -> Interpreter:
    """The Python of that version; skips the test where there is none."""
    found = _found().get(version)
    if found is None:
        pytest.skip(f"Python {version} is neither on PATH nor among the versions of pyenv.")
    return found


def this_python() -> Interpreter:
    """The Python that runs the tests."""
    return Interpreter(f"{sys.version_info.major}.{sys.version_info.minor}", Path(sys.executable))


def shipped_pip(python: Interpreter) -> Pip:
    """The pip that came with a Python; skips the test where it came with none."""
    version = _pip_version(python, None)
    if version is None:
        pytest.skip(f"{python} came without pip.")
    return Pip(python, version, None)


def pip(python: Interpreter, version: str) -> Pip:
    """A certain pip for a Python; skips the test where it cannot be had."""
    return _pip_in(python, tool(python, f"pip=={version}"))


def newest_pip(python: Interpreter) -> Pip:
    """The newest pip that supports a Python; skips the test where it cannot be had."""
    return _pip_in(python, tool(python, _newest(python)))


def current_pip() -> Pip:
    """The newest pip for the Python that runs the tests, or where it cannot be had, the one it has."""
    python = this_python()
    place = _install(python, _newest(python))
    return shipped_pip(python) if isinstance(place, str) else _pip_in(python, place)


def _newest(python: Interpreter) -> str:
    last = LAST_PIP.get(python.version)
    return f"pip=={last}" if last else "pip"


def tool(python: Interpreter, requirement: str) -> Path:
    """A folder that makes a package importable when it is on ``PYTHONPATH``; skips where it cannot be had.

    It is installed by that Python's own pip with this machine's settings, and kept for the next run.

    Args:
        requirement: ``wheel==0.37.1``, or a bare name for the newest.
    """
    place = _install(python, requirement)
    if isinstance(place, str):
        pytest.skip(f"{requirement} for {python} could not be installed: {place}")
    return place


def _pip_in(python: Interpreter, folder: Path) -> Pip:
    version = _pip_version(python, folder)
    assert version is not None, f"there is no pip in {folder}"
    return Pip(python, version, folder)


@cache
def _pip_version(python: Interpreter, folder: Path | None) -> str | None:
    path = {} if folder is None else {"PYTHONPATH": str(folder)}
    said = subprocess.run(
        [str(python.path), "-m", "pip", "--version"],
        cwd="/",
        env={**os.environ, **path},
        capture_output=True,
        text=True,
        timeout=30,
    )
    named = re.match(r"pip (\S+) from", said.stdout)
    return named[1] if named else None


@cache
def _found() -> dict[str, Interpreter]:
    """Version → the first interpreter of that version that runs."""
    found: dict[str, Interpreter] = {}
    for path in _candidates():
        version = _version_of(path)
        if version in VERSIONS:
            found.setdefault(version, Interpreter(version, path))
    return found


def _candidates() -> Iterator[Path]:
    for folder in sorted(_pyenv_versions(), reverse=True):
        if (folder / "bin" / "python").exists():
            yield folder / "bin" / "python"
    for version in VERSIONS:
        named = shutil.which(f"python{version}")
        if named is not None:
            yield Path(named)


def _pyenv_versions() -> list[Path]:
    root = os.environ.get("PYENV_ROOT") or _pyenv_root() or Path.home() / ".pyenv"
    folder = Path(root) / "versions"
    return list(folder.iterdir()) if folder.is_dir() else []


def _pyenv_root() -> str:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return ""
    said = subprocess.run([pyenv, "root"], capture_output=True, text=True, timeout=30)
    return said.stdout.strip()


def _version_of(path: Path) -> str:
    """``3.6``; empty for what does not run, such as the shim of a version that is not chosen."""
    asked = [str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        said = subprocess.run(asked, cwd="/", capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "cheeseshop-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _install(python: Interpreter, requirement: str) -> Path | str:
    """The folder of an installed tool, or why there is none."""
    place: Path = _cache() / f"{requirement.replace('==', '-')}-py{python.version}"
    if place.exists() and ("==" in requirement or not _is_stale(place)):
        return place
    # Made beside its place and then moved, so that an interrupted run leaves nothing that looks finished.
    with tempfile.TemporaryDirectory(dir=_cache()) as workplace:
        new = Path(workplace) / "new"
        complaint = _pip_install(python, requirement, new)
        if complaint:
            return complaint
        if place.exists():
            place.rename(Path(workplace) / "old")
        new.rename(place)
    return place


def _pip_install(python: Interpreter, requirement: str, target: Path) -> str:
    """Install into a folder; returns what went wrong, or nothing."""
    options = ["--quiet", "--retries", "1", "--target", str(target)]
    try:
        done = subprocess.run(
            [str(python.path), "-m", "pip", "install", *options, requirement],
            cwd=target.parent,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {INSTALL_SECONDS} s"
    if done.returncode == 0 and target.is_dir():
        return ""
    complaints = [line for line in done.stderr.splitlines() if "ERROR" in line or "No match" in line]
    return (complaints or done.stderr.splitlines() or ["pip said nothing"])[-1].strip()


def _is_stale(place: Path) -> bool:
    return time.time() - place.stat().st_mtime > FRESH_DAYS * 86400
