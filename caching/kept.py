"""An answer in the form in which memory keeps it: lines and bytes, ready to be sent."""

from __future__ import annotations

import sys
import zlib
from typing import Any, Final

from attrs import define, field
from twisted.web import http_headers

from caching.memfiles import MemFile, MemFiles
from caching.store import Entry, Headers

NOT_IN_304 = frozenset({"content-type", "content-encoding", "content-length"})
"""Headers that describe a body (RFC 9110 §15.4.5)."""

OVERHEAD: Final = 750
"""Bytes of an entry beside its lines, body and tags: objects, and places in the tables that find it."""

MOST_HEADS = 4096


class Form:
    """A representation in one coding.

    Attributes:
        own: header lines of this answer alone, its ``ETag`` the last.
        end: the lines that describe the body, and the empty line.
        length: bytes of the body.
        file: the body, where the kernel sends it from.
        etag: quoted; empty where there is none.
        joined: head and body in one, for as long as the date in it is true.
        unchanged: a whole 304, as long as ``joined``.
        logged, logged_304: what the access log says of either.
        noted: the ``Cache-Status`` it says there.
        moment: the number of the last moment in which it was asked for (``caching.moment``).
    """

    __slots__ = (
        "_body",
        "end",
        "etag",
        "file",
        "joined",
        "length",
        "logged",
        "logged_304",
        "moment",
        "noted",
        "own",
        "unchanged",
    )

    def __init__(self, own: bytes, end: bytes, body: bytes, etag: bytes) -> None:
        self.own = own
        self.end = end
        self._body = body
        self.length = len(body)
        self.file: MemFile | None = None
        self.etag = etag
        self.joined: bytes | None = None
        self.unchanged: bytes | None = None
        self.logged = self.logged_304 = self.noted = b""
        self.moment = -1

    @property
    def body(self) -> bytes:
        """As it is sent."""
        return self._body if self.file is None else self.file.read()

    def move(self, files: MemFiles) -> MemFile | None:
        """Have the body in a file, and nowhere else, if there can be one."""
        self.file = file = files.hold(self._body)
        if file is not None:
            self._body = b""
        return file


class Place:
    """A place in a queue of memory's; empty once what waited there is dropped: nothing of it stays."""

    __slots__ = ("kept",)

    def __init__(self, kept: Kept) -> None:
        self.kept: Kept | None = kept


class Kept:
    """An entry in memory.

    Attributes:
        address: path, by which it is found.
        variant: which of the path's representations it is.
        code: HTTP status.
        shared: header lines that many entries have alike.
        shared_304: those of them that also stand in a 304.
        plain: what clients get that take no gzip; ``None``: to be made from ``packed``.
        packed: what the others get; the same as ``plain`` where compressing does not pay.
        tags, serial, made, cost: as in ``Entry``.
        fresh_until: seconds on the monotonic clock until which it is used unasked; past once a change
            has touched it.
        good_until: seconds on that clock until which it is used while a new one is being made.
        touched: whether a change it has not seen has touched it.
        uses: how often it was used since it was last looked at.
        stats: of its route.
        size: bytes it counts for.
        place: where it waits to be looked at; ``None`` once it is not in memory.
        resident: whether it is there for good, being no newcomer any more.
    """

    __slots__ = (
        "address",
        "code",
        "cost",
        "fresh_until",
        "good_until",
        "made",
        "packed",
        "place",
        "plain",
        "resident",
        "serial",
        "shared",
        "shared_304",
        "size",
        "stats",
        "tags",
        "touched",
        "uses",
        "variant",
    )

    def __init__(
        self, address: bytes, variant: str, entry: Entry, heads: Heads, stats: Any, now: float, until: float
    ) -> None:
        self.address = address
        self.variant = variant
        self.code = entry.code
        self.shared, self.shared_304 = heads.of(entry.standing)
        form = _form(entry)
        self.packed = form
        self.plain: Form | None = None if entry.packed else form
        self.tags = tuple(map(sys.intern, entry.tags))
        self.serial = entry.serial
        self.made = entry.made
        self.cost = entry.cost
        self.fresh_until = self.good_until = until
        self.touched = False
        self.uses = 0
        self.stats = stats
        self.place: Place | None = None
        self.resident = False
        self.size = OVERHEAD + len(address) + size_of(form) + sum(40 + len(tag) for tag in self.tags)

    def __repr__(self) -> str:
        return f"<Kept {self.address!r} {self.variant} at {self.serial}, {self.size} bytes>"

    @property
    def held(self) -> bool:
        """Whether it is in memory still."""
        return self.place is not None

    def touch(self) -> None:
        """A change has touched it: it is no longer used, unless nothing better can be had."""
        self.touched = True
        self.fresh_until = self.good_until = float("-inf")

    def unpacked(self, body: bytes) -> Form:
        """The form for clients that take no gzip, from the bytes inside ``packed``."""
        packed = self.packed
        etag = packed.etag.replace(b'-gz"', b'"')
        own = packed.own.replace(packed.etag, etag) if packed.etag else packed.own
        return Form(own, b"Content-Length: %d\r\n\r\n" % len(body), body, etag)


def unpack(packed: bytes) -> bytes:
    """The bytes inside a gzip body of ours."""
    return zlib.decompress(packed, 16 + zlib.MAX_WBITS)


def _form(entry: Entry) -> Form:
    own, etag = lines(entry.headers), b""
    if entry.etag is not None:
        etag = (f'{entry.etag[:-1]}-gz"' if entry.packed else entry.etag).encode("latin-1")
        own += b"ETag: %s\r\n" % etag
    coding = b"Content-Encoding: gzip\r\n" if entry.packed else b""
    return Form(own, b"%sContent-Length: %d\r\n\r\n" % (coding, len(entry.body)), entry.body, etag)


def size_of(form: Form) -> int:
    """Bytes a form counts for."""
    return 270 + len(form.own) + len(form.end) + form.length + len(form.etag)


def lines(headers: Headers) -> bytes:
    """Header lines, written as Twisted writes them: names in their usual spelling, values on one line."""
    written = http_headers.Headers()
    for name, value in headers:
        written.addRawHeader(name, value)
    return b"".join(
        b"%s: %s\r\n" % (name, value) for name, values in written.getAllRawHeaders() for value in values
    )


def fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """The (name, value) pairs of header lines written by ``lines``."""
    pairs = (line.partition(b": ") for line in head.splitlines() if line)
    return [(name, value) for name, _, value in pairs]


@define(eq=False)
class Heads:
    """Writes each set of standing headers once; answers of a kind share the lines."""

    _known: dict[Headers, tuple[bytes, bytes]] = field(factory=dict)

    def of(self, standing: Headers) -> tuple[bytes, bytes]:
        """(lines with a body, lines of a 304)."""
        found = self._known.get(standing)
        if found is None:
            if len(self._known) >= MOST_HEADS:
                self._known.clear()
            without = tuple(one for one in standing if one[0].lower() not in NOT_IN_304)
            found = self._known[standing] = lines(standing), lines(without)
        return found
