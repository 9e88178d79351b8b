"""Entries as bytes: serial and tags, which a script of the store can read, a head, the body, a checksum.

Whatever else has come to stand where an entry should be is no entry, and no error: the store is a place
that others may write to, so nothing read from it is believed before it is checked, and nothing is executed.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from math import isfinite
from typing import Any

from caching.store import Entry, Headers

SERIAL = 16
"""Digits at the beginning that say the entry's serial."""

FRONT = 6
"""Digits after it that say how many bytes of JSON follow: the names of its tags."""

MOST_SERIAL = 2**53
"""Scripts calculate in floating point."""

_LENGTH = 4
_CHECKSUM = 8
_LONGEST = 10**FRONT - 1

_PLAIN = re.compile(r"[a-z0-9:/._-]{1,200}")


def plain(name: str) -> str:
    """A name as it may stand in a key of the store: short, without anything that means something there."""
    if _PLAIN.fullmatch(name):
        return name
    return "#" + blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def pack(key: str, entry: Entry) -> bytes:
    """An entry as it is stored under ``key``.

    Raises:
        ValueError: its serial is beyond what scripts can compare; or its tags or headers exceed 1 MB.
    """
    front = _json([plain(tag) for tag in entry.tags])
    head = _json(
        (
            entry.code,
            entry.standing,
            entry.headers,
            entry.packed,
            entry.etag,
            entry.tags,
            entry.made,
            entry.cost,
        )
    )
    if not 0 <= entry.serial < MOST_SERIAL or max(len(front), len(head)) > _LONGEST:
        raise ValueError(f"{entry} cannot be packed")
    begin = b"%0*d%0*d" % (SERIAL, entry.serial, FRONT, len(front))
    packed = b"".join((begin, front, len(head).to_bytes(_LENGTH, "big"), head, entry.body))
    return packed + _checksum(key, packed)


def unpack(key: str, data: object) -> Entry | None:
    """The entry stored under ``key``; ``None`` for whatever ``pack`` did not make for this key."""
    if not isinstance(data, bytes) or len(data) < SERIAL + FRONT + _LENGTH + _CHECKSUM:
        return None
    packed = memoryview(data)[:-_CHECKSUM]
    if data[-_CHECKSUM:] != _checksum(key, packed):
        return None
    try:
        return _read(packed)
    except (ValueError, TypeError, RecursionError):
        return None


def serial_of(data: object) -> bytes:
    """The beginning of what is stored, by which a script knows it again."""
    return data[:SERIAL] if isinstance(data, bytes) else b""


def _checksum(key: str, packed: bytes | memoryview) -> bytes:
    # The key is part of it: an entry that was copied to another place is not the entry of that place.
    digest = blake2b(key.encode("utf-8", "surrogatepass") + b"\0", digest_size=_CHECKSUM)
    digest.update(packed)
    return digest.digest()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _read(packed: memoryview) -> Entry:
    serial, front = bytes(packed[:SERIAL]), bytes(packed[SERIAL : SERIAL + FRONT])
    if not (serial.isdigit() and front.isdigit()):
        raise ValueError
    rest = packed[SERIAL + FRONT + int(front) :]
    length = int.from_bytes(rest[:_LENGTH], "big")
    if length > _LONGEST:
        raise ValueError
    head = bytes(rest[_LENGTH : _LENGTH + length])
    code, standing, headers, packed_body, etag, tags, made, cost = json.loads(head)
    return Entry(
        code=_of(int, code),
        standing=_headers(standing),
        headers=_headers(headers),
        body=bytes(rest[_LENGTH + length :]),
        packed=_of(bool, packed_body),
        etag=None if etag is None else _of(str, etag),
        tags=tuple(_of(str, tag) for tag in tags),
        serial=int(serial),
        made=_seconds(made),
        cost=_seconds(cost),
    )


def _headers(found: Any) -> Headers:
    return tuple((_of(str, name), _of(str, value)) for name, value in found)


def _seconds(found: object) -> float:
    if type(found) not in (int, float) or not isfinite(seconds := float(found)):  # type: ignore[arg-type]
        raise ValueError
    return seconds


def _of(kind: type, found: Any) -> Any:
    if type(found) is not kind:
        raise TypeError
    return found
