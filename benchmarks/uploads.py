"""300 tiny wheels by one run of twine, and what they cost the server, beside devpi-server.

Both servers are started anew for every run, in turns, with an empty index and somebody who may upload to it.

*One run of twine* uploads 300 wheels, signing in as each index has its users do it: with an API token here,
with name and password at devpi-server, which hashes the password again for each request. The server's part in
it is the processor time of all its processes (of ours PostgreSQL, Redis and those that look into archives are
some), from before twine starts until it has ended.

*The same requests again*: what twine sends was recorded once. A client that does nothing but write such a
request to a socket and read the answer sends them one after the other, to both servers, with only path, Host
and Authorization replaced. So the time it measures is the server's own; of a run, the median request counts.
This is done with both ways of signing in, so that like can be compared with like: with a token at both (300
requests; devpi-server's comes from its login and is good for ten hours) and with a password at both (60, of
which only the first makes us hash it: we remember for minutes that it was right).

Each wheel has about 2 kB and is the only one of its project. Ten uploads warm the servers up. Before we
answer we look into the archive and bring the file and its folders to the disk (fsync); devpi-server commits
to SQLite and leaves the file to the operating system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from statistics import median

from attrs import define, field

from benchmarks import devpi, distributions, servers, twine
from benchmarks.client import Client
from benchmarks.figure import Bar, Figure, Row, Setting, times_better
from benchmarks.servers import Login, Subject
from benchmarks.twine import Recorded

FILES = 300
WITH_PASSWORD = 60
WARM_UP = 10

Start = Callable[[Path], AbstractContextManager[Subject]]


@define
class Cost:
    """Milliseconds per file, one number for each run: by the clock, and of the server's processors."""

    time: list[float] = field(factory=list)
    cpu: list[float] = field(factory=list)


@define
class Costs:
    """What uploads cost one server.

    Attributes:
        twine: by one run of twine.
        token: the same requests again, with a token.
        password: the same requests again, with a password.
    """

    twine: Cost = field(factory=Cost)
    token: Cost = field(factory=Cost)
    password: Cost = field(factory=Cost)


def measure(setting: Setting) -> Iterator[Row]:
    """Both servers, in turns."""
    programs = devpi.installed(setting.say)
    for_twine = _wheels(setting.folder, "twined", FILES)
    setting.say("Recording what twine sends")
    again = twine.record(_wheels(setting.folder, "again", WARM_UP + FILES + WITH_PASSWORD))
    starts: list[tuple[str, Start, Costs]] = [
        ("Cheeseshop", servers.serving, Costs()),
        ("devpi-server", lambda folder: devpi.serving(programs, folder), Costs()),
    ]
    (_, _, ours), (_, _, peer) = starts
    for run in range(setting.runs):
        for name, start, costs in reversed(starts) if run % 2 else starts:
            setting.say(f"Run {run + 1} of {setting.runs}: {name}")
            with start(setting.folder / f"{name}-{run}") as subject:
                usual = subject.token if costs is ours else subject.password
                _send(subject, subject.token, again[:WARM_UP], Cost())
                _send(subject, subject.token, again[WARM_UP:-WITH_PASSWORD], costs.token)
                _send(subject, subject.password, again[-WITH_PASSWORD:], costs.password)
                _run_twine(subject, usual, for_twine, costs.twine)
    bar = times_better(5)
    yield _row("run of twine: server's processor time per file", ours.twine.cpu, peer.twine.cpu, bar)
    yield _row("run of twine: time per file, twine's own included", ours.twine.time, peer.twine.time)
    yield _row("its requests, usual sign-in: server's time each", ours.token.time, peer.password.time, bar)
    yield _row("token at both: server's time each", ours.token.time, peer.token.time)
    yield _row("token at both: server's processor time each", ours.token.cpu, peer.token.cpu)
    yield _row("password at both: server's time each", ours.password.time, peer.password.time)
    yield _row("password at both: server's processor time each", ours.password.cpu, peer.password.cpu)


def _wheels(folder: Path, stem: str, count: int) -> list[Path]:
    return [distributions.tiny(folder, name) for name in distributions.numbered(stem, count)]


def _send(subject: Subject, login: Login, recorded: Sequence[Recorded], cost: Cost) -> None:
    with closing(Client(subject.origin)) as client:
        requests = [one.to(subject.upload_path, client.host, login.authorization) for one in recorded]
        before = subject.running.cpu_seconds()
        seconds = [client.time(request) for request in requests]
        cost.cpu.append(1000 * (subject.running.cpu_seconds() - before) / len(requests))
    cost.time.append(1000 * median(seconds))


def _run_twine(subject: Subject, login: Login, files: Sequence[Path], cost: Cost) -> None:
    before = subject.running.cpu_seconds()
    url = subject.origin + subject.upload_path
    seconds = twine.upload(url, login.user, login.secret, files)
    cost.cpu.append(1000 * (subject.running.cpu_seconds() - before) / len(files))
    cost.time.append(1000 * seconds / len(files))


def _row(measure: str, ours: list[float], peer: list[float], bar: Bar | None = None) -> Row:
    return Row(measure=measure, unit="ms", ours=ours, peer=peer, bar=bar)


FIGURE = Figure(
    name="uploads",
    question=f"what do {FILES} tiny wheels by one run of twine cost the server?",
    peer="devpi-server",
    measure=measure,
)
