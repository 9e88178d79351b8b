"""``setup.py upload`` and ``register``, as distutils of Python 2.7 and 3.6 do them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.desk import Desk, Done, said
from tests.clients.distributions import sha256
from tests.support import interpreters
from tests.support.interpreters import Interpreter
from tests.support.service import PASSWORD

SETUP = """\
from setuptools import setup

setup(
    name="{name}",
    version="1.0",
    description="A small module for tests",
    long_description="It has a *version*.",
    author="Ada",
    author_email="ada@example.com",
    url="http://example.com/",
    license="MIT",
    keywords="old habits",
    classifiers=["Programming Language :: Python"],
    py_modules=["habits"],
)
"""

PYPIRC = """\
[distutils]
index-servers =
    ours

[ours]
repository = {repository}
username = {user}
password = {password}
"""

pytestmark = pytest.mark.parametrize("python", ["2.7", "3.6"])


@pytest.fixture
def setup_py(desk: Desk, python: str) -> SetupPy:
    """A project of old times, with ``~/.pypirc``."""
    return SetupPy(desk, interpreters.interpreter(python))


class SetupPy:
    """A folder with a ``setup.py``."""

    def __init__(self, desk: Desk, python: Interpreter) -> None:
        self.desk = desk
        self.python = python
        self.name = f"old-habits-{python.version.replace('.', '')}"
        assert desk.service.token
        (desk.folder / "setup.py").write_text(SETUP.format(name=self.name))
        (desk.folder / "habits.py").write_text("version = '1.0'\n")
        self.sign_in(PASSWORD)

    def sign_in(self, password: str, user: str = "ada", to: str = "legacy/") -> None:
        """Write ``~/.pypirc``."""
        repository = self.desk.service.url + to
        text = PYPIRC.format(repository=repository, user=user, password=password)
        Path(self.desk.environment()["HOME"], ".pypirc").write_text(text)

    def run(self, *arguments: str, status: int | None = 0) -> Done:
        """Run ``setup.py``, with the tool that makes wheels at hand where it is needed."""
        more = {}
        if "bdist_wheel" in arguments:
            more["PYTHONPATH"] = str(interpreters.tool(self.python, "wheel==0.37.1"))
        return self.desk.run(self.python.path, "setup.py", *arguments, status=status, **more)


@pytest.mark.network
def test_upload(setup_py: SetupPy) -> None:
    """One command builds a source distribution and a wheel and publishes both."""
    done = setup_py.run("sdist", "bdist_wheel", "--universal", "upload", "-r", "ours", status=None)
    built = {path.name: sha256(path) for path in setup_py.desk.dist.iterdir()}
    assert len(built) == 2
    listed = setup_py.desk.listed(setup_py.name)
    assert {name: file["hashes"]["sha256"] for name, file in listed.items()} == built, said(done)
    assert said(done).count("Server response (200): OK") == 2


def test_upload_with_a_token(setup_py: SetupPy) -> None:
    """A token is a password like any other to old tools."""
    setup_py.name += "-token"
    (setup_py.desk.folder / "setup.py").write_text(SETUP.format(name=setup_py.name))
    setup_py.sign_in(setup_py.desk.service.token, user="__token__")
    setup_py.run("sdist", "upload", "-r", "ours")
    assert len(setup_py.desk.listed(setup_py.name)) == 1


def test_upload_with_a_wrong_password(setup_py: SetupPy) -> None:
    """The reason of a refusal is printed."""
    setup_py.sign_in("no password of ada's")
    done = setup_py.run("sdist", "upload", "-r", "ours", status=1)
    assert "Upload failed (401): Invalid or non-existent authentication information." in said(done)


def test_register(setup_py: SetupPy) -> None:
    """Nobody needs to register any more, and who does is told so."""
    done = setup_py.run("register", "-r", "ours", status=None)
    assert "Server response (410): Project pre-registration is no longer required" in said(done)


def test_register_and_upload_at_the_old_address(setup_py: SetupPy) -> None:
    """``setup.py register sdist upload`` goes through at the addresses the index had in 2009."""
    setup_py.name += "-of-old"
    (setup_py.desk.folder / "setup.py").write_text(SETUP.format(name=setup_py.name))
    setup_py.sign_in(PASSWORD, to="pypi" if setup_py.python.version == "2.7" else "pypi/")
    done = setup_py.run("register", "-r", "ours", "sdist", "upload", "-r", "ours")
    assert said(done).count("Server response (200): OK") == 2
    assert len(setup_py.desk.listed(setup_py.name)) == 1


def test_register_with_a_wrong_password_at_the_old_address(setup_py: SetupPy) -> None:
    """Who registers is asked for a password, and it has to be right."""
    setup_py.sign_in("no password of ada's", to="pypi")
    done = setup_py.run("register", "-r", "ours", status=None)
    assert "Server response (401)" in said(done)


def test_classifiers_at_the_old_address(setup_py: SetupPy) -> None:
    """``setup.py register --list-classifiers`` prints them."""
    setup_py.sign_in(PASSWORD, to="pypi")
    done = setup_py.run("register", "-r", "ours", "--list-classifiers")
    assert "Development Status :: 1 - Planning" in done.stdout.splitlines()
