"""What commands say when they refuse."""

from __future__ import annotations

from typing import Protocol


class Done(Protocol):
    """What a command said, in a process or in ours."""

    @property
    def stdout(self) -> str: ...

    @property
    def stderr(self) -> str: ...


def sentence(done: Done) -> str:
    """The one sentence a command ended with; fails if it said less or more than that."""
    assert done.stdout == ""
    assert done.stderr.startswith("cheeseshop: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr.removeprefix("cheeseshop: ").strip()
