"""Reading the head of a request: request line and header fields, byte by byte if need be, no I/O.

Source: RFC 9112 sections 2 to 5. Where it leaves a choice between lenient and strict, this reader is
strict, so that no proxy in front of us can understand a request differently.
"""

from __future__ import annotations

import re

from attrs import frozen

from pypi.http.fields import parse_field, strip_line_end
from pypi.http.framing import read_framing
from pypi.http.hosts import Authority, parse_authority
from pypi.http.limits import Limits
from pypi.http.rejected import Rejected
from pypi.http.target import Target, parse_target

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
ALLOW = b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

Fields = dict[bytes, list[bytes]]

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9])\.([0-9])")


@frozen(kw_only=True)
class Head:
    """A request up to its body, checked.

    Attributes:
        method: one of ``METHODS``.
        target: what is asked for.
        minor: 1 for HTTP/1.1, 0 for HTTP/1.0.
        fields: header values without surrounding blanks, in order, by lower-case name.
        authority: the host asked for; None only in HTTP/1.0.
        length: bytes of the body, 0 without one; None when it is chunked.
        persistent: whether the client lets the connection stay open.
        expects_continue: whether the client waits for ``100 Continue`` before it sends the body.
    """

    method: bytes
    target: Target
    minor: int
    fields: Fields
    authority: Authority | None
    length: int | None
    persistent: bool
    expects_continue: bool


class HeadReader:
    """Reads one head; what it makes of the bytes does not depend on how they are cut.

    Attributes:
        head: the result, once complete.
        begun: whether any byte of it has arrived.
    """

    def __init__(self, limits: Limits) -> None:
        self.head: Head | None = None
        self.begun = False
        self._limits = limits
        self._line = bytearray()
        self._left = limits.header_block + 2
        self._blank = False
        self._start: tuple[bytes, Target, int] | None = None
        self._fields: Fields = {}
        self._count = 0

    def feed(self, data: bytes, at: int) -> int:
        """Read on from ``data[at:]``.

        Returns:
            Where reading stopped: behind the head when it is complete, else at the end of ``data``.

        Raises:
            Rejected: the request breaks a rule or bound; feed no more.
        """
        while self.head is None and at < len(data):
            self.begun = True
            found = data.find(b"\n", at)
            end = found + 1 if found >= 0 else len(data)
            self._check_room(len(self._line) + end - at)
            line = data[at:end]
            if self._line or found < 0:
                self._line += line
                line = bytes(self._line) if found >= 0 else b""
            if found >= 0:
                self._line.clear()
                self._take(line)
            at = end
        return at

    def _check_room(self, length: int) -> None:
        if self._start is None:
            if length > self._limits.request_line + 2:
                raise Rejected(
                    414, f"The request line may not be longer than {self._limits.request_line} bytes."
                )
        elif length > self._left:
            raise Rejected(
                431, f"The headers may not be longer than {self._limits.header_block} bytes together."
            )

    def _take(self, line: bytes) -> None:
        text = strip_line_end(line)
        if self._start is not None:
            self._left -= len(line)
            if text:
                self._add(text)
            else:
                self.head = _head(*self._start, self._fields)
        elif text or self._blank:
            self._start = _request_line(text)
        else:
            # One empty line before a request is forgiven: old clients send it after a form.
            self._blank = True

    def _add(self, text: bytes) -> None:
        self._count += 1
        if self._count > self._limits.headers:
            raise Rejected(431, f"A request may not have more than {self._limits.headers} headers.")
        name, value = parse_field(text)
        self._fields.setdefault(name.lower(), []).append(value)


def _request_line(line: bytes) -> tuple[bytes, Target, int]:
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Rejected(400, "The request line must be a method, a target and a version.")
    method, target, major, minor = found.groups()
    if major != b"1":
        raise Rejected(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if method not in METHODS:
        raise Rejected(501, "This method is not implemented.", ((b"Allow", ALLOW),))
    # A higher minor version is understood as the highest we speak (RFC 9110 section 2.5).
    return method, parse_target(target, method), 0 if minor == b"0" else 1


def _head(method: bytes, target: Target, minor: int, fields: Fields) -> Head:
    authority = _authority(fields.get(b"host", []), minor)
    length = read_framing(fields, minor)
    codings = {coding.strip().lower() for coding in fields.get(b"content-encoding", [])}
    if codings - {b"", b"identity"}:
        raise Rejected(415, "Send the body without Content-Encoding.", ((b"Accept-Encoding", b"identity"),))
    connection = b",".join(fields.get(b"connection", [])).lower().replace(b" ", b",").split(b",")
    return Head(
        method=method,
        target=target,
        minor=minor,
        fields=fields,
        authority=target.authority or authority,
        length=length,
        persistent=minor == 1 and b"close" not in connection,
        expects_continue=_expects_continue(fields.get(b"expect", []), minor),
    )


def _authority(hosts: list[bytes], minor: int) -> Authority | None:
    if not hosts and minor == 0:
        return None
    if len(hosts) != 1:
        raise Rejected(400, "A request must have one Host header.")
    return parse_authority(hosts[0])


def _expects_continue(expectations: list[bytes], minor: int) -> bool:
    if not expectations:
        return False
    if [value.lower() for value in expectations] != [b"100-continue"]:
        raise Rejected(417, "The only expectation met here is 100-continue.")
    return minor == 1
