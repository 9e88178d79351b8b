"""bandersnatch mirrors projects from us, and follows what happens to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.support import interpreters

CONFIGURATION = """
[mirror]
directory = {folder}
master = {master}
allow-non-https = true
json = true
hash-index = false
stop-on-error = true
workers = 2
timeout = 10
global-timeout = 60
api-method = {method}

[plugins]
enabled =
    allowlist_project

[allowlist]
packages =
    {projects}
"""


@pytest.mark.network
@pytest.mark.parametrize("method", ["xmlrpc", "simple"])
def test_it_mirrors_projects(desk: Desk, method: str) -> None:
    """Three projects are copied, file by file; the next run brings what has changed since."""
    names = [f"mirrored-{method}-{number}" for number in range(3)]
    for name in names:
        distributions.wheel(desk.dist, name)
        distributions.modern_sdist(desk.dist, name)
    desk.twine(*sorted(desk.dist.iterdir()))
    mirror = Mirror(desk, method, names)
    mirror.sync()
    for name in names:
        assert mirror.files(name) == set(desk.listed(name))
        assert len(mirror.files(name)) == 2
        assert mirror.document(name)["last_serial"] <= mirror.serial
    before = mirror.serial
    desk.twine(distributions.wheel(desk.folder, names[0], "2.0"))
    mirror.sync()
    assert mirror.serial > before
    assert mirror.files(names[0]) == set(desk.listed(names[0]))
    assert mirror.document(names[0])["info"]["version"] == "2.0"


class Mirror:
    """A mirror of some of our projects.

    Args:
        method: by which it hears of changes.
    """

    def __init__(self, desk: Desk, method: str, names: list[str]) -> None:
        self.desk = desk
        self.folder = desk.folder / "mirror"
        self._tool = interpreters.tool(interpreters.this_python(), "bandersnatch")
        self._configuration = desk.folder / "bandersnatch.conf"
        text = CONFIGURATION.format(
            folder=self.folder,
            master=desk.service.url.rstrip("/"),
            method=method,
            projects="\n    ".join(names),
        )
        self._configuration.write_text(text)

    def sync(self) -> None:
        """Bring it up to date; fails if anything goes wrong."""
        done = self.desk.run(
            *(interpreters.this_python().path, "-m", "bandersnatch"),
            *("--config", self._configuration, "mirror"),
            PYTHONPATH=str(self._tool),
        )
        assert "ERROR" not in said(done)

    @property
    def serial(self) -> int:
        """Up to which it has heard of changes."""
        return int((self.folder / "status").read_text())

    def files(self, name: str) -> set[str]:
        """The files its page of a project lists, all of which it has."""
        page = (self.folder / "web" / "simple" / name / "index.v1_json").read_text()
        found = json.loads(page)["files"]
        kept = {path.name for path in Path(self.folder / "web" / "packages").rglob("*") if path.is_file()}
        assert {file["filename"] for file in found} <= kept
        return {file["filename"] for file in found}

    def document(self, name: str) -> dict[str, dict[str, str]]:
        """What it keeps of the JSON API."""
        found: dict[str, dict[str, str]] = json.loads((self.folder / "web" / "json" / name).read_text())
        return found
