"""Installers of the last ten years, on the Pythons they are for."""

from __future__ import annotations

import pytest

from tests.clients.desk import Desk, said
from tests.clients.distributions import installed
from tests.support import interpreters
from tests.support.interpreters import LAST_PIP, Pip

pytestmark = pytest.mark.usefixtures("published")

BACKENDS_FROM = (20, 0)
"""The first pip that builds with a tool that lies in the source distribution itself."""

REQUIRES_PYTHON_FROM = (9, 0)
"""The first pip that looks at the Python a file is for."""

SHIPPED = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
OLD = [("2.7", "1.5.6"), ("2.7", "9.0.3")]
NEWEST = [*LAST_PIP, "3.13"]


@pytest.mark.parametrize("python", SHIPPED)
def test_pip_that_came_with_python(desk: Desk, python: str) -> None:
    """The pip that a Python came with installs a wheel and a source distribution."""
    check(desk, interpreters.shipped_pip(interpreters.interpreter(python)))


@pytest.mark.network
@pytest.mark.parametrize(("python", "version"), OLD)
def test_pip_of_old(desk: Desk, python: str, version: str) -> None:
    """Pips from before JSON, and from before TLS was common, do as well."""
    check(desk, interpreters.pip(interpreters.interpreter(python), version))


@pytest.mark.network
@pytest.mark.parametrize("python", NEWEST)
def test_newest_pip_for_python(desk: Desk, python: str) -> None:
    """The newest pip there is for a Python installs a wheel and a source distribution."""
    check(desk, interpreters.newest_pip(interpreters.interpreter(python)))


def check(desk: Desk, pip: Pip) -> None:
    """Have it install a wheel, under another spelling of its name, and a source distribution."""
    source = "modern-sdist" if pip.release >= BACKENDS_FROM else "classic-sdist"
    wheel = "Plain_Wheel" if pip.release >= REQUIRES_PYTHON_FROM else "Plain_Wheel<2"
    desk.pip_install(pip, wheel, source)
    assert installed(desk.target) == {"plain-wheel": "1.1", source: "1.0"}


@pytest.mark.parametrize("python", ["2.7", "3.6"])
def test_easy_install(desk: Desk, python: str) -> None:
    """``easy_install`` finds wheels and source distributions, and makes eggs of them."""
    program = interpreters.interpreter(python).path
    if desk.run(program, "-c", "import setuptools.command.easy_install", status=None).returncode:
        pytest.skip(f"Python {python} came without setuptools.")
    desk.target.mkdir()
    done = desk.run(
        *(program, "-m", "easy_install", "--no-deps", "--index-url", desk.service.simple),
        *("--install-dir", desk.target, "Plain_Wheel<2", "classic-sdist"),
        PYTHONPATH=str(desk.target),
    )
    assert installed(desk.target) == {"plain-wheel": "1.1", "classic-sdist": "1.0"}, said(done)
