"""What commands say when they refuse."""

from __future__ import annotations

import subprocess


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence a command ended with; fails if it said less or more than that."""
    assert done.stdout == ""
    assert done.stderr.startswith("cheeseshop: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr.removeprefix("cheeseshop: ").strip()
