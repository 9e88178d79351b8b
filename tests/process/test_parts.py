"""What the processes are made of: orders, pictures, pauses, pipes."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from pypi.config import load
from pypi.process.backoff import LONGEST_PAUSE, STEADY, Backoff
from pypi.process.child import Child, Report
from pypi.process.orders import Orders, reloaded
from pypi.process.picture import Picture, State, discard, run_folder
from pypi.process.pulse import EVERY, REPORT, Pulse
from pypi.process.systemd import Systemd

FULL = {
    "CHEESESHOP_SERVICE_ORIGIN": "https://packages.example",
    "CHEESESHOP_SERVICE_HOSTS": "a.example,b.example",
    "CHEESESHOP_SERVICE_TRUSTED_PROXIES": "10.0.0.0/8,::1",
    "CHEESESHOP_DATABASE_URL": "postgresql://cheese:word@db.example/cheese",
    "CHEESESHOP_UPLOADS_ZIP_SDISTS": "on",
    "CHEESESHOP_UPLOADS_MAX_FILE_SIZE": "20MB",
    "CHEESESHOP_LEGACY_DOCS_REDIRECTS": "a=https://a.example/,b=https://b.example/",
    "CHEESESHOP_LIMITS_FACTOR": "0.5",
}


def test_orders_arrive_as_they_were_sent() -> None:
    """A configuration goes through a pipe without a change, whatever its file says meanwhile."""
    sent = Orders(config=load(None, FULL), origin="https://x.example", database_url="d", redis_url="r")
    received = Orders.unpacked(json.loads(json.dumps(sent.packed())))
    assert received == sent


def test_what_a_reload_does_not_change() -> None:
    """Ports, data and databases stay until the next start, and are named; the rest is taken over."""
    running = load(None, FULL)
    changed = {"CHEESESHOP_SERVICE_PORT": "99", "CHEESESHOP_SERVICE_HOSTS": "c.example"}
    config, waiting = reloaded(running, load(None, FULL | changed))
    assert waiting == ["service.port"]
    assert config.service.port == running.service.port
    assert config.service.hosts == ("c.example",)


def test_pauses_grow_and_are_bounded() -> None:
    """The tenth death in a row costs half a minute; the first, or one after service, hardly anything."""
    backoff = Backoff()
    backoff.born(0.0)
    pauses = [backoff.died(1.0) for _ in range(12)]
    assert pauses[0] <= 0.5
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    assert backoff.died(1.0, served=True) <= 0.5
    backoff.born(100.0)
    assert backoff.died(100.0 + STEADY) == pauses[0]


def test_a_picture_is_read_as_it_was_drawn(tmp_path: Path) -> None:
    """What the supervisor knows is what others read; nobody else may."""
    picture = Picture(pid=os.getpid(), started=1.0, generation=2, workers=[State(slot=1, lag=0.25)])
    picture.write(tmp_path)
    assert Picture.read(tmp_path) == picture
    assert picture.is_of_the_living
    assert [path.name for path in tmp_path.iterdir()] == ["workers.json"]
    assert (tmp_path / "workers.json").stat().st_mode & 0o777 == 0o600


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    """No file, half a file and a file of another version are no picture."""
    assert Picture.read(tmp_path) is None
    for text in ("", "{", "[]", '{"pid": 1}', '{"pid": 1, "started": 0, "generation": 1, "workers": [{}]}'):
        (tmp_path / "workers.json").write_text(text)
        assert Picture.read(tmp_path) is None


def test_another_ones_picture_stays(tmp_path: Path) -> None:
    """A supervisor that ends removes its own picture only."""
    Picture(pid=1, started=0, generation=1).write(tmp_path)
    discard(tmp_path, os.getpid())
    assert Picture.read(tmp_path) is not None
    discard(tmp_path, 1)
    assert Picture.read(tmp_path) is None


def test_sockets_have_room_in_any_data_folder(tmp_path: Path) -> None:
    """Where the path is too long for the name of a socket, the folder is a link to a short one."""
    data = tmp_path / ("d" * 90)
    run = run_folder(data)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(run / "worker-256.sock"))
    assert (data / "run" / "worker-256.sock").exists()
    assert run.stat().st_mode & 0o777 == 0o700


def test_a_pulse_tells_how_late_it_is() -> None:
    """The worst delay since the last report is in the next, and only there."""
    clock, reports = Clock(), list[float]()
    pulse = Pulse(clock, reports.append)
    pulse.start()
    clock.advance(EVERY + 0.3)
    clock.pump([EVERY] * (2 * REPORT))
    assert [round(lag, 3) for lag in reports] == [0.3, 0.0]
    pulse.stop()
    assert clock.getDelayedCalls() == []


def test_a_manager_hears_of_us(tmp_path: Path) -> None:
    """Ready, alive at half of the time that is granted, stopping; and nothing where nobody listens."""
    clock = Clock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "4000000"}
        systemd = Systemd.found(clock, environment, 7)
        systemd.ready()
        clock.advance(2)
        systemd.stopping()
        heard = [manager.recv(1000).decode().splitlines()[0] for _ in range(4)]
    assert heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]
    assert clock.getDelayedCalls() == []
    nobody = Systemd.found(clock, {"WATCHDOG_PID": "8", "WATCHDOG_USEC": "4000000"}, 7)
    nobody.ready()
    assert clock.getDelayedCalls() == []


TALKER = "tests.process.talker"


@define
class Heard:
    """What a child said."""

    reports: list[Report] = field(factory=list)
    entries: list[Any] = field(factory=list)

    def note(self, event: Any) -> None:
        """Keep what it logged."""
        if event.get("log_namespace", "").startswith("talker"):
            self.entries.append(event)


async def test_a_child_reports_and_logs_through_its_parent() -> None:
    """Long entries arrive whole, with level and place; what it writes to stderr is logged, too."""
    heard, ended = Heard(), Deferred[str]()
    note: Any = heard.note
    globalLogPublisher.addObserver(note)
    try:
        child = Child("talker", reactor, heard.reports.append, ended.callback)
        child.start(TALKER)
        child.tell("speak", times=3)
        assert await ended == "It cannot be."
    finally:
        globalLogPublisher.removeObserver(note)
    assert child.pid == 0
    texts = {entry["log_namespace"]: entry["text"] for entry in heard.entries}
    assert texts["talker: parlour"] == "ä\n" + "word " * 2000
    assert texts["talker: stderr"] == "aside"
    assert "ValueError: wrong" in texts["talker: scene"]
    assert [report["state"] for report in heard.reports] == ["speaking", "speaking", "speaking", "failed"]
