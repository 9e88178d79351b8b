"""What real tools built passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pypi.domain import filenames
from pypi.publishing.archives.whole import inspect

pytestmark = pytest.mark.network

WHEELS = ["attrs", "boto3", "cryptography", "flit-core", "klein", "packaging", "setuptools", "twine", "uv"]
"""Of hatchling, setuptools, maturin and flit; pure and not, for one Python and for all."""

SDISTS = ["attrs", "flit-core", "idna", "packaging"]


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheels and sdists of projects this one runs on."""
    folder = tmp_path_factory.mktemp("downloads")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, "--only-binary=:all:", *WHEELS], check=True, timeout=250)
    subprocess.run([*pip, "--no-binary=:all:", *SDISTS], check=True, timeout=250)
    return sorted(folder.iterdir())


def test_real_archives(downloads: list[Path]) -> None:
    """Every one is accepted, and without a warning."""
    assert len(downloads) == len(WHEELS) + len(SDISTS)
    for path in downloads:
        contents = inspect(path, filenames.parse(path.name))
        assert contents.metadata.startswith(b"Metadata-Version: ")
        assert contents.warnings == ()
