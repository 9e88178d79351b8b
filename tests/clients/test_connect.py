"""What the Connect page shows to be pasted works when it is pasted."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk, Done, said
from tests.clients.distributions import installed
from tests.clients.test_build_tools import FLIT, POETRY, assert_published
from tests.support import interpreters
from tests.support.interpreters import this_python
from tests.support.service import SCRIPTS
from tests.support.snippets import Snippet, snippets

PROJECT = """\
[project]
name = "reader"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["both-kinds"]

"""


def shown(desk: Desk, client: str) -> list[Snippet]:
    """The snippets of one client, in their order."""
    with urlopen(f"{desk.service.url}connect/", timeout=60) as answer:
        page = answer.read().decode()
    found = [one for one in snippets(page) if one.client == client]
    assert found
    return found


def filled(desk: Desk, text: str, project: str = "both-kinds") -> str:
    """A text with what its reader has to fill in."""
    return text.replace("your-project", project).replace("YOUR_TOKEN", desk.service.token)


def paste(desk: Desk, *lines: str, **more: str) -> Done:
    """Run lines in a shell, with the clients on its path, and no settings but those of this desk."""
    script = "set -e\n" + filled(desk, "\n".join(lines))
    path = os.pathsep.join((str(programs(desk)), str(SCRIPTS), os.environ["PATH"]))
    own = {"PIP_CONFIG_FILE": "", "UV_NO_CONFIG": "false", "PATH": path}
    return desk.run("bash", "-c", script, **own | more)


def programs(desk: Desk) -> Path:
    """A folder of programs: pip as a command of this Python."""
    folder = desk.folder / "bin"
    folder.mkdir(exist_ok=True)
    pip = folder / "pip"
    pip.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip --disable-pip-version-check "$@"\n')
    pip.chmod(pip.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.usefixtures("published")
class TestInstall:
    """Installers."""

    @pytest.mark.parametrize("place", range(5))
    def test_pip(self, desk: Desk, place: int) -> None:
        """pip installs from here by a line, by its configuration, by environment, by requirements."""
        one = shown(desk, "pip")[place]
        install = "pip install both-kinds"
        lines = [one.text, install]
        if one.file == "pip.conf":
            config = desk.folder / "home" / ".config" / "pip" / "pip.conf"
            config.parent.mkdir(parents=True)
            config.write_text(one.text)
            lines = [install]
        elif one.file == "requirements.txt":
            (desk.folder / "requirements.txt").write_text(filled(desk, one.text))
            lines = ["pip install --requirement requirements.txt"]
        elif one.text.startswith("pip install"):
            lines = [one.text]
        paste(desk, *lines, PIP_TARGET=str(desk.target), PIP_NO_CACHE_DIR="1")
        assert installed(desk.target) == {"both-kinds": "1.0"}

    @pytest.mark.parametrize("file", ["", "~/.config/uv/uv.toml", "environment"])
    def test_uv_pip(self, desk: Desk, file: str) -> None:
        """uv installs from here by a line, by its configuration, by environment."""
        found = shown(desk, "uv")
        install = f'uv pip install --no-cache --python "{sys.executable}" --target "{desk.target}" both-kinds'
        if file == "environment":
            lines = [next(one.text for one in found if "UV_DEFAULT_INDEX" in one.text), install]
        elif file:
            config = desk.folder / "home" / ".config" / "uv" / "uv.toml"
            config.parent.mkdir(parents=True)
            config.write_text(next(one.text for one in found if one.file == file))
            lines = [install]
        else:
            once = next(one.text for one in found if one.text.startswith("uv pip install"))
            lines = [once.replace("uv pip install", install.removesuffix(" both-kinds"))]
        paste(desk, *lines)
        assert installed(desk.target) == {"both-kinds": "1.0"}

    @pytest.mark.parametrize("how", ["default = true", "explicit = true"])
    def test_uv_project(self, desk: Desk, how: str) -> None:
        """A uv project takes everything from here, or what it says."""
        one = next(one for one in shown(desk, "uv") if one.file == "pyproject.toml" and how in one.text)
        (desk.folder / "pyproject.toml").write_text(PROJECT + filled(desk, one.text))
        paste(desk, f'uv lock --no-cache --python "{sys.executable}"')
        locked = (desk.folder / "uv.lock").read_text()
        assert set(re.findall(r'registry = "([^"]+)"', locked)) == {desk.service.simple}

    def test_pip_search(self, desk: Desk) -> None:
        """pip finds projects."""
        [search] = [one.text for one in shown(desk, "old") if one.text.startswith("pip search")]
        done = paste(desk, search.replace("cheese", "plain-wheel"))
        assert "plain-wheel (2.0)" in said(done)

    @pytest.mark.network
    def test_poetry(self, desk: Desk) -> None:
        """A poetry project takes everything from here; its configuration is what the page shows."""
        add, config = shown(desk, "poetry")[:2]
        (desk.folder / "pyproject.toml").write_text(PROJECT)
        poetry(desk, *add.text.split()[1:])
        poetry(desk, "lock")
        assert config.text in (desk.folder / "pyproject.toml").read_text()
        assert f'url = "{desk.service.simple.rstrip("/")}' in (desk.folder / "poetry.lock").read_text()


class TestPublish:
    """Publishers."""

    def test_twine_by_file(self, desk: Desk) -> None:
        """twine publishes with the .pypirc of the page."""
        distributions.wheel(desk.dist, "connect-file")
        _, config, upload = shown(desk, "twine")[:3]
        desk.environment()
        (desk.folder / "home" / ".pypirc").write_text(filled(desk, config.text))
        paste(desk, upload.text)
        assert desk.listed("connect-file")

    def test_twine_by_environment(self, desk: Desk) -> None:
        """twine publishes as variables say, and by one line to which the token comes from elsewhere."""
        distributions.wheel(desk.dist, "connect-variables")
        line, *_, variables = shown(desk, "twine")
        paste(desk, variables.text, "twine upload dist/*")
        assert desk.listed("connect-variables")
        distributions.wheel(desk.dist, "connect-line")
        paste(desk, line.text, TWINE_PASSWORD=desk.service.token)
        assert desk.listed("connect-line")

    def test_uv(self, desk: Desk) -> None:
        """uv publishes what was built."""
        distributions.wheel(desk.dist, "connect-uv")
        publish = shown(desk, "uv")[-1].text
        assert "uv build\n" in publish
        paste(desk, publish.replace("uv build\n", ""))
        assert desk.listed("connect-uv")

    @pytest.mark.network
    def test_flit(self, desk: Desk) -> None:
        """flit builds and publishes."""
        made = FLIT.replace("flit-made", "connect-flit")
        (desk.folder / "pyproject.toml").write_text(made)
        (desk.folder / "connect_flit.py").write_text('"""A small module for tests."""\n')
        lines = shown(desk, "flit")[0].text.replace("flit publish", f'"{sys.executable}" -m flit publish')
        paste(desk, lines, PYTHONPATH=str(interpreters.tool(this_python(), "flit")))
        assert_published(desk, "connect-flit")

    @pytest.mark.network
    def test_poetry(self, desk: Desk) -> None:
        """poetry builds and publishes, once told, and in a job by environment."""
        tell, environment, publish = shown(desk, "poetry")[-3:]
        (desk.folder / "pyproject.toml").write_text(
            POETRY.replace("poetry-made", "connect-made").replace("poetry_made", "connect_made")
        )
        (desk.folder / "connect_made.py").write_text("version = '1.0'\n")
        for line in filled(desk, tell.text).splitlines():
            poetry(desk, *line.split()[1:])
        poetry(desk, *publish.text.split()[1:])
        assert_published(desk, "connect-made")
        told = paste(desk, environment.text, "env").stdout
        assert f"POETRY_REPOSITORIES_CHEESESHOP_URL={desk.service.legacy}" in told
        assert f"POETRY_PYPI_TOKEN_CHEESESHOP={desk.service.token}" in told


def poetry(desk: Desk, *arguments: str) -> Done:
    """Run poetry."""
    return desk.run(
        *(sys.executable, "-m", "poetry", "--no-interaction", *arguments),
        PYTHONPATH=str(interpreters.tool(this_python(), "poetry")),
        POETRY_KEYRING_ENABLED="false",
        POETRY_VIRTUALENVS_CREATE="false",
    )
