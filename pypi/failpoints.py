"""Named points at which a rehearsal of crashes has the process killed, as by ``kill -9``.

They do nothing unless the environment variable ``FAILPOINTS`` names some when the service starts:
``FAILPOINTS=upload.after-rename`` kills it when that point is reached for the first time,
``FAILPOINTS=upload.after-rename:3`` when it is reached for the third; several are separated by commas.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from signal import SIGKILL
from threading import Lock

VARIABLE = "FAILPOINTS"

NAMES: Mapping[str, str] = {
    "upload.tmp-open": "The temporary file of an upload has been made, and is empty.",
    "upload.mid-write": "Bytes of an upload have been written to its temporary file; more may come.",
    "upload.after-fsync": "A file's bytes are on the disk, under its temporary name.",
    "upload.after-rename": "A file has its final name, of which the disk may not know yet.",
    "upload.after-dirsync": "A file and its folders are on the disk; no row speaks of it.",
    "upload.before-insert": "The transaction of an upload holds its locks and has written nothing.",
    "upload.after-insert": "The transaction of an upload has written its rows, but not the journal.",
    "upload.before-commit": "The transaction of an upload has written everything.",
    "upload.after-commit": "The file is listed; its uploader has no answer yet.",
    "rerender.before-replace": "Some descriptions have been rendered anew, and nothing of it is written.",
    "rerender.before-commit": "The transaction that replaces descriptions has written everything.",
    "hear.before-apply": "A worker has been told of a change, and still keeps what was before it.",
    "outbox.before-drain": "Errands of committed changes are claimed, and about to be done.",
    "purge.after-first": "The edge has acknowledged a purge for the first time; no row says so.",
    "purge.between": "A purge has been acknowledged once, and the second is due.",
    "purge.after-second": "The edge has acknowledged a purge for the second time; its row is still there.",
    "mail.after-sent": "A mail server has taken a letter; its row is still there.",
}
"""Every point, and what is true when it is reached. Those of files are passed by a wheel's metadata, too."""

_ENTRY = re.compile(r"\s*(?P<name>[a-z.-]+)(?::(?P<time>[1-9][0-9]{0,5}))?\s*")


class UnknownFailpoint(ValueError):
    """``FAILPOINTS`` asks for what is not there; ``str()`` is for the operator."""


def arm(wanted: str) -> None:
    """Arm points, and disarm all others.

    Args:
        wanted: what ``FAILPOINTS`` says; empty for none.

    Raises:
        UnknownFailpoint: it names no point of ``NAMES``, or not as ``name`` or ``name:N``.
    """
    global _armed
    _armed = _Armed(wanted) if wanted.strip() else None


def failpoint(name: str) -> None:
    """Be a point of ``NAMES``: the process ends here if it is armed and this is the time."""
    if _armed is not None:
        _armed.reach(name)


class _Armed:
    """Counts down; points are reached by several threads."""

    def __init__(self, wanted: str) -> None:
        self._left = dict(map(_read, wanted.split(",")))
        self._lock = Lock()

    def reach(self, name: str) -> None:
        assert name in NAMES, name
        with self._lock:
            self._left[name] = self._left.get(name, 0) - 1
            if self._left[name] == 0:
                os.kill(os.getpid(), SIGKILL)


def _read(entry: str) -> tuple[str, int]:
    found = _ENTRY.fullmatch(entry)
    if found is None or found["name"] not in NAMES:
        raise UnknownFailpoint(
            f"{VARIABLE}: {entry.strip()!r} is no failpoint; known are {', '.join(NAMES)}, "
            "each alone or followed by :N for the N-th time."
        )
    return found["name"], int(found["time"] or 1)


_armed: _Armed | None = None
