"""Raw requests and the statuses they must get: what RFC 9112 asks, and what a careful server adds.

A probe is sent on a connection of its own to a handler that reads every body and answers 200. ``statuses``
are those of all answers, in order (100 is not counted); ``open`` says whether the connection must take a
further request afterwards; ``bodies`` are the bodies that the handler must have read.
"""

from __future__ import annotations

from attrs import frozen

H = b"Host: index.example\r\n"
GET = b"GET / HTTP/1.1\r\n" + H
POST = b"POST /x HTTP/1.1\r\n" + H
END = b"\r\n"
NEXT = GET + END
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + H + END
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


@frozen
class Probe:
    """One raw exchange."""

    name: str
    sent: bytes
    statuses: tuple[int, ...]
    bodies: tuple[bytes, ...] | None = None

    @property
    def open(self) -> bool:
        """Whether the connection goes on: after a refusal, or at the client's wish, it must not."""
        return self.statuses[-1:] == (200,) and not self.name.endswith("(closes)")


def ok(name: str, sent: bytes, *bodies: bytes) -> Probe:
    """Every request in ``sent`` is valid."""
    return Probe(name, sent, (200,) * max(1, len(bodies)), bodies or (b"",))


def no(status: int, name: str, sent: bytes) -> Probe:
    """The one request in ``sent`` is refused, and nothing behind it is looked at."""
    return Probe(name, sent, (status,), ())


def _get(target: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + H + END


def _with(*lines: bytes, start: bytes = GET) -> bytes:
    return start + b"".join(line + b"\r\n" for line in lines) + END


def _host(value: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


def _post(length: bytes, body: bytes = b"hello") -> bytes:
    return POST + b"Content-Length: " + length + b"\r\n\r\n" + body


def _te(value: bytes, body: bytes = HELLO, start: bytes = POST) -> bytes:
    return start + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body


def _chunks(body: bytes) -> bytes:
    return POST + CHUNKED + END + body


REQUEST_LINES = [
    ok("plain GET", NEXT),
    ok("OPTIONS is known", GET.replace(b"GET", b"OPTIONS") + END),
    ok("one empty line before the request", b"\r\n" + NEXT),
    no(400, "two empty lines before the request", b"\r\n\r\n" + NEXT),
    no(400, "bare LF before the request", b"\n" + NEXT),
    no(400, "blank before the method", b" " + NEXT),
    no(400, "two blanks after the method", NEXT.replace(b"GET ", b"GET  ", 1)),
    no(400, "two blanks before the version", NEXT.replace(b" HTTP", b"  HTTP", 1)),
    no(400, "tab as separator", NEXT.replace(b"GET ", b"GET\t", 1)),
    no(400, "blank behind the version", NEXT.replace(b"1.1\r\n", b"1.1 \r\n", 1)),
    no(400, "no version (HTTP/0.9)", b"GET /\r\n" + H + END),
    no(400, "no target", b"GET  HTTP/1.1\r\n" + H + END),
    no(400, "only a method", b"GET\r\n" + H + END),
    no(400, "not HTTP at all", b"SSH-2.0-OpenSSH_9.6\r\n"),
    no(400, "a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"),
    no(400, "a second line in the target", _get(b"/a\rb")),
    no(400, "bare LF ends the request line", NEXT.replace(b"\r\n", b"\n", 1)),
    no(400, "bare CR ends the request line", NEXT.replace(b"\r\n", b"\r", 1)),
    no(400, "NUL in the target", _get(b"/\x00")),
    no(400, "raw Latin-1 in the target", _get(b"/\xe9")),
    no(400, "raw UTF-8 in the target", _get("/é".encode())),
    no(400, "DEL in the target", _get(b"/\x7f")),
    no(400, "method with a colon", b"GE:T / HTTP/1.1\r\n" + H + END),
    no(501, "lower-case method", b"get / HTTP/1.1\r\n" + H + END),
    no(501, "unknown method", b"BREW / HTTP/1.1\r\n" + H + END),
    no(501, "TRACE", b"TRACE / HTTP/1.1\r\n" + H + END),
    no(501, "CONNECT", b"CONNECT index.example:443 HTTP/1.1\r\n" + H + END),
    no(501, "WebDAV", b"PROPFIND / HTTP/1.1\r\n" + H + END),
    no(505, "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    no(505, "HTTP/2.0", _get(b"/", b"HTTP/2.0")),
    no(505, "HTTP/0.9 spelt out", _get(b"/", b"HTTP/0.9")),
    ok("HTTP/1.2 is understood as 1.1", _get(b"/", b"HTTP/1.2")),
    no(400, "HTTP/1.10", _get(b"/", b"HTTP/1.10")),
    no(400, "HTTP/01.1", _get(b"/", b"HTTP/01.1")),
    no(400, "HTTP/1", _get(b"/", b"HTTP/1")),
    no(400, "lower-case version", _get(b"/", b"http/1.1")),
    no(400, "another protocol", _get(b"/", b"ICAP/1.1")),
    ok("request line of the largest size", _get(b"/" + b"a" * (8192 - 14))),
    no(414, "request line one byte too long", _get(b"/" + b"a" * (8192 - 13))),
    no(414, "request line without end", b"GET /" + b"a" * 9000),
    no(414, "method without end", b"A" * 9000),
]

TARGETS = [
    ok("query", _get(b"/?a=b&c=%20%zz")),
    ok("percent-encoded UTF-8", _get(b"/caf%C3%A9")),
    ok("a fragment is cut off", _get(b"/simple/#egg=x")),
    ok("absolute form", _get(b"http://index.example/x?y")),
    ok("absolute form without path", _get(b"http://index.example")),
    ok(
        "absolute form wins over another Host",
        b"GET http://index.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
    ),
    no(400, "absolute form of another host", _get(b"http://evil.example/")),
    no(400, "absolute form with user", _get(b"http://index.example@evil.example/")),
    no(400, "absolute form with user before us", _get(b"http://evil@index.example/")),
    no(400, "absolute form of another scheme", _get(b"ftp://index.example/")),
    no(400, "absolute form without host", _get(b"http:///x")),
    no(400, "no leading slash", _get(b"x")),
    no(400, "authority form", _get(b"index.example:80")),
    no(400, "asterisk with GET", _get(b"*")),
    Probe("asterisk with OPTIONS", b"OPTIONS * HTTP/1.1\r\n" + H + END, (200,), ()),
    no(400, "escape cut short", _get(b"/%4")),
    no(400, "escape that is none", _get(b"/%zz")),
    no(400, "path that is not UTF-8", _get(b"/%ff")),
    no(400, "overlong UTF-8", _get(b"/%c0%af")),
    no(400, "surrogate", _get(b"/%ed%a0%80")),
    no(400, "encoded NUL", _get(b"/a%00b")),
    no(400, "encoded CR LF", _get(b"/a%0d%0ab")),
    no(400, "encoded C1 control", _get(b"/%c2%85")),
    no(400, "encoded NUL in the query", _get(b"/?a=%00")),
    no(400, "backslash", _get(b"/\\evil.example")),
    no(400, "encoded backslash", _get(b"/%5cevil.example")),
    no(400, "dot segments", _get(b"/a/../b")),
    no(400, "encoded dot segments", _get(b"/a/%2e%2E/b")),
    no(400, "dot segments behind an encoded slash", _get(b"/..%2fetc")),
    no(400, "single dot segment", _get(b"/./a")),
    no(404, "encoded slash", _get(b"/a%2Fb")),
    ok("a double escape is decoded once", _get(b"/a%252fb")),
    ok("dots within a segment", _get(b"/a..b/.well-known/...")),
]

HOSTS = [
    no(400, "no Host", b"GET / HTTP/1.1\r\n\r\n"),
    no(400, "two Hosts", GET + H + END),
    no(400, "two different Hosts", GET + b"Host: evil.example\r\n\r\n"),
    no(400, "two Hosts in HTTP/1.0", b"GET / HTTP/1.0\r\n" + H + H + END),
    no(400, "empty Host", _host(b"")),
    no(400, "Host with a path", _host(b"index.example/x")),
    no(400, "Host with a user", _host(b"x@index.example")),
    no(400, "Host with a blank", _host(b"index.example evil")),
    no(400, "Host with two ports", _host(b"index.example:80:80")),
    no(400, "Host with a word as port", _host(b"index.example:http")),
    no(400, "Host with a port out of range", _host(b"index.example:65536")),
    no(400, "Host with port 0", _host(b"index.example:0")),
    no(400, "Host with an open bracket", _host(b"[::1")),
    no(400, "Host with a wrong IPv6 address", _host(b"[1:2]")),
    no(400, "Host with raw bytes", _host(b"index.ex\xe4mple")),
    no(400, "Host with quotes", _host(b'"index.example"')),
    no(400, "only a dot", _host(b".")),
    no(421, "another host", _host(b"evil.example")),
    no(421, "two hosts in one", _host(b"index.example,evil.example")),
    no(421, "our name as a prefix", _host(b"index.example.evil.example")),
    no(421, "our name on another port", _host(b"index.example:8443")),
    no(421, "an address", _host(b"192.0.2.1")),
    ok("Host in capitals", _host(b"INDEX.Example")),
    ok("Host with a final dot", _host(b"index.example.")),
    ok("Host with the default port", _host(b"index.example:80")),
    ok("Host with an empty port", _host(b"index.example:")),
    ok("loopback name", _host(b"localhost:8080")),
    ok("loopback address", _host(b"127.0.0.1:8080")),
    ok("loopback IPv6 address", _host(b"[0:0::1]:8080")),
]

FIELDS = [
    no(400, "folded header", _with(b"X-A: b", b" c")),
    no(400, "folded first header", b"GET / HTTP/1.1\r\n " + H + END),
    no(400, "tab-folded header", _with(b"X-A: b", b"\tc")),
    no(400, "blank before the colon", _with(b"X-A : b")),
    no(400, "blank before the colon of the length", POST + b"Content-Length : 5\r\n\r\nhello"),
    no(400, "no colon", _with(b"X-A")),
    no(400, "no name", _with(b": b")),
    no(400, "name that is no token", _with(b"X(A): b")),
    no(400, "name with raw bytes", _with(b"X\xe4: b")),
    no(400, "NUL in a value", _with(b"X-A: a\x00b")),
    no(400, "CR in a value", _with(b"X-A: a\rb")),
    no(400, "CR before CR LF", _with(b"X-A: a\r")),
    no(400, "escape in a value", _with(b"X-A: \x1b[31m")),
    no(400, "bare LF behind a header", GET + b"X-A: b\n\r\n"),
    no(400, "bare LF ends the head", GET + b"\n"),
    no(400, "bare LF hides a header", GET + b"X-A: b\nContent-Length: 5\r\n\r\nhello"),
    no(400, "bare CR hides a header", GET + b"X-A: b\rContent-Length: 5\r\n\r\nhello"),
    ok("blanks around a value", _with(b"X-A: \t b \t ")),
    ok("empty value", _with(b"X-A:")),
    ok("Latin-1 in a value", _with(b"X-A: \xe4")),
    ok("a hundred headers", _with(*[b"X: y"] * 99)),
    no(431, "a hundred and one headers", _with(*[b"X: y"] * 100)),
    ok("largest header block", _with(b"X: " + b"a" * (16384 - len(H) - 5))),
    no(431, "header block one byte too long", _with(b"X: " + b"a" * (16384 - len(H) - 4))),
    no(431, "header without end", GET + b"X: " + b"a" * 20000),
    no(431, "headers without end", GET + b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 600),
    no(417, "unknown expectation", POST + b"Expect: x\r\nContent-Length: 5\r\n\r\nhello"),
    no(
        417, "two expectations", POST + b"Expect: 100-continue\r\nExpect: x\r\nContent-Length: 5\r\n\r\nhello"
    ),
    ok("expectation in capitals", POST + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    no(415, "compressed body", POST + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
    ok("identity body", POST + b"Content-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    ok("an upgrade to HTTP/2 is ignored", _with(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c")),
    ok("Connection: close (closes)", _with(b"Connection: close") + SMUGGLED),
    ok("Connection: close among others (closes)", _with(b"Connection: foo,CLOSE") + SMUGGLED),
    ok("HTTP/1.0 (closes)", b"GET / HTTP/1.0\r\n" + H + END),
    ok("HTTP/1.0 without Host (closes)", b"GET / HTTP/1.0\r\n\r\n"),
    ok("HTTP/1.0 keep-alive (closes)", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n" + H + END),
]

LENGTHS = [
    ok("length", _post(b"5"), b"hello"),
    ok("length 0", _post(b"0", b"")),
    ok("leading zeros", _post(b"0005"), b"hello"),
    ok("fifteen digits", _post(b"000000000000005"), b"hello"),
    no(400, "sixteen digits", _post(b"0000000000000005")),
    no(400, "five thousand digits", _post(b"9" * 5000)),
    no(400, "negative length", _post(b"-5")),
    no(400, "signed length", _post(b"+5")),
    no(400, "hexadecimal length", _post(b"0x5")),
    no(400, "underscore in the length", _post(b"1_0")),
    no(400, "blank in the length", _post(b"5 5")),
    no(400, "empty length", _post(b"")),
    no(400, "fraction", _post(b"5.0")),
    no(400, "Arabic digits", _post("٥".encode())),
    no(400, "two equal lengths", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    no(400, "two different lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    no(400, "a list of lengths", _post(b"5, 5")),
    no(400, "length and chunked", POST + b"Content-Length: 5\r\n" + CHUNKED + END + HELLO),
    no(400, "chunked and length", POST + CHUNKED + b"Content-Length: 15\r\n\r\n" + HELLO),
    ok("GET with a body", GET + b"Content-Length: 5\r\n\r\nhello" + NEXT, b"hello", b""),
    ok("a body that looks like a request", _post(b"%d" % len(SMUGGLED), SMUGGLED) + NEXT, SMUGGLED, b""),
    Probe("body longer than its length", _post(b"4", b"hello"), (200,), (b"hell",)),
    Probe("garbage behind a body", _post(b"5") + b"garbage\r\n\r\n", (200, 400), (b"hello",)),
]

CODINGS = [
    ok("chunked", _te(b"chunked"), b"hello"),
    ok("chunked in capitals", _te(b"Chunked"), b"hello"),
    ok("chunked with blanks around", _te(b" \tchunked\t "), b"hello"),
    no(400, "identity and a second request", _te(b"identity", SMUGGLED)),
    no(
        400, "identity with a length", POST + b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello"
    ),
    no(400, "chunked, identity", _te(b"chunked, identity")),
    no(400, "identity, chunked", _te(b"identity, chunked")),
    no(400, "chunked twice", _te(b"chunked, chunked")),
    no(400, "two chunked headers", POST + CHUNKED + CHUNKED + END + HELLO),
    no(400, "chunked, then gzip", _te(b"chunked, gzip")),
    no(400, "chunked with a parameter", _te(b"chunked;q=1")),
    no(400, "quoted chunked", _te(b'"chunked"')),
    no(400, "chunked with a leading comma", _te(b", chunked")),
    no(400, "chunked with a trailing comma", _te(b"chunked,")),
    no(400, "chunked behind a vertical tab", _te(b"\x0bchunked")),
    no(400, "empty coding", _te(b"")),
    no(400, "chunked in HTTP/1.0", _te(b"chunked", start=POST.replace(b"1.1", b"1.0"))),
    no(400, "chunked with a name folded over", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + HELLO),
    no(400, "blank before the colon of chunked", POST + b"Transfer-Encoding : chunked\r\n\r\n" + HELLO),
    no(501, "gzip", _te(b"gzip")),
    no(501, "gzip, chunked", _te(b"gzip, chunked")),
    no(501, "xchunked", _te(b"xchunked")),
]

CHUNKS = [
    ok("no chunks", _chunks(b"0\r\n\r\n")),
    ok("several chunks", _chunks(b"2\r\nhe\r\n003\r\nllo\r\n00\r\n\r\n") + NEXT, b"hello", b""),
    ok(
        "hexadecimal sizes",
        _chunks(b"a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"),
        b"01234567890123456789a",
    ),
    ok("chunk extension", _chunks(b'5;a;b=c ; d="e\\"f"\r\nhello\r\n0;z\r\n\r\n'), b"hello"),
    ok(
        "chunk that looks like an end",
        _chunks(b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n") + NEXT,
        b"\r\n0\r\n\r\n",
        b"",
    ),
    ok("trailers", _chunks(b"5\r\nhello\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n") + NEXT, b"hello", b""),
    ok("sixteen digits of size", _chunks(b"0000000000000005\r\nhello\r\n0\r\n\r\n"), b"hello"),
    no(400, "seventeen digits of size", _chunks(b"00000000000000005\r\nhello\r\n0\r\n\r\n")),
    no(400, "a thousand digits of size", _chunks(b"0" * 1000 + b"5\r\nhello\r\n0\r\n\r\n")),
    no(400, "size with a prefix", _chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    no(400, "signed size", _chunks(b"+5\r\nhello\r\n0\r\n\r\n")),
    no(400, "negative size", _chunks(b"-5\r\nhello\r\n0\r\n\r\n")),
    no(400, "underscore in the size", _chunks(b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n")),
    no(400, "no size", _chunks(b"\r\nhello\r\n0\r\n\r\n")),
    no(400, "only an extension", _chunks(b";a\r\nhello\r\n0\r\n\r\n")),
    no(400, "blank before the size", _chunks(b" 5\r\nhello\r\n0\r\n\r\n")),
    no(400, "blank behind the size", _chunks(b"5 \r\nhello\r\n0\r\n\r\n")),
    no(400, "size that is a word", _chunks(b"five\r\nhello\r\n0\r\n\r\n")),
    no(400, "control byte in an extension", _chunks(b"5;a\x00\r\nhello\r\n0\r\n\r\n")),
    no(400, "bare LF in an extension", _chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    no(400, "bare CR in an extension", _chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n")),
    no(400, "extension without a name", _chunks(b"5;=b\r\nhello\r\n0\r\n\r\n")),
    no(400, "extension with an open quote", _chunks(b'5;a="b\r\nhello\r\n0\r\n\r\n')),
    no(400, "extension of two kilobytes", _chunks(b"5;" + b"a" * 2000 + b"\r\nhello\r\n0\r\n\r\n")),
    no(400, "bare LF behind the size", _chunks(b"5\nhello\r\n0\r\n\r\n")),
    no(400, "bare CR behind the size", _chunks(b"5\rhello\r\n0\r\n\r\n")),
    no(400, "bare LF behind the chunk", _chunks(b"5\r\nhello\n0\r\n\r\n")),
    no(400, "chunk longer than its size", _chunks(b"5\r\nhello!\r\n0\r\n\r\n")),
    no(400, "chunk shorter than its size", _chunks(b"6\r\nhello\r\n0\r\n\r\n")),
    no(400, "bare LF ends the chunks", _chunks(b"5\r\nhello\r\n0\r\n\n")),
    no(400, "trailer without a colon", _chunks(b"0\r\nX\r\n\r\n")),
    no(400, "folded trailer", _chunks(b"0\r\nX: y\r\n z\r\n\r\n")),
    no(400, "length in a trailer", _chunks(b"0\r\nContent-Length: 5\r\n\r\n")),
    no(400, "coding in a trailer", _chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    no(400, "trailer of twenty kilobytes", _chunks(b"0\r\nX: " + b"a" * 20000 + b"\r\n\r\n")),
    no(400, "trailers without end", _chunks(b"0\r\n" + b"X: y\r\n" * 200 + b"\r\n")),
    no(400, "a byte per chunk", _chunks(b"1\r\nx\r\n" * 10000 + b"0\r\n\r\n")),
]

PIPELINES = [
    ok("three requests at once", NEXT * 3, b"", b"", b""),
    ok(
        "bodies and requests in turn",
        (_post(b"5") + NEXT + _te(b"chunked")) * 2,
        *(b"hello", b"", b"hello") * 2,
    ),
    ok("an empty line between requests", _post(b"5") + b"\r\n" + NEXT, b"hello", b""),
    Probe("a bad request behind a good one", NEXT + b"BAD\r\n\r\n" + NEXT, (200, 400), (b"",)),
    Probe("two good ones, then two Hosts", NEXT * 2 + GET + H + END + NEXT, (200, 200, 400), (b"", b"")),
    Probe("nothing follows Connection: close (closes)", _with(b"Connection: close") + NEXT, (200,), (b"",)),
    ok("a hundred requests", NEXT * 100, *(b"",) * 100),
]

PROBES = [*REQUEST_LINES, *TARGETS, *HOSTS, *FIELDS, *LENGTHS, *CODINGS, *CHUNKS, *PIPELINES]
