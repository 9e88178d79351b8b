"""The lines of access logs, read: the combined format and its kin, our JSON, and values between tabs.

Each line is known by itself, so a log may hold several formats, as one does whose format was changed.
"""

from __future__ import annotations

import json
import re
from calendar import timegm
from datetime import datetime
from functools import lru_cache

from attrs import frozen

LONGEST_LINE = 64 * 1024
"""Bytes; ours are never longer than 4 KiB."""


class Malformed(ValueError):
    """A line that no format explains; ``str()`` says what is wrong with it."""


@frozen
class Recorded:
    """A request and its answer, as a log tells of them.

    Attributes:
        number: of the line, from 1; unique among all files of one reading.
        at: POSIX seconds, or seconds from the beginning of the log where it counts so.
        method: upper case; empty where the log has no request.
        target: as it was sent, one character for each byte.
        status: of the answer then.
        size: bytes of the answer's body then; 0 where the log does not say.
        agent: the client's name for itself; empty where it had none.
        body: of the request, where the log holds it.
    """

    number: int
    at: float
    method: str
    target: str
    status: int
    size: int = 0
    agent: str = ""
    body: str = ""


def parse(line: bytes, number: int = 0) -> Recorded | None:
    """Read a line of any format.

    Returns:
        ``None`` for a comment or an empty line.

    Raises:
        Malformed: it is no line of a log.
    """
    if len(line) > LONGEST_LINE:
        raise Malformed("too long")
    text = line.rstrip(b"\r\n")
    if not text or text[:1] == b"#":
        return None
    if text[:1] == b"{":
        return _json(text, number)
    if text.count(b"\t") >= 6 and b'"' not in text[: text.index(b"\t")]:
        return _tabs(text, number)
    return _combined(text, number)


# address, identity, user, [time], "request", status, bytes, and what may follow: "referer" "agent" …
_COMBINED = re.compile(
    rb'\S+ \S+ .*?\[([^\]\[]{1,40})\] "((?:[^"\\]|\\.)*)" ([0-9]{3}) ([0-9]{1,18}|-)'
    rb'(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?:\s.*)?)?',
    re.DOTALL,
)


def _combined(text: bytes, number: int) -> Recorded:
    found = _COMBINED.fullmatch(text)
    if found is None:
        raise Malformed("neither combined nor JSON nor values between tabs")
    time, request, status, size, _, agent = found.groups()
    method, target = _request(_unescaped(request))
    return Recorded(
        number=number,
        at=_moment(time),
        method=method,
        target=target,
        status=int(status),
        size=0 if size == b"-" else int(size),
        agent=_named(_unescaped(agent or b"")),
    )


def _json(text: bytes, number: int) -> Recorded:
    try:
        value = json.loads(text)
        method, target = _request(value["request"].encode())
        return Recorded(
            number=number,
            at=datetime.fromisoformat(value["time"]).timestamp(),
            method=method,
            target=target,
            status=int(value["status"]),
            size=int(value.get("bytes") or 0),
            agent=_named(str(value.get("agent") or "")),
            body=str(value.get("body") or ""),
        )
    except KeyError as error:
        raise Malformed(f"JSON without {error}") from None
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise Malformed("JSON that is no line of a log") from None


_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


def _tabs(text: bytes, number: int) -> Recorded:
    """Seconds, method, target, version, status, bytes, agent."""
    at, method, target, _, status, size, agent, *_ = text.decode("latin-1").split("\t")
    if not _SECONDS.fullmatch(at):
        raise Malformed("values between tabs that do not begin with seconds")
    try:
        return Recorded(
            number=number,
            at=float(at),
            method="" if method == "-" else method.upper(),
            target=target,
            status=int(status),
            size=0 if size == "-" else int(size),
            agent=_named(agent),
        )
    except ValueError:
        raise Malformed("values between tabs that are no numbers where numbers belong") from None


def _request(line: bytes) -> tuple[str, str]:
    """Method and target of a request line; both empty where there was none, or one of its parts is missing.

    The target may hold blanks, as some that come over the wire do.
    """
    first, _, rest = line.decode("latin-1").partition(" ")
    target, _, version = rest.rpartition(" ")
    if not version.startswith("HTTP/"):
        target = rest
    return (first.upper(), target) if target else ("", "")


_ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"b": b"\b", b"f": b"\f"}


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else _LETTERS.get(found[2], found[2]), text
    )


def _named(agent: str | bytes) -> str:
    text = agent.decode("latin-1") if isinstance(agent, bytes) else agent
    return "" if text == "-" else text


_TIME = re.compile(
    rb"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    rb"(?: ([+-])([0-9]{2})([0-9]{2}))?"
)
_MONTHS = {name: n for n, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


@lru_cache(1024)
def _moment(text: bytes) -> float:
    """POSIX seconds of ``18/Nov/2008:06:27:01 +0100``."""
    found = _TIME.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        raise Malformed("a time that is none")
    day, year, hour, minute, second = (int(found[n]) for n in (1, 3, 4, 5, 6))
    if not (1 <= day <= 31 and hour < 24 and minute < 60 and second < 61 and year >= 1970):
        raise Malformed("a time that is none")
    east = 60 * (60 * int(found[8]) + int(found[9])) if found[7] else 0
    at = timegm((year, _MONTHS[found[2]], day, hour, minute, second))
    return float(at + east if found[7] == b"-" else at - east)
