"""Calls as they arrive: from bytes to the name of a method and its arguments, and to nothing else.

The parser is expat with every door closed: no document types, so no entities, no processing instructions, no
encodings but those named here, and bounds on everything. ``xmlrpc.client`` would take numbers of thousands of
digits and values nested without end.

Source: the XML-RPC specification; ``nil`` and ``i8`` are extensions that Python's client has always sent.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

from attrs import field, frozen

from legacy_compat.xmlrpc.faults import no_such_method, not_well_formed

LARGEST = 1 << 20
"""Bytes of a call."""

MOST_ELEMENTS = 20_000
DEEPEST = 64
"""Elements within each other; arguments of calls within a call need 19."""

LONGEST_NAME = 100
"""Characters of a method's name."""

ENCODINGS = {
    name: codec
    for codec, names in {
        "utf-8": ("utf-8", "utf8", "us-ascii", "ascii"),
        "iso8859-1": ("iso-8859-1", "iso8859-1", "latin-1", "latin1"),
        "iso8859-15": ("iso-8859-15",),
        "cp1252": ("windows-1252", "cp1252"),
    }.items()
    for name in names
}
"""Declared name → codec. Beside these UTF-16 is taken, where its first bytes say so."""

NOTHING = object()

DOORS = (
    *("StartDoctypeDecl", "EntityDecl", "UnparsedEntityDecl", "ExternalEntityRef", "SkippedEntity"),
    "ProcessingInstruction",
)
"""What expat would tell of, and nobody wants to hear."""

_DECLARED = re.compile(
    rb"(?:\xef\xbb\xbf)?<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']"
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_DOUBLE = re.compile(
    r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
)
_MOMENT = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:\.0+)?Z?", re.ASCII
)


@frozen
class Call:
    """What is asked for.

    Attributes:
        method: its name.
        arguments: of Python's own types: str, int, float, bool, None, bytes, datetime (UTC), list, dict.
    """

    method: str
    arguments: tuple[Any, ...] = field(default=())


def parse(body: bytes) -> Call:
    """The call in the body of a request; takes some microseconds for each element.

    Raises:
        Fault: it is none, or breaks a bound.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    for door in DOORS:
        setattr(parser, f"{door}Handler", _refuse)
    try:
        # All at once: expat takes quadratic time for long texts that come in pieces.
        parser.Parse(_utf_8(body), True)
    except (expat.ExpatError, ValueError):
        raise not_well_formed() from None
    return reader.call()


def _utf_8(body: bytes) -> bytes:
    """The document in the one encoding that the parser is told.

    Raises:
        ValueError: it is in none that is taken, or says so.
    """
    if len(body) > LARGEST:
        raise ValueError
    if body.startswith(_UTF_16):
        return body.decode("utf-16").encode()
    declared = _DECLARED.match(body)
    codec = ENCODINGS[declared[1].decode().lower()] if declared and _is_known(declared[1]) else "utf-8"
    if declared and not _is_known(declared[1]):
        raise ValueError
    return body if codec == "utf-8" else body.decode(codec).encode()


def _is_known(encoding: bytes) -> bool:
    return encoding.decode().lower() in ENCODINGS


def _refuse(*_: object) -> None:
    raise not_well_formed()


# What an element is made into


def _integer(text: str) -> int:
    found = int(text) if _INTEGER.fullmatch(text) else None
    if found is None or not -(1 << 63) <= found < 1 << 63:
        raise not_well_formed()
    return found


def _boolean(text: str) -> bool:
    if text not in ("0", "1"):
        raise not_well_formed()
    return text == "1"


def _double(text: str) -> float:
    if not _DOUBLE.fullmatch(text):
        raise not_well_formed()
    return float(text)


def _bytes(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except ValueError:
        raise not_well_formed() from None


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise not_well_formed()
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise not_well_formed() from None


SCALARS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int", "i1", "i2", "i4", "i8"), lambda text: _integer(text.strip())),
    "boolean": lambda text: _boolean(text.strip()),
    "double": lambda text: _double(text.strip()),
    "string": lambda text: text,
    "base64": _bytes,
    "dateTime.iso8601": lambda text: _moment(text.strip()),
    "nil": lambda _: None,
}

WITHIN: Mapping[str, frozenset[str]] = {
    "methodCall": frozenset({""}),
    **dict.fromkeys(("methodName", "params"), frozenset({"methodCall"})),
    "param": frozenset({"params"}),
    "value": frozenset({"param", "data", "member"}),
    **dict.fromkeys((*SCALARS, "array", "struct"), frozenset({"value"})),
    "data": frozenset({"array"}),
    "member": frozenset({"struct"}),
    "name": frozenset({"member"}),
}
"""Element → the elements it may stand in."""


class _Reader:
    """Takes a document's events, and has the call when it is over."""

    def __init__(self) -> None:
        self._method: str | None = None
        self._parameters: list[Any] = []
        self._path = [""]
        self._text: list[str] = []
        # Values that are open, innermost last, and containers that are being filled.
        self._values: list[Any] = []
        self._frames: list[Any] = []
        self._elements = 0

    def call(self) -> Call:
        if self._method is None:
            raise no_such_method()
        return Call(self._method, tuple(self._parameters))

    def start(self, name: str, _attributes: object) -> None:
        self._elements += 1
        tag = name.rpartition(":")[2]
        if self._elements > MOST_ELEMENTS or len(self._path) > DEEPEST:
            raise not_well_formed()
        if self._path[-1] not in WITHIN.get(tag, ()):
            raise not_well_formed()
        self._path.append(tag)
        self._text.clear()
        if tag == "value":
            self._values.append(NOTHING)
        elif tag == "array":
            self._frames.append([])
        elif tag == "struct":
            self._frames.append({})
        elif tag == "member":
            self._frames.append([NOTHING, NOTHING])

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, _name: str) -> None:
        tag = self._path.pop()
        if tag == "value":
            self._end_value()
        elif tag in SCALARS:
            self._hold(SCALARS[tag](self._taken()))
        elif tag in ("array", "struct"):
            self._hold(self._frames.pop())
        elif tag == "name":
            self._frames[-1][0] = self._taken()
        elif tag == "member":
            name, value = self._frames.pop()
            if name is NOTHING or value is NOTHING:
                raise not_well_formed()
            self._frames[-1][name] = value
        elif tag == "methodName":
            self._method = self._taken().strip()[: LONGEST_NAME + 1]

    def _taken(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        return text

    def _hold(self, value: Any) -> None:
        if self._values[-1] is not NOTHING:
            raise not_well_formed()
        self._values[-1] = value

    def _end_value(self) -> None:
        value = self._values.pop()
        if value is NOTHING:
            value = self._taken()  # a value without a type is text
        self._text.clear()
        holder = self._path[-1]
        if holder == "param":
            self._parameters.append(value)
        elif holder == "data":
            self._frames[-1].append(value)
        else:
            self._frames[-1][1] = value
