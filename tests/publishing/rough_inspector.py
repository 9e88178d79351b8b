"""An inspecting process that does what a file's content tells it to; see ``test_inspection``."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path

from pypi.domain.errors import InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.publishing.archives import Contents, Limits, child
from pypi.publishing.children import confined


def main() -> None:
    """Be a child of ``Inspectors``."""
    child.main(inspect)


def inspect(path: Path, filename: DistributionFilename, limits: Limits) -> Contents:
    """Read a command from the file and obey it."""
    command, _, argument = path.read_text().partition(" ")
    OBEY[command](argument)
    raise InvalidDistribution("obeyed")


def hog(_: str) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(8 << 20))


def spin(_: str) -> None:
    while True:
        pass


def burn(seconds: str) -> None:
    limit = time.process_time() + float(seconds)
    while time.process_time() < limit:
        pass


def say(text: str) -> None:
    os.write(1, text.encode("latin-1"))


def answer(text: str) -> None:
    os.write(1, confined.frame(text.encode()))


def flood(_: str) -> None:
    while True:
        os.write(1, bytes(65536))


def complain(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def connect(port: str) -> None:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=2):
        pass


def write(path: str) -> None:
    Path(path).write_text("written")


def own(attribute: str) -> None:
    raise InvalidDistribution({"pid": str(os.getpid()), "ppid": str(os.getppid())}[attribute])


def fail(what: str) -> None:
    raise {"OSError": OSError, "RecursionError": RecursionError, "SystemExit": SystemExit}[what](what)


OBEY = {
    "hog": hog,
    "spin": spin,
    "burn": burn,
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "exit": lambda code: os._exit(int(code)),
    "crash": lambda _: ctypes.string_at(0),
    "say": say,
    "answer": answer,
    "flood": flood,
    "complain": complain,
    "connect": connect,
    "write": write,
    "own": own,
    "fail": fail,
}
