"""What real tools built passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypi.domain import filenames
from pypi.publishing.archives.whole import inspect
from tests.support.site import ask_pip, kept

pytestmark = pytest.mark.network

WHEELS = ["attrs", "boto3", "cryptography", "flit-core", "klein", "packaging", "setuptools", "twine", "uv"]
"""Of hatchling, setuptools, maturin and flit; pure and not, for one Python and for all."""

SDISTS = ["attrs", "flit-core", "idna", "packaging"]


@pytest.fixture(scope="module")
def downloads() -> list[Path]:
    """Wheels and sdists of projects this one runs on; skips where they cannot be had."""
    folder = kept("real-archives", _download)
    if isinstance(folder, str):
        pytest.skip(f"pip cannot download from the index of this machine: {folder}")
    return sorted(folder.iterdir())


def _download(folder: Path) -> str:
    for only, wanted in (("--only-binary=:all:", WHEELS), ("--no-binary=:all:", SDISTS)):
        if complaint := ask_pip("download", "--no-deps", "--dest", str(folder), only, *wanted):
            return complaint
    return ""


def test_real_archives(downloads: list[Path]) -> None:
    """Every one is accepted, and without a warning."""
    assert len(downloads) == len(WHEELS) + len(SDISTS)
    for path in downloads:
        contents = inspect(path, filenames.parse(path.name))
        assert contents.metadata.startswith(b"Metadata-Version: ")
        assert contents.warnings == ()
