"""Processes under measurement: started with a deadline, and ended by their ids with all they started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, field

from benchmarks import machine
from benchmarks.figure import BenchmarkFailed

PATIENCE = 15.0
"""Seconds a process has to end by itself."""

Command = Sequence[str | Path]


@define(eq=False)
class Running:
    """A process that was started, with all that it started.

    Attributes:
        said: the line by which it was known to be ready.
        seconds_to_ready: from its start to that line.
    """

    process: subprocess.Popen[bytes]
    said: re.Match[str] | None = field(default=None, init=False)
    seconds_to_ready: float = field(default=0.0, init=False)
    _began: float = field(factory=time.perf_counter, init=False)
    _born: dict[int, int] = field(factory=dict, init=False)

    @property
    def pid(self) -> int:
        """Of the process itself."""
        return self.process.pid

    def tree(self) -> list[int]:
        """It and all that it started, the servers it stands on among them."""
        found = machine.tree(self.pid)
        self._born.update((pid, machine.birth(pid)) for pid in found if pid not in self._born)
        return found

    def cpu_seconds(self) -> float:
        """Processor time of the whole tree so far."""
        return machine.cpu_seconds(self.tree())

    def wait_for(self, ready: re.Pattern[str], log: Path, deadline: float) -> None:
        """Wait until it says that it is ready."""
        while self.said is None:
            ended = self.process.poll() is not None
            text = log.read_text(errors="replace")
            self.said = ready.search(text)
            self.seconds_to_ready = time.perf_counter() - self._began
            if self.said is None and (ended or self.seconds_to_ready > deadline):
                what = "ended" if ended else f"was not ready in {deadline:g} s"
                raise BenchmarkFailed(f"a server {what}; its log ends:\n{text[-2000:]}")
            time.sleep(0.005)
        self.tree()

    def stop(self) -> float:
        """Interrupt it, as Ctrl-C does; what is left after a while is killed, each by its id.

        Returns:
            seconds until it and all that it started had ended.
        """
        began = time.perf_counter()
        if self.process.poll() is None:
            self.tree()
            # To all that stands in the foreground with it, as a terminal sends it.
            os.killpg(self.pid, signal.SIGINT)
        while self._living() and time.perf_counter() < began + PATIENCE:
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        for pid in self._living():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        return seconds

    def _living(self) -> list[int]:
        self.process.poll()
        return [pid for pid, birth in self._born.items() if birth and machine.birth(pid) == birth]


@contextmanager
def running(
    command: Command,
    *,
    ready: str,
    log: Path,
    deadline: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[Running]:
    """A server for the duration of a block; afterwards nothing of it is left.

    Args:
        ready: pattern of what it writes once it is ready, on stdout or stderr.
        log: where all that it writes goes.
        deadline: seconds until it has to be ready.
        env: variables besides those of this process.

    Raises:
        BenchmarkFailed: it was not ready in time; says how its log ends.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**_environment(), **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    service = Running(process)
    try:
        service.wait_for(re.compile(ready), log, deadline)
        yield service
    finally:
        service.stop()


def run(
    command: Command,
    *,
    deadline: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    given: str | None = None,
) -> tuple[float, str]:
    """Run a command to its end.

    Args:
        deadline: seconds until it has to end.
        given: its standard input.

    Returns:
        the seconds it took, and what it wrote to stdout.

    Raises:
        BenchmarkFailed: it failed or took too long; says how its output ends.
    """
    began = time.perf_counter()
    try:
        done = subprocess.run(
            list(map(str, command)),
            input=given or "",
            capture_output=True,
            text=True,
            env={**_environment(), **(env or {})},
            cwd=cwd,
            timeout=deadline,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkFailed(f"{command[0]} took more than {deadline:g} s") from None
    except subprocess.CalledProcessError as error:
        said = f"{error.stdout}{error.stderr}"[-2000:]
        raise BenchmarkFailed(f"{command[0]} failed with status {error.returncode}:\n{said}") from None
    return time.perf_counter() - began, done.stdout


def _environment() -> dict[str, str]:
    """Ours, without the configuration of a Cheeseshop, which is not meant for those we measure."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CHEESESHOP_")}
