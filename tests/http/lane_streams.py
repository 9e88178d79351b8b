"""What one connection may bring, by the number of a seed: requests good and bad, cut anywhere; and events.

``script(seed)`` gives the same script each time; ``python -m tests.http.lane_streams 123`` prints one.
"""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from random import Random

from attrs import frozen

HOST = b"index.example"
V1_JSON = b"application/vnd.pypi.simple.v1+json"
NAMES = (b"small", b"small", b"small", b"large", b"large", b"caf%C3%A9", b"nobody")
POSTS = (b"/write/", b"/write/", b"/refuse/", b"/late/", b"/simple/small/")
TAGS = ("small", "large", "café", "tiny", "nobody", "listed", "later", "all")


@frozen
class Send:
    """Bytes arrive in one piece."""

    data: bytes


@frozen
class Wait:
    """Time passes."""

    seconds: float


@frozen
class Change:
    """Something changes: pages with this tag are outdated."""

    tag: str


@frozen
class Source:
    """The source fails, or is back; or it is only doubted whether changes are heard of."""

    state: str


@frozen
class Choke:
    """The client takes nothing more."""


@frozen
class Take:
    """It takes everything again."""


Op = Send | Wait | Change | Source | Choke | Take


@frozen
class Script:
    """What happens to one connection.

    Attributes:
        brief: tags of the pages that memory has for a second or so only.
        plain: whether memory has been asked for the pages without compression, too.
        parts: seed of how much of each answer the kernel takes at once.
        heedless: whether bytes arrive also while nobody reads, as TLS hands over what it has.
    """

    seed: int
    ops: tuple[Op, ...]
    brief: frozenset[str]
    plain: bool
    parts: int
    heedless: bool


def script(seed: int) -> Script:
    """The script with this number."""
    rng = Random(seed)
    stream, ends = _stream(rng)
    return Script(
        seed=seed,
        ops=tuple(_ops(rng, _cut(rng, stream, ends))),
        brief=frozenset(rng.sample(TAGS, rng.choice((0, 0, 1, 2)))),
        plain=rng.random() < 0.6,
        parts=rng.getrandbits(32),
        heedless=rng.random() < 0.6,
    )


# --- what is sent -----------------------------------------------------------------------------------------


def _stream(rng: Random) -> tuple[bytes, list[int]]:
    """(all that is sent, where a head or a request ends)."""
    data, ends = b"", []
    client = _client(rng)
    odd, written = rng.choice(((0.01, 0.02), (0.08, 0.1), (0.3, 0.2)))
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 6, 8, 12))):
        if rng.random() < 0.15:
            client = _client(rng)
        kind = rng.random()
        make = _odd_read if kind < odd else _write if kind < odd + written else _read
        before, made = len(data), make(rng, client)
        data += made
        ends += [before + found.end() for found in re.finditer(b"\r\n\r\n", made)] + [len(data)]
    end = rng.random()
    if end < 0.2:
        data = data[: rng.randrange(len(data) + 1)]
    elif end < 0.3:
        data += rng.choice(
            (b"\r\n", b"\r\n\r\n", b"\n", b"GET", b"\x16\x03\x01\x02", b"\x00" * 9, rng.randbytes(40))
        )
    return data, sorted({at for at in ends if at <= len(data)})


def _read(rng: Random, client: list[bytes]) -> bytes:
    """A plain request for a page, perhaps conditional."""
    lines = list(client)
    target = _page(rng)
    if rng.random() < 0.35:
        lines.insert(rng.randrange(len(lines) + 1), b"If-None-Match: " + _tag(rng, target, lines))
    version = b" HTTP/1.0" if rng.random() < 0.03 else b" HTTP/1.1"
    return _head(rng.choice((b"GET", b"GET", b"GET", b"HEAD")) + b" " + target + version, lines)


def _page(rng: Random) -> bytes:
    kind = rng.random()
    if kind < 0.62:
        return b"/simple/%s/" % rng.choice(NAMES)
    return rng.choice(
        (
            b"/tiny/",
            b"/tiny/",
            b"/listed/",
            b"/simple/small",
            b"/later/",
            b"/never/",
            b"/refused/",
            b"/stream/",
            b"/nowhere",
            b"/simple/unkept/",
        )
    )


def _tag(rng: Random, target: bytes, lines: list[bytes]) -> bytes:
    """The validator of what is asked for, or of something else, well formed for the most part."""
    name = target.strip(b"/").rpartition(b"/")[2].replace(b"caf%C3%A9", b"cafe")
    if rng.random() < 0.2:
        name = rng.choice((b"small", b"large", b"tiny"))
    joined = b"\n".join(lines)
    kind = b"json" if V1_JSON in joined and rng.random() < 0.9 else b"html"
    if name == b"tiny":
        kind = b"text"
    packed = b"-gz" if b"gzip" in joined and name != b"tiny" and rng.random() < 0.9 else b""
    tag = b'"%s-%s-%d%s"' % (name, kind, rng.choice((0, 0, 0, 1)), packed)
    return rng.choice(
        (
            *(tag,) * 9,
            b"W/" + tag,
            b"w/" + tag,
            b'"stale"',
            tag[:-1],
            tag.strip(b'"'),
            b"*",
            b'""',
            b"",
            b'"stale", ' + tag,
            tag + b', "stale"',
            b'"stale" ,\t' + tag,
            tag + b" ",
            b" " + tag,
            b'""' + tag,
            tag + tag,
            b'"caf\xe9"',
            b'"a\x01b"',
            b'"stale"\r\nIf-None-Match: ' + tag,
            b'"stale"\r\nif-none-match:' + tag,
            tag + b"\r\n folded",
            tag + b"\r\nif-none-match: *",
            b'"' + b"x" * 20000 + b'"',
            b'"' + b"y" * 1900 + b'"',
            tag + b"\n",
        )
    )


def _head(line: bytes, lines: list[bytes]) -> bytes:
    return b"\r\n".join([line, *lines, b"", b""])


# --- who sends it -----------------------------------------------------------------------------------------

_PIP = (
    b'User-Agent: pip/24.2 {"ci":null,"cpu":"x86_64","distro":{"id":"noble","libc":{"lib":"glibc",'
    b'"version":"2.39"},"name":"Ubuntu","version":"24.04"},"implementation":{"name":"CPython",'
    b'"version":"3.12.3"},"installer":{"name":"pip","version":"24.2"},"openssl_version":"OpenSSL 3.0.13",'
    b'"python":"3.12.3","setuptools_version":"75.1.0","system":{"name":"Linux","release":"6.8.0"}}'
)
_PIP_TYPES = V1_JSON + b", application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"

CLIENTS: tuple[tuple[bytes, ...], ...] = (
    (
        b"Host: " + HOST,
        _PIP,
        b"Accept-Encoding: gzip, deflate",
        b"Accept: " + _PIP_TYPES,
        b"Connection: keep-alive",
        b"Cache-Control: max-age=0",
    ),
    (
        b'user-agent: uv/0.4.20 {"installer":{"name":"uv","version":"0.4.20"},"python":"3.12.3"}',
        b"accept: " + V1_JSON + b", application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
        b"accept-encoding: gzip, br",
        b"host: " + HOST,
    ),
    (b"Host: " + HOST, b"User-Agent: curl/8.5.0", b"Accept: */*"),
    (
        b"Host: " + HOST,
        b"User-Agent: poetry/1.8.3 CPython/3.11.9 Linux/6.8.0",
        b"Accept-Encoding: gzip, deflate, br, zstd",
        b"Accept: " + V1_JSON,
        b"Connection: keep-alive",
    ),
    (
        b"Host: " + HOST + b":80",
        b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        b"Accept-Language: en-US,en;q=0.5",
        b"Accept-Encoding: gzip, deflate",
        b"Connection: keep-alive",
        b"Upgrade-Insecure-Requests: 1",
        b"Sec-Fetch-Dest: document",
        b"Priority: u=0, i",
    ),
    (b"Accept-Encoding: identity", b"Host: " + HOST, b"User-Agent: Python-urllib/3.8", b"Connection: close"),
    (b"Host: localhost:8080",),
    (b"Host: " + HOST, b"Accept-Encoding: gzip;q=0, *"),
)


def _client(rng: Random) -> list[bytes]:
    return list(rng.choice(CLIENTS))


# --- what only some send ----------------------------------------------------------------------------------

_MORE = (
    *(
        b"Connection: close",
        b"Connection: Keep-Alive",
        b"Connection: keep-alive, close",
        b"Connection: upgrade",
    ),
    *(
        b"Connection: CLOSE",
        b"connection:close",
        b"Connection:",
        b"Connection: keep-alive",
        b"Connection: te",
    ),
    *(
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: close",
        b"Cookie: session=abc",
        b"cookie:a=b",
        b"Cookie:",
    ),
    *(b"Authorization: Basic dXNlcjpwYXNz", b"Proxy-Authorization: Basic eA==", b"Range: bytes=0-9"),
    *(b"range:bytes=5-", b'If-Range: "x"', b'If-Match: "x"', b"If-Match: *", b"Expect: 100-continue"),
    *(b"Expect: something", b"Upgrade: h2c", b"Upgrade: websocket", b"TE: trailers", b"Trailer: X-Sum"),
    *(
        b"Content-Length: 0",
        b"Content-Type: text/plain",
        b"Content-Encoding: gzip",
        b"Content-Encoding: identity",
    ),
    *(b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked", b"Transfer_Encoding: chunked"),
    *(b"If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT", b"If-Unmodified-Since: junk", b"Pragma: no-cache"),
    *(b"X-Forwarded-For: 198.51.100.1", b"Forwarded: for=_x;proto=https", b"X-HTTP-Method-Override: DELETE"),
    *(
        b"Host: " + HOST,
        b"Host: other.example",
        b"Host:",
        b"Accept: text/html",
        b"Accept: junk, ;q=, */",
        b"Accept:",
    ),
    *(b"Accept-Encoding: gzip", b"accept-encoding: identity;q=1, gzip;q=0.000", b"Accept-Encoding: x-gzip"),
    *(
        b"X: one-of-these",
        b"X: If-None-Match: *",
        b'IF-NONE-MATCH: "stale"',
        b"If-None-Match:*",
        b"X-If-None-Match: *",
    ),
    *(
        b"X : y",
        b": y",
        b"X",
        b"X\t: y",
        b" X: y",
        b"\tX: y",
        b"X: \x00",
        b"X: a\rb",
        b"X: a\x0bb",
        b"X: caf\xc3\xa9",
    ),
    *(b"X: \xff\xfe", b"Caf\xc3\xa9: x", b"X:" + b" " * 300, b"X: " + b"v" * 1500, b"X: " + b"v" * 3000),
    *(
        b"X: " + b"v" * 17000,
        b"X: tab\tin",
        b"X:\ttab before",
        b"X: a\r\n folded",
        b"\r\nX: after the end",
        b"X: a\nY: b",
    ),
)


def _odd_read(rng: Random, client: list[bytes]) -> bytes:
    """A request that reads, with something about it that is not plain."""
    lines = list(client)
    target = _page(rng)
    line = rng.choice((b"GET", b"GET", b"HEAD")) + b" " + target + b" HTTP/1.1"
    if rng.random() < 0.4:
        lines.insert(rng.randrange(len(lines) + 1), b"If-None-Match: " + _tag(rng, target, lines))
    for _ in range(rng.choice((1, 1, 2))):
        if rng.random() < 0.3:
            line = _odd_line(rng, target)
        else:
            _spoil(rng, lines)
    head = _head(line, lines)
    trick = rng.random()
    if trick < 0.05:
        head = b"\r\n" * rng.choice((1, 1, 2)) + head
    elif trick < 0.08:
        head = head.replace(b"\r\n", b"\n", rng.choice((1, 2, -1)))
    elif trick < 0.10:
        at = rng.randrange(len(head))
        head = head[:at] + rng.choice((b"\x00", b"\r", b"\n", b" ", b":", b"\xa0")) + head[at:]
    elif trick < 0.12:
        at = rng.randrange(len(head))
        head = head[:at] + head[at + 1 :]
    return head


def _odd_line(rng: Random, target: bytes) -> bytes:
    method = rng.choice((b"GET", b"GET", b"HEAD"))
    other = rng.choice(
        (b"get", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"GETS", b"G\x00T", b"PUT")
    )
    spelled = rng.choice(
        (
            target + b"?",
            target + b"?a=b",
            target + b"?format=json",
            target + b"#",
            target + b"#x",
            target + b"?x#y",
            target[:-1] + b"%2F",
            target.replace(b"s", b"%73"),
            target.replace(b"%C3%A9", b"%c3%a9"),
            target + b"/",
            b"/" + target,
            target.replace(b"/", b"//"),
            b"/." + target,
            b"/x/.." + target,
            target + b"%00",
            target + b"%",
            b"http://" + HOST + target,
            b"HTTP://" + HOST + b":80" + target,
            b"http://other.example" + target,
            b"*",
            b"x" + target,
            b"/" + b"x" * 9000,
            target + b"?" + b"&a=b" * 120,
            target.replace(b"e", b"\xc3\xa9"),
            b"/listed/?format=json",
            b"/listed/?format=html&x=y",
            b"/listed/?format=html#json",
            b"/listed/?format=",
            b"/simple/" + b'"' * 3000 + b"/",
            b"/simple/" + b"%22" * 3000 + b"/",
            b"/simple/%22%3C/",
            b'/simple/"</',
        )
    )
    version = rng.choice(
        (
            b"HTTP/1.0",
            b"HTTP/1.0",
            b"HTTP/1.2",
            b"HTTP/2.0",
            b"HTTP/0.9",
            b"http/1.1",
            b"HTTP/1.1 ",
            b"HTTP/11",
            b"",
        )
    )
    return rng.choice(
        (
            method + b" " + spelled + b" HTTP/1.1",
            method + b" " + spelled + b" HTTP/1.1",
            method + b" " + target + b" " + version,
            other + b" " + target + b" HTTP/1.1",
            method + b"  " + target + b" HTTP/1.1",
            method + b" " + target + b"  HTTP/1.1",
            method + b"\t" + target + b" HTTP/1.1",
            b" " + method + b" " + target + b" HTTP/1.1",
            method + b" " + target + b" x HTTP/1.1",
            method + b" " + target + b" HTTP/1.1 \r\nX: y HTTP/1.1",
            method + b" " + target,
        )
    )


def _spoil(rng: Random, lines: list[bytes]) -> None:
    """Change something about the header lines."""
    trick = rng.random()
    at = rng.randrange(len(lines) or 1)
    if trick < 0.62 or not lines:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(_MORE))
    elif trick < 0.70:
        lines[at] = rng.choice((lines[at].upper(), lines[at].lower(), lines[at].swapcase()))
    elif trick < 0.76:
        lines[at] = lines[at].replace(b": ", rng.choice((b":", b":  ", b" : ", b":\t", b":\r\n ")), 1)
    elif trick < 0.80:
        lines[at] += rng.choice((b" ", b"\t", b"\r", b"\r\n\t", b" \r\n x", b","))
    elif trick < 0.84:
        lines.pop(at)
    elif trick < 0.88:
        rng.shuffle(lines)
    elif trick < 0.92:
        lines += [b"X-%d: y" % number for number in range(rng.choice((99, 100, 101)) - len(lines))]
    elif trick < 0.96:
        lines[:] = [
            rng.choice((b"Host: other.example", b"Host: INDEX.example.", b"Host: index.example:81"))
        ] + [line for line in lines if not line.lower().startswith(b"host")]
    else:
        lines.insert(at, lines[at])


# --- what has a body --------------------------------------------------------------------------------------


def _write(rng: Random, client: list[bytes]) -> bytes:
    """A request with a body, framed well or badly; the body may look like further requests."""
    lines = list(client)
    body = rng.choice(
        (
            b"",
            b"x" * rng.choice((1, 10, 1000, 70000)),
            _head(b"GET /simple/small/ HTTP/1.1", lines),
            _head(b"GET /tiny/ HTTP/1.1", lines) * 3,
            b"\r\n\r\n" + _head(b"GET /simple/small/ HTTP/1.1", lines),
            b"0\r\n\r\n" + _head(b"GET /tiny/ HTTP/1.1", lines),
        )
    )
    method = rng.choice((b"POST", b"POST", b"POST", b"PUT", b"GET", b"HEAD", b"DELETE"))
    target = rng.choice(POSTS) if method in (b"POST", b"PUT") else _page(rng)
    if rng.random() < 0.15:
        lines.append(b"Expect: 100-continue")
    if rng.random() < 0.15:
        _spoil(rng, lines)
    framing, payload = _framed(rng, body)
    for line in framing:
        lines.insert(rng.randrange(len(lines) + 1), line)
    after = b"\r\n" if rng.random() < 0.1 else b""
    return _head(method + b" " + target + b" HTTP/1.1", lines) + payload + after


def _framed(rng: Random, body: bytes) -> tuple[list[bytes], bytes]:
    size = b"Content-Length: %d" % len(body)
    chunked = b"Transfer-Encoding: chunked"
    chunks = _chunks(rng, body)
    trick = rng.random()
    if trick < 0.45:
        return [size], body
    if trick < 0.75:
        return [chunked], chunks
    return rng.choice(
        (
            ([size, chunked], chunks),
            ([chunked, size], body),
            ([b"Content-Length: 4", chunked], chunks),
            ([chunked, b"Transfer-Encoding: identity"], chunks),
            ([b"Transfer-Encoding: Chunked"], chunks),
            ([b"Transfer-Encoding: chunked, chunked"], chunks),
            ([b"Transfer-Encoding : chunked"], chunks),
            ([b"Transfer-Encoding:\x0bchunked"], chunks),
            ([b"X: y\r\n Transfer-Encoding: chunked"], chunks),
            ([size, size], body),
            ([size, b"Content-Length: 0"], body),
            ([b"Content-Length: +%d" % len(body)], body),
            ([b"Content-Length: 0x%x" % len(body)], body),
            ([b"Content-Length: %d" % (len(body) // 2)], body),
            ([b"Content-Length: %d" % (len(body) + 30)], body),
            ([], body),
            ([chunked], body),
            ([size], chunks),
            ([chunked], chunks[:-2]),
            ([chunked], chunks.replace(b"\r\n", b"\n", 1)),
            ([chunked], chunks.removesuffix(b"\r\n") + b"X-Trailer: y\r\n\r\n"),
            ([chunked], chunks.removesuffix(b"\r\n") + b"Content-Length: 9\r\n\r\n"),
        )
    )


def _chunks(rng: Random, body: bytes) -> bytes:
    out, at = b"", 0
    while at < len(body):
        size = rng.choice((1, 5, 40, 400, 20000)) if len(body) < 1000 else 20000
        piece = body[at : at + size]
        at += size
        out += b"%x%s\r\n%s\r\n" % (len(piece), rng.choice((b"", b"", b";a=b")), piece)
    return out + b"0\r\n\r\n"


# --- how it arrives ---------------------------------------------------------------------------------------


def _cut(rng: Random, data: bytes, ends: list[int]) -> list[bytes]:
    how = rng.random()
    if how < 0.5:
        places = set(ends)
    elif how < 0.65:
        places = set()
    elif how < 0.93 or len(data) > 700:
        near = [at + rng.randrange(-5, 3) for at in ends if rng.random() < 0.5]
        places = {at for at in near if at > 0} | {
            rng.randrange(len(data) + 1) for _ in range(rng.randrange(5))
        }
    else:
        places = set(range(len(data)))
    cuts = [0, *sorted(places | {len(data)})]
    return [piece for start, end in pairwise(cuts) if (piece := data[start:end])]


def _ops(rng: Random, pieces: list[bytes]) -> list[Op]:
    """The pieces with events between them; all waits together are shorter than an idle connection lasts."""
    ops: list[Op] = []
    lively = rng.choice((0.0, 0.1, 0.4, 0.6)) if len(pieces) < 40 else 0.02
    left = 45.0
    for piece in pieces:
        ops.append(Send(piece))
        while rng.random() < lively:
            op = _event(rng)
            if isinstance(op, Wait):
                if op.seconds > left:
                    continue
                left -= op.seconds
            ops.append(op)
    return ops


def _event(rng: Random) -> Op:
    kind = rng.random()
    if kind < 0.45:
        return Wait(rng.choice((0.001, 0.03, 0.03, 0.5, 1.1, 1.1, 2.5, 11.0)))
    if kind < 0.65:
        return Change(rng.choice(TAGS))
    if kind < 0.78:
        return Source(rng.choice(("down", "down", "up", "doubted")))
    return Choke() if kind < 0.93 else Take()


if __name__ == "__main__":
    made = script(int(sys.argv[1]))
    print(f"brief: {set(made.brief)}, plain: {made.plain}")
    for one in made.ops:
        print(one)
