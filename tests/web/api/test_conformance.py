"""What the description of the API says, held against what the API does, by a tool that tries both."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.utils import getProcessOutputAndValue

import tests
from tests.support.index import Index
from tests.web.api.calls import people, project, scoped

SETTINGS = {"limits__factor": 0}

NAME = "golden-cheese"
"""The project of the examples."""

SETTLED = """
[checks]
positive_data_acceptance.enabled = false

[phases.coverage]
unexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

[[operations]]
include-method = "GET"
checks.negative_data_rejection.enabled = false
"""
"""All that the tool checks, but that whatever fits its description is done: a project has to be there.

Methods are tried where they are not described; others than these are understood nowhere (501). Whoever only
reads may say what counts for nothing, such as an empty parameter.
"""

HOOKS = {"SCHEMATHESIS_HOOKS": "tests.web.api.hooks", "PYTHONPATH": str(Path(tests.__file__).parents[1])}


@pytest_twisted.async_yield_fixture(scope="module")
async def described(index: Index) -> AsyncIterator[Index]:
    """An index with the project of the examples."""
    await people(index)
    await index.add_user("grace")
    await project(index, NAME, "1.0", "1.1")
    yield index


async def tried(index: Index, folder: Path, *options: str) -> str:
    """Have the tool ask the API, but for what never ends.

    Returns:
        what it found amiss; empty if nothing.
    """
    (folder / "schemathesis.toml").write_text(SETTLED)
    arguments = (
        "run",
        f"http://127.0.0.1:{index.port}/api/openapi.json",
        *("--exclude-path", "/api/changes/stream", "--seed", "1", "--no-shrink"),
        "--generation-deterministic",
        *("--warnings", "off", "--request-timeout", "20", "--continue-on-failure", "--no-color"),
        *options,
    )
    tool = Path(sys.executable).with_name("st")
    out, err, code = await getProcessOutputAndValue(
        str(tool), arguments, env={**os.environ, **HOOKS}, path=str(folder), reactor=reactor
    )
    return "" if code == 0 else (out + err).decode()


async def test_by_a_token(described: Index, tmp_path: Path) -> None:
    """To who may do all of it, every answer is of a kind that is described, and bad requests are refused."""
    token = await scoped(described, NAME)
    found = await tried(
        described,
        tmp_path,
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "5"),
        *("--exclude-operation-id", "delete", "-H", f"Authorization: {token}"),
    )
    assert not found, found


async def test_by_nobody(described: Index, tmp_path: Path) -> None:
    """So it is to who shows nothing."""
    before = described.state()
    found = await tried(described, tmp_path, *("--phases", "examples,fuzzing", "--max-examples", "2"))
    assert not found, found
    assert not described.state() - before
