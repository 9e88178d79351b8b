"""``cheeseshop serve`` and ``twistd pypi``: starting, failing to start, stopping, dying."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import ClassVar
from urllib.request import urlopen

import pytest
from attrs import define

from tests.cli.sentences import sentence
from tests.clients import distributions
from tests.clients.desk import Desk, said
from tests.support.service import SCRIPTS, STOP_SECONDS, Service, postmaster, run, servers_of


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A TCP port at which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@define(eq=False)
class Twistd(Service):
    """The same service, started by twistd, which ends by the signal that it got."""

    stopped: ClassVar[int] = -SIGINT

    def command(self) -> list[str | Path]:
        return [self.scripts / "twistd", "-n", "pypi", "--port", str(self.port), "--data", self.data]


@pytest.fixture(params=[Service, Twistd], ids=["serve", "twistd"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """A service that was never started, by either command."""
    made = request.param(tmp_path)
    yield made
    made.end()


def ended(service: Service, **more: str) -> subprocess.CompletedProcess[str]:
    """What the command said when it could not start, with status 1 or 2 and nothing left running."""
    done = run(service.command(), cwd=service.folder, environment=service.environment(**more), status=None)
    assert done.returncode in (1, 2)
    assert servers_of(service.data) == []
    assert "Traceback" not in said(done)
    assert "Cheeseshop ready" not in said(done)
    return done


def told(done: subprocess.CompletedProcess[str]) -> str:
    """The last line on stderr, without the program's name."""
    return done.stderr.splitlines()[-1].removeprefix("cheeseshop: ")


def test_it_serves_until_ctrl_c(either: Service) -> None:
    """It says when it is ready, answers on both listeners, and ends in time with all it started."""
    either.start()
    with urlopen(either.simple, timeout=60) as answer:
        assert answer.status == 200
    with urlopen(f"{either.operator_url}health/ready", timeout=60) as answer:
        assert json.load(answer)["ready"] is True
    assert len(servers_of(either.data)) > 1
    either.stop()
    assert "Traceback" not in either.log.read_text() + either.said.read_text()
    assert not (either.folder / "twistd.pid").exists()


def test_it_ends_by_sigterm_as_well(stopped_service: Service) -> None:
    """A process manager's signal is as good as Ctrl-C."""
    process = stopped_service.start().process
    assert process is not None
    process.send_signal(SIGTERM)
    assert process.wait(STOP_SECONDS) in (0, -SIGTERM)
    assert servers_of(stopped_service.data) == []


def test_it_can_be_stopped_while_it_starts(new_service: Service) -> None:
    """Ctrl-C in the middle of the first start leaves nothing running, and the next start succeeds."""
    starting = subprocess.Popen(
        new_service.command(),
        cwd=new_service.folder,
        env=new_service.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not list(new_service.data.glob("postgres/*")) and time.monotonic() < deadline:
            time.sleep(0.005)
        starting.send_signal(SIGINT)
        output, _ = starting.communicate(timeout=60)
    finally:
        starting.kill()
    assert starting.returncode == 0
    assert "Cheeseshop ready" not in output
    assert "Traceback" not in output
    assert servers_of(new_service.data) == []
    new_service.start()
    new_service.stop()


@pytest.mark.parametrize("key", ["service.port", "operator.port"])
def test_taken_port(either: Service, taken_port: int, key: str) -> None:
    """The sentence names the key to change, and no server was started for nothing."""
    if key == "service.port":
        either.port, more = taken_port, {}
    else:
        more = {"CHEESESHOP_OPERATOR_PORT": str(taken_port)}
    told_to_change = f"{key}: cannot listen on 127.0.0.1:{taken_port}: Address already in use."
    assert told(ended(either, **more)) == told_to_change
    assert not either.data.exists()
    assert not (either.folder / "twistd.pid").exists()


def test_address_that_is_not_ours(new_service: Service) -> None:
    """An interface of another machine is refused with the key to change."""
    origin = {"CHEESESHOP_SERVICE_ORIGIN": "https://index.example"}
    done = ended(new_service, CHEESESHOP_SERVICE_INTERFACE="192.0.2.1", **origin)
    assert told(done) == "service.port: cannot listen on 192.0.2.1:0: Cannot assign requested address."


def test_unusable_configuration(either: Service) -> None:
    """The sentence names the key, and stands alone."""
    done = ended(either, CHEESESHOP_UPLOADS_MAX_FILE_SIZE="much")
    assert "uploads.max_file_size = 'much' (CHEESESHOP_UPLOADS_MAX_FILE_SIZE)" in told(done)
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_unusable_option(new_service: Service) -> None:
    """A port that is none is a configuration that cannot be used."""
    new_service.port = 80000
    assert "service.port = 80000 (command line)" in sentence(ended(new_service))


def test_database_that_does_not_answer(either: Service) -> None:
    """The service does not start without its database, and takes back what it had started."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"postgresql://cheese:word@127.0.0.1:{bound.getsockname()[1]}/cheese"
        done = ended(either, CHEESESHOP_DATABASE_URL=url)
    assert told(done).startswith("The index's database does not answer")
    assert "word" not in said(done)


def test_data_folder_that_cannot_be(new_service: Service) -> None:
    """A data folder below a file is refused in a sentence that names it."""
    new_service.data.parent.joinpath("data").write_text("a file")
    done = run(
        [SCRIPTS / "cheeseshop", "serve", "--port", "0", "--data", new_service.data / "below"],
        cwd=new_service.folder,
        environment=new_service.environment(),
        status=1,
    )
    assert str(new_service.data / "below") in told(done)
    assert "Traceback" not in said(done)


def test_killed_service_finds_its_servers_again(stopped_service: Service, tmp_path: Path) -> None:
    """After ``kill -9`` the next start uses the same PostgreSQL, and what was uploaded before is there."""
    stopped_service.start()
    desk = Desk(stopped_service, tmp_path)
    before = distributions.wheel(desk.dist, "before-the-kill")
    desk.twine(before)
    server = postmaster(stopped_service.data)
    stopped_service.kill()
    assert server in servers_of(stopped_service.data)
    stopped_service.start()
    assert postmaster(stopped_service.data) == server
    assert list(desk.listed("before-the-kill")) == [before.name]
    after = distributions.wheel(desk.dist, "before-the-kill", "2.0")
    desk.twine(after)
    assert set(desk.listed("before-the-kill")) == {before.name, after.name}
    stopped_service.stop()


def test_commands_of_a_killed_service_leave_nothing_running(stopped_service: Service) -> None:
    """A command that runs after a kill uses the servers that were left, and is the one to stop them."""
    stopped_service.start()
    stopped_service.kill()
    assert servers_of(stopped_service.data) != []
    assert stopped_service.cheeseshop("user", "list", "--json").stdout == "[]\n"
    assert servers_of(stopped_service.data) == []


def test_two_services_on_one_data_folder(stopped_service: Service, tmp_path: Path) -> None:
    """A second service on the same data shares the servers, and does not take them away when it stops."""
    stopped_service.start()
    second = Service(tmp_path / "second", settings={"SERVICE_DATA": str(stopped_service.data)})
    os.symlink(stopped_service.data, second.data)
    server = postmaster(stopped_service.data)
    second.start()
    assert postmaster(stopped_service.data) == server
    process = second.process
    assert process is not None
    process.send_signal(SIGINT)
    assert process.wait(STOP_SECONDS) == 0
    with urlopen(stopped_service.simple, timeout=60) as answer:
        assert answer.status == 200
    stopped_service.stop()
