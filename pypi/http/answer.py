"""An answer is a value: compared in tests, kept in caches, and written to a request in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.threads import deferToThread

from caching.compression import gzipped
from caching.conditional import any_match, strong_etag
from caching.policy import NO_STORE, Dialect, Policy
from pypi.http.negotiate import joined, takes_gzip
from pypi.http.streams import Stream, send
from pypi.http.veiled import veiled

REASON_LENGTH = 400
"""Characters of a reason phrase; clients keep a whole status line in a bounded buffer."""

GZIP_FROM = 512
"""Bytes below which compression gains nothing."""

THREAD_FROM = 256 * 1024
"""Bytes from which compressing would keep the reactor busy for more than a few milliseconds."""

SAFE = frozenset({b"GET", b"HEAD"})
BODILESS = frozenset({204, 304})

_COMPRESSIBLE = re.compile(r"text/|application/(?:json|xml|vnd\.pypi\.)|image/svg")


@frozen(kw_only=True)
class Answer:
    """What a route says.

    Attributes:
        code: HTTP status.
        reason: the phrase after the status; the standard one if ``None``. Any text: it is made safe.
        content_type: of ``body``, with its charset.
        headers: further ones.
        tags: of everything the answer was made from; caches forget it by them.
        etag: a ready strong validator; made from ``body`` if ``None`` and the answer can have one.
        policy: how it may be kept; the route's if ``None``.
        gzip: the same body as gzip, where that is ready.
    """

    code: int = 200
    reason: str | None = None
    body: bytes | Stream = field(default=b"", repr=False)
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    etag: str | None = None
    policy: Policy | None = None
    gzip: bytes | None = field(default=None, repr=False)

    def adding(self, more: Sequence[tuple[str, str]]) -> Answer:
        """With further headers; of one that is there already, with the values of both."""
        headers = self.headers
        for name, value in more:
            values = [own for known, own in headers if known == name]
            headers = (*(one for one in headers if one[0] != name), (name, ", ".join((*values, value))))
        return evolve(self, headers=headers) if more else self


def redirect(location: str, code: int = 301) -> Answer:
    """Send the client elsewhere, with a plain link for people.

    Args:
        location: built from configuration and looked-up data only, never from what a client sent as host.
    """
    return Answer(code=code, headers=(("Location", location),), body=f"See {location}\n".encode())


def safe_reason(text: str) -> bytes:
    """A sentence as a reason phrase: one line of Latin-1, ``?`` for what that cannot say (RFC 9112 §4)."""
    one_line = " ".join(text.split())[:REASON_LENGTH]
    return re.sub(rb"[\x00-\x1f\x7f]", b"?", one_line.encode("latin-1", "replace"))


async def write(
    request: Any, answer: Answer, policy: Policy = NO_STORE, dialect: Dialect | None = None
) -> None:
    """Write an answer: validators, compression, policy, HEAD. The request is finished by the caller.

    Args:
        request: a ``pypi.http.request.Request``, its body dealt with.
        policy: of the route; the answer's own goes before it. Errors are never kept.
        dialect: of the edge in front, if there is one.
    """
    policy = answer.policy or policy
    if answer.code >= 400:
        policy = evolve(NO_STORE, cors=policy.cors)
    if dialect is not None:
        answer = evolve(answer, headers=(*answer.headers, *dialect.headers(policy, answer.tags)))
    vary = list(policy.vary)
    if isinstance(answer.body, bytes) and answer.code == 200 and request.method in SAFE:
        answer = await _encoded(request, answer, vary)
    elif isinstance(answer.body, Stream) and answer.body.packed is not None:
        answer = _chosen(request, answer, answer.body, answer.body.packed, vary)
    known = _write_head(request, answer, policy, vary)
    if known or request.method == b"HEAD" or answer.code in BODILESS:
        return
    if isinstance(answer.body, bytes):
        request.write(answer.body)
    else:
        await send(request, answer.body)


async def _encoded(request: Any, answer: Answer, vary: list[str]) -> Answer:
    """The variant this client takes: gzipped where that pays, with a validator of its own."""
    body, etag = answer.body, etag_of(answer)
    assert isinstance(body, bytes)
    if not is_compressible(answer):
        return evolve(answer, etag=etag)
    vary.append("Accept-Encoding")
    if not takes_gzip(joined(request, "Accept-Encoding")):
        return evolve(answer, etag=etag)
    return evolve(
        answer,
        body=answer.gzip or await packed(body),
        etag=f'{etag[:-1]}-gz"',
        headers=(*answer.headers, ("Content-Encoding", "gzip")),
    )


def _chosen(request: Any, answer: Answer, plain: Stream, packed: Stream, vary: list[str]) -> Answer:
    """The variant this client takes, of a body that is there in both."""
    vary.append("Accept-Encoding")
    if not takes_gzip(joined(request, "Accept-Encoding")):
        return evolve(answer, etag=plain.etag)
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return evolve(answer, body=packed, etag=packed.etag, headers=headers)


def etag_of(answer: Answer) -> str:
    """The validator of an answer whose body is at hand, without compression."""
    assert isinstance(answer.body, bytes)
    return answer.etag or strong_etag(answer.body)


def is_compressible(answer: Answer) -> bool:
    """Whether an answer whose body is at hand gets smaller by gzip."""
    assert isinstance(answer.body, bytes)
    return len(answer.body) >= GZIP_FROM and _COMPRESSIBLE.match(answer.content_type) is not None


async def packed(body: bytes) -> bytes:
    """``body`` as gzip; off the reactor where that takes long."""
    return gzipped(body) if len(body) < THREAD_FROM else await deferToThread(gzipped, body)


def _write_head(request: Any, answer: Answer, policy: Policy, vary: list[str]) -> bool:
    """Write status and headers.

    Returns:
        whether the client has this very answer already, and so gets no body (304).
    """
    # What nobody may keep, nobody has: it is not compared with anything, and there is nothing to ask by.
    etag = answer.etag if policy.store else None
    known = answer.code == 200 and etag is not None and is_known(request, etag)
    code = 304 if known else answer.code
    request.setResponseCode(code, None if answer.reason is None else safe_reason(answer.reason))
    headers = [("X-Content-Type-Options", "nosniff"), *policy.headers(), *answer.headers]
    if etag is not None:
        headers.append(("ETag", etag))
    if vary:
        headers.append(("Vary", ", ".join(dict.fromkeys(vary))))
    if request.for_readers:
        headers = veiled(headers)
    if known:
        headers = [one for one in headers if one[0] != "Content-Encoding"]
    elif code not in BODILESS:
        length = answer.body.length if isinstance(answer.body, Stream) else len(answer.body)
        headers.append(("Content-Type", answer.content_type))
        if length is not None:
            headers.append(("Content-Length", str(length)))
        elif request.clientproto != b"HTTP/1.1":
            headers.append(("Connection", "close"))  # which is how such a client finds the end
    for name, value in headers:
        if name == "Set-Cookie":  # the one header that is there once for each of its values (RFC 6265 §3)
            request.responseHeaders.addRawHeader(name, value)
        else:
            request.setHeader(name, value)
    return known


def is_known(request: Any, etag: str) -> bool:
    """Whether the client says it holds the representation with this validator (RFC 9110 §13.1.2)."""
    given = joined(request, "If-None-Match")
    return given is not None and request.method in SAFE and any_match(given, etag)
