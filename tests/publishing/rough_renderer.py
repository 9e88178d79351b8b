"""A rendering process that does what a description tells it to; see ``test_descriptions``."""

from __future__ import annotations

import mimetypes
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from pypi.publishing.rendering import child
from pypi.publishing.rendering.wire import NotRendered


def main() -> None:
    """Be a child of ``Renderer``."""
    child.render = obey  # type: ignore[assignment]
    child.main()


def obey(text: str, content_type: str) -> str:
    """Read a command and obey it; the content type is of no interest."""
    command, _, argument = text.partition(" ")
    try:
        return str(OBEY[command](argument))
    except OSError as error:
        raise NotRendered(f"{type(error).__name__} {error}") from None


def fail(_: str) -> None:
    raise ValueError("a renderer stumbles")


def guess(path: str) -> str | None:
    """The type of an image, on a system that lists some in a file."""
    mimetypes.knownfiles.append(path)
    return mimetypes.guess_type("brie.png")[0]


def flood(count: str) -> str:
    return "x" * int(count)


OBEY = {
    "exit": lambda code: os._exit(int(code)),
    "fail": fail,
    "fetch": urlopen,
    "flood": flood,
    "guess": guess,
    "number": lambda _: os.getpid(),
    "read": lambda path: Path(path).read_text(),
    "read-library": lambda _: len(Path(os.__file__).read_bytes()),
    "resolve": lambda name: socket.getaddrinfo(name, 80),
    "run": subprocess.check_output,
    "say": lambda text: os.write(1, text.encode()),
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "system": os.system,
    "traverse": lambda path: Path(f"{Path(os.__file__).parent}/../../../../../../../..{path}").read_text(),
    "write": lambda path: Path(path).write_text("written"),
    "write-library": lambda _: Path(sys.modules["attrs"].__path__[0], "new.py").write_text("written"),
}
