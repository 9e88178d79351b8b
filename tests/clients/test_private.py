"""Installers and publishers sign in: to an index that only accounts read, and to a project of few."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.clients.distributions import installed
from tests.support.interpreters import Pip
from tests.support.service import PASSWORD, Service

WORLDS = [
    pytest.param({"ACCESS_READS": "private"}, id="an index for accounts"),
    pytest.param({"ACCESS_NEW_PROJECTS": "roles"}, id="a project of few", marks=pytest.mark.long),
]


@pytest.fixture(scope="module", params=WORLDS)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A service where not everybody reads, and two releases that its owner published with twine and uv."""
    running = Service(tmp_path_factory.mktemp("private"), settings=request.param)
    try:
        desk = Desk(running.start(), tmp_path_factory.mktemp("publisher"))
        desk.twine(distributions.wheel(desk.dist, "few-read", "1.0"))
        desk.uv_publish("--token", running.token, distributions.wheel(desk.dist, "few-read", "1.1"))
        yield desk
        running.stop()
    finally:
        running.end()


@pytest.fixture
def desk(published: Desk, tmp_path: Path) -> Desk:
    """Somebody's workplace."""
    return Desk(published.service, tmp_path)


def index(desk: Desk, user: str, password: str) -> str:
    """The URL of the index, with what proves who asks."""
    return desk.service.simple.replace("://", f"://{user}:{password}@")


def netrc(desk: Desk) -> None:
    """Have the home folder say who asks."""
    desk.environment()
    host = desk.service.simple.split("/")[2].partition(":")[0]
    path = desk.folder / "home" / ".netrc"
    path.write_text(f"machine {host} login __token__ password {desk.service.token}\n")
    path.chmod(0o600)


def test_pip_with_a_token(desk: Desk, current_pip: Pip) -> None:
    """pip reads pages, metadata and files with a token in the URL of the index."""
    desk.pip_install(current_pip, "few-read", index=index(desk, "__token__", desk.service.token))
    assert installed(desk.target) == {"few-read": "1.1"}


def test_pip_with_a_password(desk: Desk, current_pip: Pip) -> None:
    """Name and password of an account will do as well."""
    desk.pip_install(current_pip, "few-read==1.0", index=index(desk, "ada", quote(PASSWORD)))
    assert installed(desk.target) == {"few-read": "1.0"}


def test_pip_of_somebody_at_home(desk: Desk, current_pip: Pip) -> None:
    """The file of credentials in the home folder is all it takes."""
    netrc(desk)
    desk.pip_install(current_pip, "few-read")
    assert installed(desk.target) == {"few-read": "1.1"}


def test_pip_without_any(desk: Desk, current_pip: Pip) -> None:
    """Who shows nothing gets nothing, and a wrong token is as good as none."""
    for where in ("", index(desk, "__token__", "cheeseshop-wrong")):
        done = desk.pip_install(current_pip, "--no-input", "few-read", index=where, status=1)
        assert "No matching distribution found for few-read" in said(done)
    assert not desk.target.exists()


def test_uv(desk: Desk) -> None:
    """uv does the same, by its URL or by the home folder's file; and gets nothing without."""
    refused = desk.uv_install("few-read", status=1)
    assert "few-read" in said(refused)
    desk.uv_install("few-read", index=index(desk, "__token__", desk.service.token))
    assert installed(desk.target) == {"few-read": "1.1"}
    netrc(desk)
    desk.uv_install("few-read==1.0")
    assert installed(desk.target) == {"few-read": "1.0"}


def test_uv_finds_what_is_there_already(desk: Desk, published: Desk) -> None:
    """Before it publishes uv looks whether a file is there, with credentials of its own for that."""
    file = next(published.dist.glob("few_read-1.1*"))
    url = index(desk, "__token__", desk.service.token)
    done = desk.uv_publish("--token", desk.service.token, "--check-url", url, file)
    assert "already exists, skipping" in said(done)
