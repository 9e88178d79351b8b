"""What the connection itself refuses, before any route sees it."""

from __future__ import annotations

from http import HTTPStatus

from attrs import frozen


@frozen
class Rejected(Exception):
    """A request that is answered by the connection: its framing, size or form is not acceptable.

    Attributes:
        status: 4xx or 5xx.
        sentence: what is wrong, for people; never text of the request.
        headers: further header lines of the answer.
    """

    status: int
    sentence: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __str__(self) -> str:
        return self.sentence

    @property
    def body(self) -> bytes:
        """The sentence as a line."""
        return self.sentence.encode() + b"\n"

    def answer(self) -> bytes:
        """The complete answer, closing the connection."""
        body = self.body
        lines = [
            b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode()),
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Length: %d" % len(body),
            b"X-Content-Type-Options: nosniff",
            b"Cache-Control: no-store",
            *(name + b": " + value for name, value in self.headers),
            b"Connection: close",
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body
