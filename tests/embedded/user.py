"""A process that uses embedded servers: ``python -m tests.embedded.user DATA_FOLDER``.

Says ``{"database": …, "redis": …, "postmaster": …}`` on one line once they run, or ``{"refused": …}``, and
leaves them when its standard input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from twisted.internet import stdio, task
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol

from pypi.embedded import EmbeddedServerFailed, Servers
from tests.embedded.conftest import postmaster


class UntilEnd(Protocol):
    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def connectionLost(self, reason: Any = None) -> None:
        self.ended.callback(None)


async def use(reactor: Any, data: str) -> None:
    until_end = UntilEnd()
    stdio.StandardIO(until_end, reactor=reactor)
    try:
        async with Servers(Path(data), reactor) as urls:
            said = {"database": urls.database, "redis": urls.redis, "postmaster": postmaster(Path(data))}
            print(json.dumps(said), flush=True)
            await until_end.ended
    except EmbeddedServerFailed as error:
        print(json.dumps({"refused": str(error)}), flush=True)


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(use(reactor, sys.argv[1])))
