"""Tools that build and publish in one go: flit and poetry."""

from __future__ import annotations

import sys

import pytest

from tests.clients.desk import Desk, Done, said
from tests.clients.distributions import sha256
from tests.support import interpreters
from tests.support.interpreters import this_python

pytestmark = pytest.mark.network

FLIT = """\
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "flit-made"
version = "1.0"
description = "A small module for tests"
requires-python = ">=3.8"
authors = [{name = "Ada", email = "ada@example.com"}]
"""

POETRY = """\
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"

[project]
name = "poetry-made"
version = "1.0"
description = "A small module for tests"
requires-python = ">=3.8"
authors = [{name = "Ada", email = "ada@example.com"}]

[tool.poetry]
packages = [{include = "poetry_made.py"}]
"""


def test_flit(desk: Desk) -> None:
    """``flit publish`` builds and publishes both kinds, with the repository given in the environment."""
    (desk.folder / "pyproject.toml").write_text(FLIT)
    (desk.folder / "flit_made.py").write_text('"""A small module for tests."""\n')
    desk.run(
        *(sys.executable, "-m", "flit", "publish"),
        PYTHONPATH=str(interpreters.tool(this_python(), "flit")),
        FLIT_INDEX_URL=desk.service.legacy,
        FLIT_USERNAME="__token__",
        FLIT_PASSWORD=desk.service.token,
    )
    assert_published(desk, "flit-made")


def test_poetry(desk: Desk) -> None:
    """``poetry publish`` publishes what it built, and shows why it may not publish other bytes."""
    (desk.folder / "pyproject.toml").write_text(POETRY)
    (desk.folder / "poetry_made.py").write_text("version = '1.0'\n")
    poetry(desk, "build")
    poetry(desk, "publish")
    assert_published(desk, "poetry-made")
    (desk.folder / "poetry_made.py").write_text("version = 'another'\n")
    poetry(desk, "build")
    refused = poetry(desk, "publish", status=1)
    assert "400" in said(refused)
    assert "File already exists" in said(refused)
    poetry(desk, "publish", "--skip-existing")


def poetry(desk: Desk, *arguments: str, status: int = 0) -> Done:
    """Run poetry with a repository called ours."""
    return desk.run(
        *(sys.executable, "-m", "poetry", "--no-interaction", *arguments),
        *(("--repository", "ours") if "publish" in arguments else ()),
        status=status,
        PYTHONPATH=str(interpreters.tool(this_python(), "poetry")),
        POETRY_REPOSITORIES_OURS_URL=desk.service.legacy,
        POETRY_PYPI_TOKEN_OURS=desk.service.token,
        POETRY_KEYRING_ENABLED="false",
        POETRY_VIRTUALENVS_CREATE="false",
    )


def assert_published(desk: Desk, project: str) -> None:
    """Check that the index lists what was built, byte for byte."""
    built = {path.name: sha256(path) for path in desk.dist.iterdir()}
    assert len(built) == 2
    listed = desk.listed(project)
    assert {name: file["hashes"]["sha256"] for name, file in listed.items()} == built
