"""What a worker carries before anybody has asked it anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

UNASKED = {
    "jinja2": "until the first page, or letter",
    "prometheus_client": "until somebody looks at figures",
    "twisted.web.client": "until somebody else is asked: an edge, a provider, a sibling",
    "treq": "the same",
    "twisted.mail": "unless a mail server is configured",
    "email.headerregistry": "until the first letter",
    "webauthn": "until the first passkey",
    "joserfc": "until somebody comes back from a provider",
    "segno": "until somebody sets up an app",
    "boto3": "unless files lie in a bucket",
    "botocore": "the same",
    "packaging.licenses": "until something is published",
    "importlib.metadata": "until a description is rendered",
    "pypi.publishing.archives.whole": "but the processes that inspect archives do",
    "pypi.publishing.rendering.markup": "but the processes that render descriptions do",
    "docutils": "the same",
    "readme_renderer": "the same",
    "alembic": "but who migrates does",
    "sqlalchemy": "the same",
    "pypi.embedded": "but the keeper of the servers does",
    "pypi.foundations": "the same",
    "pypi.shadow": "unless there is a second server",
    "pypi.cli": "but the command line does",
    "click": "the same",
    "tomllib": "but who reads the file does",
}
"""Module → when, or who else, needs it."""

CODE = """
import os, sys
import pypi.process.worker
from pathlib import Path
from twisted.internet import reactor
from pypi.app import build
from pypi.config import load
config = load(None, environment={"CHEESESHOP_SERVICE_DATA": sys.argv[1]})
build(
    config,
    reactor,
    database_url="postgresql://nobody.example/index",
    redis_url="redis://127.0.0.1:1/0",
    origin="http://127.0.0.1:8080",
    run=Path(sys.argv[1]),
)
sys.stdout.write("\\n".join(sys.modules))
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The modules of a worker that is built, and was asked nothing."""
    folder: Path = tmp_path_factory.mktemp("idle")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(folder)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.split())


def test_the_application_is_there(loaded: frozenset[str]) -> None:
    """What is looked at is the worker with all its rooms."""
    assert {"pypi.process.worker", "pypi.app", "pypi.front", "klein", "psycopg2"} <= loaded


@pytest.mark.parametrize("module", UNASKED)
def test_nothing_before_its_time(module: str, loaded: frozenset[str]) -> None:
    """A worker carries no library that nobody has had any use for yet."""
    assert module not in loaded, f"workers do without it {UNASKED[module]}"
