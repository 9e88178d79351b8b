"""What is answered late so that its time tells nothing, comes at once here: that is tried elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for others to be answered as late."""

    def at_once(reactor: Any, seconds: float) -> Deferred[None]:
        return deferLater(reactor, 0)

    monkeypatch.setattr("pypi.accounts.even.deferLater", at_once)
