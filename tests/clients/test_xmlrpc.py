"""Programs that call XML-RPC: ``pip search``, and scripts on the oldest and the newest Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.desk import Desk, said
from tests.support import interpreters

pytestmark = pytest.mark.usefixtures("published")

SCRIPT = Path(__file__).with_name("xmlrpc_script.py")
"""Runs on every Python: makes the calls it is told, prints what comes back."""

CALLS: dict[str, list[Any]] = {
    "list_packages": [],
    "list_packages_with_serial": [],
    "search": [{"name": ["plain"], "summary": ["plain"]}, "or"],
    "browse": [["Programming Language :: Python"]],
    "top_packages": [5],
    "package_releases": ["Plain_Wheel", True],
    "release_urls": ["plain-wheel", "1.0"],
    "package_urls": ["plain-wheel", "1.0"],
    "release_data": ["plain-wheel", "1.0"],
    "package_data": ["plain-wheel", "1.0"],
    "release_downloads": ["plain-wheel", "1.0"],
    "package_hosting_mode": ["plain-wheel"],
    "package_roles": ["plain-wheel"],
    "user_packages": ["ada"],
    "post_cheesecake_for_release": ["plain-wheel", "1.0", 7, "secret"],
    "changelog_last_serial": [],
    "changelog_since_serial": [0],
    "changelog": [0, True],
    "updated_releases": [0],
    "changed_packages": [0],
    "system.listMethods": [],
    "system.methodHelp": ["search"],
    "system.methodSignature": ["search"],
    "system.multicall": [[{"methodName": "package_roles", "params": ["plain-wheel"]}]],
}


@pytest.mark.parametrize("python", ["2.7", "3.6", "3.11", "3.13"])
@pytest.mark.parametrize("path", ["RPC2", "pypi"])
def test_every_method(desk: Desk, python: str, path: str) -> None:
    """The client of each Python calls every method, and understands what comes back."""
    program = interpreters.interpreter(python).path
    given = json.dumps(CALLS)
    done = desk.run(program, SCRIPT, desk.service.url + path, given)
    found = json.loads(done.stdout)
    wheel = "plain_wheel-1.0-py2.py3-none-any.whl"
    assert "plain-wheel" in found["list_packages"]
    assert found["list_packages_with_serial"]["plain-wheel"] > 0
    assert "plain-wheel" in [hit["name"] for hit in found["search"]]
    assert found["package_releases"] == ["2.0", "1.1", "1.0"]
    assert [file["filename"] for file in found["release_urls"]] == [wheel]
    assert found["package_urls"] == found["release_urls"]
    assert found["release_data"]["name"] == "plain-wheel"
    assert found["package_data"] == found["release_data"]
    [[filename, downloads]] = found["release_downloads"]
    assert filename == wheel
    assert downloads >= 0
    assert found["package_hosting_mode"] == "pypi-only"
    assert found["package_roles"] == [["Owner", "ada"]]
    assert ["Owner", "plain-wheel"] in found["user_packages"]
    assert found["post_cheesecake_for_release"]["fault"] == -32500
    assert found["changelog_since_serial"] == found["changelog"]
    assert found["changelog"][-1][4] == found["changelog_last_serial"]
    assert ["plain-wheel", "1.0"] in found["updated_releases"]
    assert "plain-wheel" in found["changed_packages"]
    assert found["system.listMethods"] == sorted(CALLS)
    assert found["system.methodSignature"] == [["array", "struct"], ["array", "struct", "string"]]
    assert found["system.multicall"] == [[[["Owner", "ada"]]]]


@pytest.mark.network
@pytest.mark.parametrize(("python", "version"), [("2.7", "1.5.6"), ("2.7", "9.0.3"), ("2.7", "20.3.4")])
@pytest.mark.parametrize("path", ["pypi", "pypi/", "RPC2"])
def test_pip_search(desk: Desk, python: str, version: str, path: str) -> None:
    """``pip search`` prints what there is, and says that there is nothing."""
    pip = interpreters.pip(interpreters.interpreter(python), version)
    found = search(desk, pip, path, "plain")
    assert "plain-wheel" in found
    search(desk, pip, path, "nothing-that-there-is", status=23)


def search(desk: Desk, pip: interpreters.Pip, path: str, word: str, *, status: int = 0) -> str:
    """All that ``pip search`` prints."""
    arguments = ["search", "--index", desk.service.url + path, word]
    return said(pip.run(*arguments, environment=desk.environment(), cwd=desk.folder, status=status))
