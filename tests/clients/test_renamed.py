"""What installed before a project was renamed installs afterwards: by new clients and old ones, for ever."""

from __future__ import annotations

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.clients.distributions import installed, sha256
from tests.clients.test_bandersnatch import Mirror
from tests.support import interpreters
from tests.support.interpreters import Pip
from tests.support.service import Service

OLD, NEW = "Was.Called", "now-called"
LINES = ["was-called==1.0", "Was_Called<1.2", "was.called"]
"""Requirements that somebody wrote down before, and what they lead to."""

VERSIONS = {"was-called==1.0": "1.0", "Was_Called<1.2": "1.1", "was.called": "1.1"}


@pytest.fixture(scope="module")
def renamed(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Where ``Was.Called`` 1.0 and 1.1 were published, and after it was renamed, ``now-called`` 1.2."""
    desk = Desk(service, tmp_path_factory.mktemp("renamed"))
    distributions.wheel(desk.dist, OLD)
    distributions.modern_sdist(desk.dist, OLD, "1.1")
    distributions.wheel(desk.dist, OLD, "1.1")
    desk.twine(*sorted(desk.dist.iterdir()))
    for line in LINES:
        before = Desk(service, tmp_path_factory.mktemp("before"))
        before.uv_install(line)
        assert installed(before.target) == {"was-called": VERSIONS[line]}
    done = service.cheeseshop("project", "rename", "was-called", NEW)
    assert "was-called is called now-called, by change" in done.stdout
    assert "Not every worker" not in done.stdout
    desk.twine(distributions.wheel(desk.folder, NEW, "1.2"))
    return desk


@pytest.mark.parametrize("line", LINES)
def test_uv(renamed: Desk, desk: Desk, line: str) -> None:
    """uv installs what it installed before."""
    desk.uv_install(line)
    assert installed(desk.target) == {"was-called": VERSIONS[line]}


def test_pip(renamed: Desk, desk: Desk, current_pip: Pip) -> None:
    """So does the newest pip; new releases are had by the new name alone."""
    desk.pip_install(current_pip, "was-called", "now-called")
    assert installed(desk.target) == {"was-called": "1.1", "now-called": "1.2"}
    refused = desk.pip_install(current_pip, "was-called==1.2", status=1)
    assert "No matching distribution found for was-called==1.2" in said(refused)


def test_hashes(renamed: Desk, desk: Desk, current_pip: Pip) -> None:
    """A file with versions and hashes that was made before is as good as ever."""
    requirements = desk.folder / "requirements.txt"
    digest = sha256(renamed.dist / "was_called-1.0-py2.py3-none-any.whl")
    requirements.write_text(f"was-called==1.0 --hash=sha256:{digest}\n")
    desk.pip_install(current_pip, "--require-hashes", "--requirement", requirements)
    assert installed(desk.target) == {"was-called": "1.0"}


@pytest.mark.parametrize("python", ["2.7", "3.6"])
def test_pip_of_old(renamed: Desk, desk: Desk, python: str) -> None:
    """So do pips that read HTML only, and are less exact about names."""
    pip = interpreters.shipped_pip(interpreters.interpreter(python))
    desk.pip_install(pip, "was-called==1.0", "now-called")
    assert installed(desk.target) == {"was-called": "1.0", "now-called": "1.2"}


def test_source_distribution(renamed: Desk, desk: Desk, current_pip: Pip) -> None:
    """Source distributions are found as well, and built."""
    desk.pip_install(current_pip, "--no-binary", "was-called", "was-called==1.1")
    assert installed(desk.target) == {"was-called": "1.1"}


def test_uv_by_the_new_name(renamed: Desk, desk: Desk) -> None:
    """uv, which takes any wheel of a page for one of the project, finds none that is not."""
    desk.uv_install("now-called")
    assert installed(desk.target) == {"now-called": "1.2"}
    refused = desk.uv_install("now-called<1.2", status=1)
    assert "only now-called==1.2 is available" in said(refused)


def test_twine(renamed: Desk, desk: Desk) -> None:
    """Who uploads by the old name hears of the new one."""
    refused = desk.twine(distributions.wheel(desk.dist, OLD, "2.0"), status=1)
    assert "that project is called 'now-called' now" in said(refused)


@pytest.mark.network
@pytest.mark.parametrize("method", ["xmlrpc", "simple"])
def test_mirrors(renamed: Desk, desk: Desk, method: str) -> None:
    """A mirror of both names has all files, each by the name it was published by."""
    mirror = Mirror(desk, method, ["was-called", "now-called"])
    mirror.sync()
    assert mirror.files("was-called") >= set(desk.listed("was-called"))
    assert mirror.files("now-called") >= set(desk.listed("now-called"))
