"""Answers that are kept: asked for on behalf of all, and written to each client in the form it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen
from twisted.web import http_headers

from caching.kept import Form, Kept, fields, lines
from caching.lane import BESIDE
from caching.layered import Found, Ladder, Question, Uncacheable
from caching.policy import NO_STORE, Dialect, Policy
from caching.store import Entry, Headers
from pypi.http.answer import (
    Answer,
    etag_of,
    is_compressible,
    is_known,
    packed,
    write,
)
from pypi.http.negotiate import joined, takes_gzip
from pypi.http.streams import Stream
from pypi.http.veiled import veiled

KEPT_CODES = frozenset({200, 301, 302, 308, 404, 410})

LONGEST_PATH = 2048
"""Bytes of a path the lane answers; written canonically, one may be longer than a request line can be."""

UNRESERVED = "/~!$&'()*+,;=:@"
"""What a path may have as it is (RFC 3986 §3.3), beside letters and digits."""

Handler = Callable[..., Awaitable[Answer]]
Missing = Callable[[], Awaitable[object]]


@frozen(kw_only=True)
class Asked:
    """A request as the route of a kept answer sees it: nothing in which those who share the answer differ.

    Attributes:
        path: decoded.
        uri: path and query in their canonical spelling.
        args: the parameters the policy names.
        requestHeaders: ``Accept``, naming the representation that is meant, or nothing.
    """

    text_path: str
    path: bytes
    uri: bytes
    args: Mapping[bytes, list[bytes]]
    requestHeaders: http_headers.Headers = field(eq=False)
    method: bytes = b"GET"


@frozen(kw_only=True, eq=False)
class Keeper:
    """Stands between the routes and the caches.

    Attributes:
        dialect: of the edge in front, where there is one that is told of changes.
    """

    ladder: Ladder
    dialect: Dialect | None = None

    async def answer(
        self,
        request: Any,
        policy: Policy,
        stats: Any,
        handler: Handler,
        values: Mapping[str, str],
        more: Headers = (),
        missing: Missing | None = None,
    ) -> None:
        """Write the answer to a GET or HEAD of a route that is kept.

        Args:
            stats: of the route, or of the feature it serves.
            more: headers of the answer beside its own, the same for all who share it.
            missing: as in ``pypi.http.reading.Look``.
        """
        asked, variant, address = _asked(request, policy)

        async def make() -> Answer:
            return (await handler(asked, **values)).adding(more)

        await self.share(request, address, variant, policy, stats, make, missing)

    async def reveal(
        self,
        request: Any,
        policy: Policy,
        handler: Handler,
        values: Mapping[str, str],
        more: Headers = (),
    ) -> None:
        """Write the answer for a reader of what is private: made as by ``answer``, and never kept."""
        answer = (await handler(_asked(request, policy)[0], **values)).adding(more)
        await write(request, answer, policy)

    async def share(
        self,
        request: Any,
        address: bytes,
        variant: str,
        policy: Policy,
        stats: Any,
        make: Callable[[], Awaitable[Answer]],
        missing: Missing | None = None,
    ) -> None:
        """Write the answer to a GET or HEAD that is the same for all who ask for this address.

        Args:
            address: a canonical path, under which the fast lane finds it; or one made by ``aside``.
            variant: which of its representations is meant.
            make: asks the source; sees nothing of the request.
        """

        async def entry() -> Entry | None:
            return await entry_of(await make(), policy, self.dialect)

        question = Question(address=address, variant=variant, policy=policy, stats=stats, make=entry)
        try:
            found = await self.ladder.find(question)
        except Uncacheable:
            await write(request, await make(), policy, self.dialect)
        else:
            if missing is not None and found.kept.code == 404:
                await missing()
            await self._write(request, found)

    async def _write(self, request: Any, found: Found) -> None:
        kept = found.kept
        form = await self._form(kept, takes_gzip(joined(request, "Accept-Encoding")))
        known = kept.code == 200 and is_known(request, form.etag.decode("latin-1"))
        request.setResponseCode(304 if known else kept.code)
        request.setHeader("Cache-Status", found.status)
        if found.age:
            request.setHeader("Age", str(found.age))
        head, body = kept.shared_304 + form.own, b""
        if known:
            kept.stats.not_modified += 1
        else:
            head = kept.shared + form.own + form.end.removesuffix(b"\r\n")
            if request.method != b"HEAD":
                kept.stats.bytes += form.length
                body = form.body
        request.write_ready(veiled_lines(head) if request.for_readers else head, body)

    async def _form(self, kept: Kept, gzip: bool) -> Form:
        return kept.packed if gzip else await self.ladder.plain(kept)


def veiled_lines(head: bytes) -> bytes:
    """Header lines, as readers get them."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields(head)]
    return lines(tuple(veiled(pairs)))


async def entry_of(answer: Answer, policy: Policy, dialect: Dialect | None = None) -> Entry | None:
    """An answer as caches keep it; ``None`` if it cannot be kept."""
    if isinstance(answer.body, Stream) or answer.code not in KEPT_CODES:
        return None
    policy = answer.policy or policy
    if answer.code >= 400:
        policy = evolve(NO_STORE, cors=policy.cors)
    vary, body = list(policy.vary), answer.body
    etag = None if answer.code != 200 else answer.etag or etag_of(answer)
    pack = answer.code == 200 and is_compressible(answer)
    if pack:
        vary.append("Accept-Encoding")
        body = answer.gzip or await packed(body)
    standing = [("X-Content-Type-Options", "nosniff"), *policy.headers()]
    standing += [("Vary", ", ".join(dict.fromkeys(vary)))] if vary else []
    told = dialect.headers(policy, answer.tags) if dialect is not None else ()
    return Entry(
        code=answer.code,
        standing=(*standing, ("Content-Type", answer.content_type)),
        headers=(*answer.headers, *told),
        body=body,
        packed=pack,
        etag=etag,
        tags=answer.tags,
        serial=0,
        made=0.0,
        cost=0.0,
    )


def _asked(request: Any, policy: Policy) -> tuple[Asked, str, bytes]:
    """(what the route sees, which representation is meant, the address it is kept under)."""
    given = _meant(request, policy)
    variant = variant_of(request, policy)
    text = request.text_path if policy.spelled is None else policy.spelled(request.text_path)
    path = quote(text, safe=UNRESERVED).encode("ascii")
    query = urlencode(sorted(given.items()), doseq=True).encode("ascii")
    asked = Asked(
        text_path=text,
        path=path,
        uri=path + b"?" + query if query else path,
        args={name.encode(): [value.encode() for value in values] for name, values in given.items()},
        requestHeaders=http_headers.Headers(
            {b"accept": [variant.encode()]} if policy.variant is not None else None
        ),
    )
    # The lane looks for bare paths of requests that are not too long for the channel: all else stands aside.
    address = aside(asked.uri, variant) if query or len(path) > LONGEST_PATH else path
    return asked, variant, address


def aside(what: bytes, variant: str = "") -> bytes:
    """An address that the lane never looks for."""
    return what + BESIDE + variant.encode()


def in_lane(request: Any) -> bytes | None:
    """The address under which the lane finds an answer to just such requests; ``None`` if it cannot."""
    if request.query:
        return None
    path = quote(request.text_path, safe=UNRESERVED).encode("ascii")
    return path if request.uri == path and len(path) <= LONGEST_PATH else None


def variant_of(request: Any, policy: Policy) -> str:
    """Which of several representations a request means."""
    if policy.variant is None:
        return ""
    return policy.variant(joined(request, "Accept"), _named(request, policy.query))


def _meant(request: Any, policy: Policy) -> Mapping[str, Sequence[str]]:
    """Parameter → values, as those who share the answer ask."""
    if policy.meant is None:
        return {name: [value] for name, value in _named(request, policy.query).items()}
    return policy.meant(_given(request, policy.query))


def _named(request: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: values[0] for name, values in _given(request, names).items()}


def _given(request: Any, names: tuple[str, ...]) -> dict[str, list[str]]:
    if not names or not request.query:
        return {}
    found = {name: request.args.get(name.encode(), ()) for name in names}
    return {name: [one.decode("utf-8", "replace") for one in given] for name, given in found.items() if given}
