"""A place to publish and install from: a folder, and clients that know this index and no other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from attrs import frozen

from tests.support.interpreters import Interpreter, Pip, this_python
from tests.support.service import SCRIPTS, Service, environment, run

JSON = "application/vnd.pypi.simple.v1+json"

Done = subprocess.CompletedProcess[str]


@frozen
class Desk:
    """Somebody's workplace.

    Attributes:
        service: the index.
        folder: an empty folder, where commands run.
    """

    service: Service
    folder: Path

    @property
    def dist(self) -> Path:
        """Where distributions are built."""
        made = self.folder / "dist"
        made.mkdir(exist_ok=True)
        return made

    @property
    def target(self) -> Path:
        """Where packages are installed to."""
        return self.folder / "target"

    def environment(self, **more: str) -> dict[str, str]:
        """What the clients see: nothing of this machine's settings, and a home of their own."""
        home, temporary = self.folder / "home", self.folder / "tmp"
        home.mkdir(exist_ok=True)
        temporary.mkdir(exist_ok=True)
        return environment(home, **{"TMPDIR": str(temporary)} | more)

    def run(self, *command: str | Path, status: int | None = 0, **more: str) -> Done:
        """Run a client."""
        return run(list(command), cwd=self.folder, environment=self.environment(**more), status=status)

    # Publishing

    def twine(
        self,
        *arguments: str | Path,
        user: str = "__token__",
        password: str = "",
        status: int | None = 0,
        program: tuple[str, ...] = ("-m", "twine"),
    ) -> Done:
        """``twine upload``, by default with a good token."""
        return self.run(
            *(sys.executable, *program, "upload", "--non-interactive", "--disable-progress-bar"),
            *("--repository-url", self.service.legacy),
            *("--username", user, "--password", password or self.service.token),
            *arguments,
            status=status,
        )

    def uv_publish(self, *arguments: str | Path, status: int | None = 0) -> Done:
        """``uv publish``; who publishes is among the arguments."""
        return self.run(
            *(SCRIPTS / "uv", "publish", "--trusted-publishing", "never"),
            *("--publish-url", self.service.legacy),
            *arguments,
            status=status,
        )

    # Installing

    def pip(
        self, pip: Pip, verb: str, *arguments: str | Path, status: int | None = 0, index: str = ""
    ) -> Done:
        """``pip install``, ``download`` or ``index versions`` with this index and no other."""
        quick = ["--no-cache-dir"] if pip.release >= (6, 0) else []
        alone = [] if verb.startswith("index") else ["--no-deps", *quick]
        return pip.run(
            *verb.split(),
            *("--index-url", index or self.service.simple, *alone),
            *arguments,
            environment=self.environment(),
            cwd=self.folder,
            status=status,
        )

    def pip_install(self, pip: Pip, *arguments: str | Path, status: int | None = 0, index: str = "") -> Done:
        """``pip install`` into ``target``."""
        return self.pip(pip, "install", "--target", self.target, *arguments, status=status, index=index)

    def uv_install(
        self,
        *arguments: str | Path,
        python: Interpreter | None = None,
        status: int | None = 0,
        index: str = "",
    ) -> Done:
        """``uv pip install`` into ``target``."""
        return self.run(
            *(SCRIPTS / "uv", "pip", "install", "--no-deps", "--no-cache"),
            *("--python", (python or this_python()).path, "--target", self.target),
            *("--default-index", index or self.service.simple),
            *arguments,
            status=status,
        )

    # Looking

    def listed(self, project: str) -> dict[str, dict[str, Any]]:
        """What the index says of a project's files: filename → its entry in the JSON page."""
        request = Request(f"{self.service.simple}{project}/", headers={"Accept": JSON})
        with urlopen(request, timeout=60) as answer:
            return {file["filename"]: file for file in json.load(answer)["files"]}


def said(done: Done) -> str:
    """All a client printed, in one line, however it was wrapped."""
    return " ".join(f"{done.stdout} {done.stderr}".split())
