"""``cheeseshop replay``."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGINT
from subprocess import PIPE
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from pypi.cli.main import main
from tests.cli.sentences import sentence
from tests.support.service import Service

LINE = "{at}\t{method}\t{path}\tHTTP/1.1\t{status}\t1\tPython-urllib/2.5 setuptools/0.6c9\n"


def log(path: Path, *requests: tuple[str, int], method: str = "GET") -> Path:
    """A log of these paths and statuses, one each second."""
    lines = [
        LINE.format(at=at, method=method, path=target, status=status)
        for at, (target, status) in enumerate(requests)
    ]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path


def replay(service: Service, *arguments: str | Path, status: int = 0) -> dict[str, Any]:
    """Ask the service again, as fast as possible; the report."""
    done = service.cheeseshop(
        "replay", *arguments, "--to", service.url, "--speed", "max", "--json", status=status
    )
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_what_is_as_it_was(service: Service, tmp_path: Path) -> None:
    """A log whose every answer is the same now: status 0."""
    path = log(tmp_path / "log.gz", *[("/simple/", 200), ("/simple/nobody-has-this/", 404)] * 50)
    value = replay(service, path)
    assert (value["good"], value["requests"], value["recorded_seconds"]) == (True, 100, 99)
    assert value["servers"][0]["statuses"] == [
        {"then": 200, "now": 200, "requests": 50},
        {"then": 404, "now": 404, "requests": 50},
    ]
    assert value["servers"][0]["milliseconds"]["p50"] > 0


def test_our_own_log(service: Service) -> None:
    """What the service logs itself can be asked again."""
    for path in ("simple/", "serial-number-of-nobody", "simple/"):
        with suppress(HTTPError), urlopen(service.url + path):
            pass
    logged = service.data / "log" / "access.log"
    while b"serial-number-of-nobody" not in logged.read_bytes():
        time.sleep(0.01)
    value = replay(service, logged, "--tolerate", "100", "--limit", "2")
    assert value["requests"] == 2
    assert value["log"]["malformed"] == 0


def test_what_is_lost(service: Service, tmp_path: Path) -> None:
    """What was there and is not any more: status 1 unless tolerated, and a line that says what."""
    path = log(tmp_path / "log.gz", ("/simple/", 200), ("/simple/gone/", 200))
    value = replay(service, path, status=1)
    assert [(one["kind"], one["shape"]) for one in value["servers"][0]["offenders"]] == [
        ("lost", "/simple/*/")
    ]
    replay(service, path, "--tolerate", "50")
    told = service.cheeseshop("replay", path, "--to", service.url, "--speed", "max", "--quiet", status=1)
    assert "there then, 4xx now 1" in told.stdout
    assert told.stderr == ""


def test_redirects_and_two_servers(service: Service, tmp_path: Path) -> None:
    """Redirects are followed and counted; a server compared with itself is the same."""
    path = log(tmp_path / "log.gz", ("/simple", 200), ("/simple/", 200))
    value = replay(service, path, "--follow", "--compare", service.url)
    assert value["between"]["different"] == 0
    for server in value["servers"]:
        assert server["redirects"] == {"0": 1, "1": 1}
        assert [(one["now"], one["requests"]) for one in server["statuses"]] == [(200, 2)]


def test_nobody_there(new_service: Service, tmp_path: Path) -> None:
    """Where nobody answers: status 1, and it says so."""
    path = log(tmp_path / "log.gz", *[("/simple/", 200)] * 300)
    done = new_service.cheeseshop(
        "replay", path, "--to", "http://127.0.0.1:1", "--speed", "max", "--quiet", status=1
    )
    assert "Stopped: Nobody answered any more." in done.stdout
    assert not new_service.data.exists()


def test_interrupted(service: Service, tmp_path: Path) -> None:
    """Interrupted, it says what it has found so far: status 1."""
    path = log(tmp_path / "log.gz", *[("/simple/", 200)] * 10_000)
    command = [service.scripts / "cheeseshop", "replay", path, "--to", service.url, "--speed", "10", "--json"]
    process = subprocess.Popen(command, env=service.environment(), stdout=PIPE, stderr=PIPE)
    try:
        logged = service.data / "log" / "access.log"
        size = logged.stat().st_size
        while logged.stat().st_size <= size:
            time.sleep(0.01)
        process.send_signal(SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    value = json.loads(out)
    assert process.returncode == 1
    assert value["stopped"] == "It was interrupted."
    assert 1 <= value["requests"] < 10_000


def invoked(*arguments: str) -> Any:
    """Run it in this process, which is fine where nothing is asked."""
    return CliRunner().invoke(main, ["replay", *arguments])


def test_dry_run(tmp_path: Path) -> None:
    """Told so, it asks nothing, and counts what it would ask."""
    first = log(tmp_path / "first.gz", *[("/simple/", 200)] * 10)
    second = log(tmp_path / "second.gz", ("/pypi", 200), method="POST")
    shown = invoked(str(first), str(second), "--dry-run", "--json", "--since", "2", "--until", "8")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == {
        "requests": 6,
        "kinds": {"GET 200": 6},
        "lines": 11,
        "malformed": 0,
        "passed_over": {"of another time": 5},
    }
    text = invoked(str(first), "--dry-run", "--percent", "50", "--quiet").stdout
    assert text.endswith(" not in the share\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say --to URL, or --dry-run."),
        (["--to", "ftp://a.example"], "is not a URL beginning http"),
        (["--to", "http://a.example/path"], "with nothing after the host"),
        (["--to", "http://a.example", "--speed", "fast"], "neither max nor a number"),
        (["--to", "http://a.example", "--speed", "0"], "neither max nor a number"),
        (["--to", "http://a.example", "--percent", "0"], "not in the range"),
        (["--to", "http://a.example", "--host", "a\r\nX: y"], "is no host"),
        (["--dry-run", "--since", "yesterday"], "neither a time"),
        (["--dry-run", "--connections", "0"], "not in the range"),
    ],
)
def test_what_is_asked_wrongly(arguments: Sequence[str], said: str, tmp_path: Path) -> None:
    """Options that make no sense: status 2, and a sentence."""
    shown = invoked(str(log(tmp_path / "log.gz")), *arguments)
    assert shown.exit_code == 2
    assert said in shown.output


def test_logs_that_cannot_be_read(service: Service, tmp_path: Path) -> None:
    """A log that is torn: status 2 and a sentence; what could be read was asked, and is reported."""
    assert invoked(str(tmp_path / "missing"), "--dry-run").exit_code == 2
    whole = log(tmp_path / "log.gz", *[(f"/simple/{n}/", 404) for n in range(1500)]).read_bytes()
    torn = tmp_path / "torn.gz"
    torn.write_bytes(whole[:-100])
    shown = invoked(str(torn), "--dry-run", "--quiet")
    assert shown.exit_code == 2
    assert "torn.gz" in sentence(shown)
    value = replay(service, torn, status=2)
    assert value["requests"] > 100
    assert "torn.gz" in value["stopped"]
