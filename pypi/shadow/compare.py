"""Answers compared: what is now with what was then, and what one server says with what another does."""

from __future__ import annotations

from collections.abc import Collection

from pypi.shadow.lines import Recorded
from pypi.shadow.replay import REDIRECTS, Ending

SAME, MOVED, MENDED, OTHER = "same", "moved", "mended", "other"
FAILED, UNANSWERED, LOST, GONE, HOPS, OPENED = "failed", "unanswered", "lost", "gone", "hops", "opened"
FAULT = "fault"

MATTERS = {
    FAILED: "5xx now",
    UNANSWERED: "no answer now",
    FAULT: "a call that faults now",
    LOST: "there then, 4xx now",
    GONE: "there then, 410 now",
    HOPS: "more than one redirect now",
    OPENED: "401 or 403 then, 200 now",
}
"""Kinds of change that matter → what they mean."""

KINDS = ("status", "hops", "location", "type", "length", "body", "etag")
"""In what two servers may differ; with another status, nothing else is compared. All other headers are
volatile, or how a server speaks of itself."""


def is_there(status: int) -> bool:
    """Whether a status brings what was asked for, or says that the client has it."""
    return status in (200, 206, 304)


def change(recorded: Recorded, ending: Ending) -> str:
    """What has changed since the log was written, in a word."""
    then, now = recorded.status, ending.status
    if not now:
        return UNANSWERED
    if now >= 500:
        return FAILED
    if recorded.method == "POST" and b"<fault>" in ending.last.begins:
        return FAULT
    if ending.hops > 1:
        return HOPS
    if now >= 400:
        if then >= 400:
            return SAME
        return GONE if now == 410 else LOST
    if now in REDIRECTS:
        return SAME if then in REDIRECTS else MOVED
    if then in (401, 403):
        return OTHER if ending.hops else OPENED
    if then >= 400:
        return MENDED
    return SAME


def differences(one: Ending, other: Ending, ignored: Collection[str] = ()) -> list[str]:
    """In which of ``KINDS`` two answers to the same request differ."""
    if one.status != other.status:
        found = {"status"}
    else:
        found = {name for name in KINDS if _value(name, one) != _value(name, other)}
    return [name for name in KINDS if name in found and name not in ignored]


def _value(name: str, ending: Ending) -> object:
    last = ending.last
    match name:
        case "hops":
            return ending.hops
        case "location":
            return _relative(last.header("Location"))
        case "type":
            return last.header("Content-Type").lower().replace(" ", "")
        case "length":
            return last.size
        case "body":
            return last.digest
        case "etag":
            return last.header("ETag")
    return None


def _relative(location: str) -> str:
    """A Location without scheme and host, which are each server's own."""
    scheme, found, rest = location.partition("://")
    if not found or "/" in scheme:
        return location
    return "/" + rest.partition("/")[2]
