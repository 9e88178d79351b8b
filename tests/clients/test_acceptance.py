"""From a fresh clone with a fresh home folder: what the README promises a newcomer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from signal import SIGINT
from typing import ClassVar
from urllib.request import urlopen

import psutil
import pytest
from attrs import define
from packaging.requirements import Requirement

from pypi.domain.names import normalize
from tests.clients.desk import Desk
from tests.clients.distributions import classic_sdist, installed, sha256, wheel
from tests.support import interpreters
from tests.support.interpreters import Pip
from tests.support.service import ROOT, STOP_SECONDS, Service, environment, run, servers_of

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.timeout(1200)]

INSTALL_SECONDS = 600.0
PYTHON = os.path.realpath(sys.executable)
"""The interpreter itself: a fresh home folder has no shims."""


def fresh(home: Path, **more: str) -> dict[str, str]:
    """An environment with a fresh home, in which pip has this machine's settings and cache nevertheless."""
    home.mkdir(exist_ok=True)
    fresh = environment(home, **more)
    del fresh["PIP_CONFIG_FILE"]
    said = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True)
    fresh["PIP_CACHE_DIR"] = said.stdout.strip()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pip" / "pip.conf"
    if settings.exists():
        fresh["PIP_CONFIG_FILE"] = str(settings)
    own = {
        key: value for key, value in os.environ.items() if key.startswith("PIP_") or "proxy" in key.lower()
    }
    return fresh | own


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed."""
    folder = tmp_path_factory.mktemp("clone") / "cheeseshop"
    run(["git", "clone", "--quiet", "--local", ROOT, folder], cwd=ROOT, environment=os.environ)
    return folder


@define(eq=False, kw_only=True)
class Made(Service):
    """The service, started by ``make serve`` in a clone."""

    clone: Path

    def command(self) -> list[str | Path]:
        return [
            *("make", "--no-print-directory", "--directory", self.clone, "serve"),
            *(f"PORT={self.port}", f"DATA={self.data}", f"PYTHON={PYTHON}"),
        ]

    def environment(self, **more: str) -> dict[str, str]:
        return fresh(self.home, CHEESESHOP_OPERATOR_PORT="0", CHEESESHOP_SERVICE_DATA=str(self.data), **more)

    def ctrl_c(self) -> None:
        """What a terminal does: the signal goes to every process of the foreground group."""
        assert self.process is not None
        group = os.getpgid(self.pid)
        os.killpg(group, SIGINT)
        self.process.wait(STOP_SECONDS)
        assert servers_of(self.data) == []
        assert [one for one in psutil.pids() if _group_of(one) == group] == []


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@pytest.fixture(scope="module")
def made(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The service as ``make serve`` starts it, before it is started."""
    folder = tmp_path_factory.mktemp("made")
    service = Made(folder, clone=clone, scripts=clone / ".venv" / "bin", patience=INSTALL_SECONDS)
    yield service
    service.end()


@pytest.fixture
def desk(made: Made, tmp_path: Path) -> Desk:
    """A workplace before an index that ``make serve`` started."""
    if made.process is None:
        made.start()
    assert made.token
    return Desk(made, tmp_path)


def test_real_distributions(desk: Desk, current_pip: Pip) -> None:
    """What pip downloads for this very project goes in by twine, and comes out again by pip and uv."""
    _download(desk, "--only-binary=:all:", *sorted(_requirements() - {"txpostgres"}))
    _download(desk, "--no-binary=:all:", "packaging", "txredisapi")
    files = sorted(desk.dist.iterdir())
    desk.twine(*files)
    for file in files:
        assert desk.listed(_project(file))[file.name]["hashes"]["sha256"] == sha256(file)
    projects = {_project(file) for file in files if file.suffix == ".whl"}
    assert len(projects) > 10
    desk.pip_install(current_pip, "--only-binary=:all:", *projects)
    assert set(installed(desk.target)) == projects
    again = Desk(desk.service, desk.folder / "again")
    again.folder.mkdir()
    again.uv_install("--only-binary=:all:", *projects)
    assert set(installed(again.target)) == projects


@pytest.mark.parametrize("version", ["1.5.6", "9.0.3", "20.3.4"])
def test_old_pips(desk: Desk, version: str) -> None:
    """Pips of ten years ago install from it."""
    pip = interpreters.pip(interpreters.interpreter("2.7"), version)
    project = f"old-{version.replace('.', '-')}"
    desk.twine(wheel(desk.dist, f"{project}-wheel"), classic_sdist(desk.dist, f"{project}-sdist"))
    desk.pip_install(pip, f"{project}-wheel", f"{project}-sdist")
    assert installed(desk.target) == {f"{project}-wheel": "1.0", f"{project}-sdist": "1.0"}


def test_ctrl_c_and_second_start(made: Made, desk: Desk) -> None:
    """Ctrl-C ends everything; the second start installs nothing and has all that was there before."""
    desk.twine(wheel(desk.dist, "kept-over-night"))
    made.ctrl_c()
    made.patience = 60
    made.start()
    assert made.said.read_text() == f"Cheeseshop ready: {made.url}\n"
    assert list(desk.listed("kept-over-night")) == ["kept_over_night-1.0-py2.py3-none-any.whl"]
    made.ctrl_c()


@define(eq=False)
class Twistd(Service):
    """The service of an installation, started by twistd."""

    stopped: ClassVar[int] = -SIGINT

    def command(self) -> list[str | Path]:
        return [self.scripts / "twistd", "-n", "pypi", "--port", str(self.port), "--data", self.data]


@pytest.mark.parametrize("editable", [False, True], ids=["plain", "editable"])
def test_pip_install_of_the_project(clone: Path, tmp_path: Path, editable: bool) -> None:
    """``pip install .`` and ``pip install -e .`` both give a ``twistd -n pypi`` that works anywhere."""
    source = tmp_path / "source"
    settings = fresh(tmp_path / "home")
    run(["git", "clone", "--quiet", clone, source], cwd=tmp_path, environment=settings)
    run([PYTHON, "-m", "venv", tmp_path / "venv"], cwd=tmp_path, environment=settings)
    run(
        [
            *(tmp_path / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet"),
            *(["--editable"] if editable else []),
            f"{source}[embedded]",
        ],
        cwd=tmp_path,
        environment=settings,
        seconds=INSTALL_SECONDS,
    )
    if not editable:
        source.rename(tmp_path / "moved away")
    service = Twistd(tmp_path / "elsewhere", scripts=tmp_path / "venv" / "bin")
    try:
        service.start()
        service.add_user("ada")
        with urlopen(f"{service.operator_url}health/ready", timeout=60) as answer:
            assert answer.status == 200
        service.stop()
    finally:
        service.end()


def _requirements() -> set[str]:
    """The names of what this project needs to run."""
    needed = [requirement for requirement in requires("cheeseshop") or [] if "extra ==" not in requirement]
    return {normalize(Requirement(one).name) for one in needed}


def _project(file: Path) -> str:
    return normalize(file.name.split("-")[0])


def _download(desk: Desk, *arguments: str) -> None:
    """Have this machine's pip download into ``dist``."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", desk.dist]
    run([*command, *arguments], cwd=desk.folder, environment=os.environ, seconds=INSTALL_SECONDS)
