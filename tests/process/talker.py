"""A child that speaks in every way it can, and ends; run as ``python -m tests.process.talker``."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.process.link import Link, Order, settle

reactor: Any = _reactor


def speak(order: str, details: Order) -> None:
    """Say all of it."""
    for _ in range(details["times"]):
        link.say("speaking")
    Logger(namespace="parlour").warn("{words}", words="ä\n" + "word " * 2000)
    try:
        raise ValueError("wrong")
    except ValueError:
        Logger(namespace="scene").failure("A scene", Failure())
    print("aside", file=sys.stderr, flush=True)
    link.say("failed", sentence="It cannot be.")
    reactor.stop()


link = Link(reactor, speak, reactor.stop)

if __name__ == "__main__":
    settle("talker")
    reactor.callWhenRunning(link.open)
    reactor.run()
