"""Failpoints: named and listed, dead unless armed, exact when they are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import pytest

import pypi
from pypi import failpoints
from pypi.failpoints import NAMES, UnknownFailpoint, arm
from tests.support.service import Service

SOURCES = Path(pypi.__file__).parent
CALL = re.compile(r'\bfailpoint\("([^"]*)"\)')


def reaches(wanted: str, names: list[str]) -> subprocess.CompletedProcess[str]:
    """A process armed with ``wanted`` that reaches these points one after the other, printing each before."""
    code = (
        "import sys; from pypi.failpoints import arm, failpoint; arm(sys.argv[1])\n"
        "for name in sys.argv[2:]: print(name, flush=True); failpoint(name)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, wanted, *names], cwd=SOURCES.parent, capture_output=True, text=True
    )


def test_every_point_of_the_table_is_somewhere_and_no_other() -> None:
    """The table lists exactly the points that the code has, so none is armed in vain."""
    named = [name for source in SOURCES.rglob("*.py") for name in CALL.findall(source.read_text())]
    assert sorted(named) == sorted(NAMES)


def test_points_do_nothing_unless_armed() -> None:
    """With nothing armed, every point is passed."""
    done = reaches("", list(NAMES))
    assert done.returncode == 0
    assert done.stdout.split() == list(NAMES)


ROUND = ["upload.mid-write", "upload.after-rename"]


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [
        ("upload.after-rename", ROUND),
        ("upload.after-rename:2", ROUND * 2),
        (" outbox.before-drain , upload.mid-write:2 ", [*ROUND, "upload.mid-write"]),
    ],
)
def test_an_armed_point_kills_when_its_time_has_come(wanted: str, passed: list[str]) -> None:
    """The process is killed at the N-th time the point is reached, and not at other points."""
    done = reaches(wanted, ROUND * 3)
    assert done.returncode == -SIGKILL
    assert done.stdout.split() == passed


@pytest.mark.parametrize(
    "wanted",
    ["upload.after-renam", "upload.after-rename:0", "upload.after-rename:x", "upload.mid-write,", "*", ":1"],
)
def test_what_is_no_failpoint_is_refused(wanted: str) -> None:
    """A name that is not in the table is refused with a sentence that lists those that are."""
    with pytest.raises(UnknownFailpoint, match=r"FAILPOINTS: .* is no failpoint; known are upload\.tmp-open"):
        arm(wanted)
    assert failpoints._armed is None


def test_the_service_does_not_start_with_an_unknown_failpoint(tmp_path: Path) -> None:
    """A misspelled name ends the start with status 1 and the sentence, before anything is made."""
    service = Service(tmp_path)
    done = service.cheeseshop("serve", "--port", "0", status=1, FAILPOINTS="upload.after-renam")
    assert "cheeseshop: FAILPOINTS: 'upload.after-renam' is no failpoint; known are" in done.stderr
    assert "Traceback" not in done.stderr
    assert not service.data.exists()
