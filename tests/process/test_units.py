"""The units in ``deploy/systemd`` say what this service understands."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pypi.config.sections import keys
from pypi.service import Options

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"


def unit(name: str) -> dict[str, list[str]]:
    """Key → its values in the order they stand in a unit; sections do not matter here."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_the_command_is_understood() -> None:
    """twistd finds all options it is started with."""
    (command,) = unit("cheeseshop.service")["ExecStart"]
    words = shlex.split(command)
    options = Options()
    options.parseOptions(words[words.index("pypi") + 1 :])
    assert options["workers"] == "0"


def test_the_environment_is_understood() -> None:
    """Every variable of ours is a key of the configuration."""
    known = {key.variable for key in keys()}
    given = [value.partition("=")[0] for value in unit("cheeseshop.service")["Environment"]]
    assert [name for name in given if name.startswith("CHEESESHOP_") and name not in known] == []


def test_it_is_given_time_to_drain() -> None:
    """The manager waits longer than the service does for its clients and servers."""
    drain = next(key.read(30) for key in keys() if key.dotted == "service.drain")
    assert int(unit("cheeseshop.service")["TimeoutStopSec"][0]) > drain + 30


def test_two_sockets_are_opened() -> None:
    """The index and the operator, in the order in which they are taken."""
    assert [one.rpartition(":")[2] for one in unit("cheeseshop.socket")["ListenStream"]] == ["8080", "8081"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_understands_them(tmp_path: Path) -> None:
    """systemd finds nothing to say about the units, but that nothing is installed here."""
    for path in UNITS.iterdir():
        text = path.read_text().replace("/opt/cheeseshop/bin/twistd", "/bin/true")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert [line for line in done.stderr.splitlines() if str(tmp_path) in line] == []
