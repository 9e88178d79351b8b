"""Reading ``multipart/form-data`` as it arrives: bytes in, events out, no I/O.

Source: RFC 7578 (forms), RFC 2046 section 5.1 (multipart), the HTML standard's percent-escapes in names.

Two line endings are read. Everybody writes CR LF, except ``setup.py upload`` of Python up to 2.7.6, which
writes bare LF throughout. The first delimiter line decides which of them a body speaks; from there on only
that one counts, so no body can be read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import unquote_to_bytes

from attrs import frozen

from pypi.domain.errors import Invalid

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_MEDIA_TYPE = re.compile(r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)[ \t]*")
_PARAMETER = re.compile(
    r';[ \t]*(?:([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;" \t]*)[ \t]*)?'
)
_PERCENT_ESCAPES = re.compile(r"%(22|0[DdAa])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BACKSLASH_ESCAPES = re.compile(r'\\(["\\])')


@frozen
class MalformedForm(Invalid):
    """The body is not the form it says it is, or goes beyond a bound."""

    detail: str

    def __str__(self) -> str:
        return f"The form cannot be read: {self.detail}."


@frozen
class Part:
    """The head of one part; its data follow.

    Attributes:
        name: of the form field.
        filename: as the client gave it, unchecked; None for a plain field.
        content_type: as given, lower-case, without parameters; None if the part does not say.
        headers: every header of the part, names in lower case.
    """

    name: str
    filename: str | None
    content_type: str | None
    headers: dict[str, str]


@frozen
class Data:
    """Some bytes of the part begun last; never empty."""

    data: bytes


@frozen
class PartEnd:
    """The part begun last is complete."""


@frozen
class FormEnd:
    """The closing delimiter was read; whatever follows is ignored."""


Event = Part | Data | PartEnd | FormEnd


class MultipartParser:
    """Turns the bytes of one body, cut anywhere, into events.

    Memory is bounded by one header block and one delimiter, time is linear in the bytes fed, and the events
    do not depend on the cuts (but for how the bytes of one part are spread over ``Data``).

    Args:
        boundary: as in the ``Content-Type`` (see ``boundary_of``).
        max_parts: parts read before the form is refused.
        max_head: bytes of one part's header block.
        max_slack: bytes of the preamble, and of the epilogue.
    """

    def __init__(
        self, boundary: bytes, *, max_parts: int = 1000, max_head: int = 8192, max_slack: int = 1024
    ) -> None:
        self._dashes = b"--" + boundary
        self._parts_left = max_parts
        self._max_head = max_head
        self._max_slack = max_slack
        self._newline = b""
        self._delimiter = b""
        self._state = self._preamble
        self._buffer = b""
        self._at = 0
        self._line = bytearray()
        self._spent = 0
        self._headers: dict[str, str] = {}

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes.

        Raises:
            MalformedForm: a rule or bound is broken; feed no more.
        """
        events: list[Event] = []
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        while self._state(events):
            pass
        return events

    def finish(self) -> list[Event]:
        """The events that the end of the body completes.

        Raises:
            MalformedForm: the closing delimiter never came.
        """
        if self._state == self._preamble and bytes(self._line) == self._dashes + b"--":
            self._state = self._epilogue
            return [FormEnd()]
        if self._state != self._epilogue:
            _malformed("it ends before its closing boundary")
        return []

    def _preamble(self, events: list[Event]) -> bool:
        line = self._read_line(
            self._max_slack + len(self._dashes), "too much stands before its first boundary"
        )
        if line is None:
            return False
        if not line.startswith(self._dashes):
            return True
        rest = line[len(self._dashes) :]
        if rest in (b"--\n", b"--\r\n"):
            self._end_form(events)
        elif rest in (b"\n", b"\r\n"):
            self._newline = rest
            self._delimiter = rest + self._dashes
            self._begin_head()
        else:
            _malformed("its first boundary line goes on with something else")
        return True

    def _begin_head(self) -> None:
        if not self._parts_left:
            _malformed("it has too many fields")
        self._parts_left -= 1
        self._spent = 0
        self._headers = {}
        self._state = self._head

    def _head(self, events: list[Event]) -> bool:
        line = self._read_line(self._max_head, "the header of a field is too long")
        if line is None:
            return False
        text = line[: -len(self._newline)]
        if not line.endswith(self._newline) or b"\r" in text:
            _malformed("the header of a field has mixed line endings")
        if text:
            self._add_header(text)
        else:
            events.append(_part(self._headers))
            self._state = self._data
        return True

    def _add_header(self, line: bytes) -> None:
        try:
            name, colon, value = line.decode().partition(":")
        except UnicodeDecodeError:
            _malformed("the header of a field is not UTF-8")
        if not colon or not _TOKEN.fullmatch(name):
            _malformed("a field has a header without a name")
        if _CONTROL.search(value):
            _malformed("the header of a field has control characters")
        if name.lower() in self._headers:
            _malformed("a field has the same header twice")
        self._headers[name.lower()] = value.strip(" \t")

    def _data(self, events: list[Event]) -> bool:
        found = self._buffer.find(self._delimiter, self._at)
        # A delimiter may have begun in the last bytes: they wait for what follows.
        end = found if found >= 0 else max(self._at, len(self._buffer) - len(self._delimiter) + 1)
        if end > self._at:
            events.append(Data(self._buffer[self._at : end]))
        self._at = end
        if found < 0:
            return False
        events.append(PartEnd())
        self._at += len(self._delimiter)
        self._state = self._after_delimiter
        return True

    def _after_delimiter(self, events: list[Event]) -> bool:
        following = self._buffer[self._at : self._at + 2]
        if following.startswith(self._newline):
            self._at += len(self._newline)
            self._begin_head()
        elif following == b"--":
            self._at += 2
            self._end_form(events)
        elif following in (b"", b"-", self._newline[:-1]):
            return False
        else:
            _malformed("a boundary line goes on with something else")
        return True

    def _end_form(self, events: list[Event]) -> None:
        events.append(FormEnd())
        self._spent = 0
        self._state = self._epilogue

    def _epilogue(self, events: list[Event]) -> bool:
        self._spent += len(self._buffer) - self._at
        self._at = len(self._buffer)
        if self._spent > self._max_slack:
            _malformed("too much stands after its last boundary")
        return False

    def _read_line(self, limit: int, too_long: str) -> bytes | None:
        """The next whole line with its LF, or None; all lines of one state may take ``limit`` bytes."""
        found = self._buffer.find(b"\n", self._at)
        end = found + 1 if found >= 0 else len(self._buffer)
        self._spent += end - self._at
        if self._spent > limit:
            _malformed(too_long)
        self._line += self._buffer[self._at : end]
        self._at = end
        if found < 0:
            return None
        line = bytes(self._line)
        self._line.clear()
        return line


def boundary_of(content_type: str) -> bytes:
    """The boundary that a ``multipart/form-data`` content type declares.

    Raises:
        MalformedForm: it declares none, or one that RFC 2046 does not allow (1–70 characters).
    """
    _, parameters = parse_parameters(content_type)
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        _malformed("its Content-Type has no valid boundary")
    return boundary.encode("ascii")


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split ``form-data; name="x"`` into its lower-case first word and its parameters.

    Raises:
        MalformedForm: the value does not follow the grammar of RFC 9110 section 5.6.6, or repeats a name.
    """
    first = _MEDIA_TYPE.match(value)
    if first is None:
        _malformed("a Content-Type or Content-Disposition has no value")
    parameters: dict[str, str] = {}
    for name, raw in _raw_parameters(value, first.end()):
        if name in parameters:
            _malformed("a header gives the same parameter twice")
        parameters[name] = _unquote(raw)
    return first.group(1).lower(), parameters


def _raw_parameters(value: str, position: int) -> Iterator[tuple[str, str]]:
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None:
            _malformed("a header has a malformed parameter")
        position = found.end()
        if found.group(1):
            yield found.group(1).lower(), found.group(2)


def _unquote(raw: str) -> str:
    return _BACKSLASH_ESCAPES.sub(r"\1", raw[1:-1]) if raw.startswith('"') else raw


def _part(headers: dict[str, str]) -> Part:
    if "content-disposition" not in headers:
        _malformed("a field has no Content-Disposition")
    kind, parameters = parse_parameters(headers["content-disposition"])
    name = _text(parameters, "name")
    if kind != "form-data" or name is None:
        _malformed("a Content-Disposition is not form-data with a name")
    if headers.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        _malformed("a field has a Content-Transfer-Encoding")
    content_type = headers.get("content-type")
    return Part(
        name=name,
        filename=_text(parameters, "filename"),
        content_type=parse_parameters(content_type)[0] if content_type else None,
        headers=headers,
    )


def _text(parameters: dict[str, str], name: str) -> str | None:
    """A parameter in either of its spellings: ``name="…"`` or, winning, ``name*=utf-8''…`` (RFC 5987)."""
    extended = parameters.get(name + "*")
    if extended is not None:
        return _extended(extended)
    plain = parameters.get(name)
    if plain is None:
        return None
    return _PERCENT_ESCAPES.sub(lambda found: chr(int(found.group(1), 16)), plain)


def _extended(value: str) -> str:
    charset, _, rest = value.partition("'")
    _, quote, encoded = rest.partition("'")
    if not quote or charset.lower() != "utf-8":
        _malformed("a name is not in UTF-8")
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        _malformed("a name is not in UTF-8")


def _malformed(detail: str) -> NoReturn:
    raise MalformedForm(detail)
