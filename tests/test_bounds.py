"""Tests that hang: each fails by itself, at the line where it hangs, and the others run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = "xdist pytest_twisted pytest_timeout tests.support.bounds tests.support.shares no:cacheprovider"

HANGING = """
import signal, time
import pytest, pytest_twisted
from twisted.internet.defer import Deferred
from tests.support import bounds
from tests.support.browser import chromium

bounds.GRACE = 1.0

@pytest_twisted.ensureDeferred
async def test_waits():
    try:
        await Deferred()  # waits here
    finally:
        print("and cleans up")

@pytest_twisted.ensureDeferred
async def test_is_busy():
    time.sleep(60)  # sleeps here

@pytest_twisted.async_yield_fixture
async def opened():
    yield
    await Deferred()  # closes here

def test_does_not_close(opened):
    pass

def test_hears_nothing():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(60)  # is deaf here

@pytest.fixture
def deaf():
    yield
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(60)  # stays here

def test_fails_first(deaf):
    assert False

@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running

@pytest.mark.timeout(100)
def test_opens_a_browser(browser):
    browser.new_page()

def test_waits_for_a_browser(browser):
    browser.new_page().evaluate("new Promise(() => {})")  # looks on here

@pytest.mark.timeout(100)
def test_uses_it_again(browser):
    assert browser.new_page().evaluate("6 * 7") == 42

@pytest.mark.timeout(100)
def test_does_nothing():
    pass
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run of tests that hang says."""
    folder = tmp_path_factory.mktemp("hanging")
    (folder / "test_hanging.py").write_text(HANGING)
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = [f"-p{name}" for name in PLUGINS.split()]
    command = [sys.executable, "-m", "pytest", *options, "-n", "1", "--timeout", "2", "-v", folder]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    here = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=here, timeout=250)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("waits", "FAILED"),
        ("is_busy", "FAILED"),
        ("does_not_close", "ERROR"),
        ("hears_nothing", "FAILED"),
        ("fails_first", "FAILED"),
        ("waits_for_a_browser", "FAILED"),
        ("uses_it_again", "PASSED"),
        ("does_nothing", "PASSED"),
    ],
)
def test_outcome(said: str, test: str, outcome: str) -> None:
    """A test that hangs fails, however it hangs, once; one that does not is run all the same."""
    if f"SKIPPED test_hanging.py::test_{test}" in said:
        pytest.skip("There is no Chromium on this machine.")
    assert len(re.findall(rf"{outcome} \S*test_hanging.py::test_{test}\b", said)) >= 1, said
    assert len(re.findall(rf"^test_hanging.py::test_{test}\b", said, re.M)) <= 1, said


@pytest.mark.parametrize(
    "mark", ["waits here", "sleeps here", "closes here", "looks on here", "is deaf here", "stays here"]
)
def test_place(said: str, mark: str) -> None:
    """What it says names the line that hangs."""
    line = next(number for number, text in enumerate(HANGING.splitlines(), 1) if mark in text)
    if mark == "looks on here" and "There is no Chromium" in said:
        pytest.skip("There is no Chromium on this machine.")
    assert re.search(rf"test_hanging.py(:|\", line ){line}\b", said), said


def test_cleaning(said: str) -> None:
    """A test that waits closes what it has opened."""
    assert "and cleans up" in said
