"""Lines of access logs, read."""

from __future__ import annotations

import json

import pytest

from pypi.http.log_lines import Combined, Json, Lines
from pypi.shadow.lines import LONGEST_LINE, Malformed, Recorded, parse

AT = 1_226_989_621
"""18 November 2008, 06:27:01 UTC."""


def test_combined() -> None:
    """A line of the combined format is read whole; its time is that of its own zone."""
    line = (
        b'192.0.2.1 - ada [18/Nov/2008:07:27:01 +0100] "GET /simple/ HTTP/1.0" 200 12 '
        b'"http://a.example/" "Python-urllib/2.5 setuptools/0.6c9"\n'
    )
    assert parse(line, 7) == Recorded(7, AT, "GET", "/simple/", 200, 12, "Python-urllib/2.5 setuptools/0.6c9")


@pytest.mark.parametrize(
    ("rest", "target", "agent"),
    [
        (rb'"GET /a HTTP/1.1" 304 -', "/a", ""),
        (rb'"GET /a HTTP/1.1" 304 - "-" "-"', "/a", ""),
        (rb'"get /a" 304 0 "-" "x"', "/a", "x"),
        (rb'"GET /a b c HTTP/1.1" 304 0 "-" "x" 17 "more"', "/a b c", "x"),
        (rb'"GET /a\x22\\\"\t HTTP/1.1" 304 0 "-" "pip/9 {\"a\":1}"', '/a"\\"\t', 'pip/9 {"a":1}'),
        ('"GET /é HTTP/1.1" 304 0 "-" "é"'.encode("latin-1"), "/é", "é"),
    ],
)
def test_combined_and_its_kin(rest: bytes, target: str, agent: str) -> None:
    """No agent, no bytes, blanks in a target, escapes, further values: whatever servers write."""
    read = parse(b"::1 - - [18/Nov/2008:06:27:01 +0000] " + rest)
    assert read == Recorded(0, AT, "GET", target, 304, 0, agent)


def test_values_between_tabs() -> None:
    """Seconds, method, target, version, status, bytes and agent; the first line may be a comment."""
    assert parse(b"# offset_s\tmethod\ttarget\tversion\tstatus\tbytes\tuser_agent\n") is None
    read = parse(b"5.5\tHEAD\t/pypi?:action=rss\tHTTP/1.1\t200\t9013\trawdog/2.11\n")
    assert read == Recorded(0, 5.5, "HEAD", "/pypi?:action=rss", 200, 9013, "rawdog/2.11")


@pytest.mark.parametrize("lines", [Combined(), Json("2")], ids=["combined", "json"])
@pytest.mark.parametrize("agent", [b'pip/24.0 {"a": "b\\c"}', b"caf\xc3\xa9", None])
def test_our_own_formats(lines: Lines, agent: bytes | None) -> None:
    """What our own log says is read back."""
    line = b"".join(
        [
            lines.prefix("192.0.2.1"),
            lines.stamp(AT),
            lines.request(b"GET", b"/simple/a%20b/?x=%22", b"HTTP/1.1"),
            lines.answer(404, 11, seconds=0.5, cache=b"cheeseshop-l1; hit", route="/simple/<name>/"),
            lines.suffix(None, agent),
        ]
    )
    read = parse(line)
    assert read is not None
    assert (read.at, read.method, read.target, read.status, read.size) == (
        AT,
        "GET",
        "/simple/a%20b/?x=%22",
        404,
        11,
    )
    given = (agent or b"").decode()
    assert read.agent in (given, given.encode().decode("latin-1"))


def test_a_body() -> None:
    """An object may hold the body of a request, which our own log does not."""
    value = {"time": "2008-11-18T06:27:01Z", "request": "POST /pypi HTTP/1.1", "status": 200, "body": "<x/>"}
    assert parse(json.dumps(value).encode()) == Recorded(0, AT, "POST", "/pypi", 200, body="<x/>")


@pytest.mark.parametrize("line", [b"\n", b"", b"# a comment\r\n"])
def test_what_is_no_line(line: bytes) -> None:
    """Comments and empty lines are passed over."""
    assert parse(line) is None


def test_what_was_no_request() -> None:
    """An answer to what was no request is read, as one without method and target."""
    read = parse(b'::1 - - [18/Nov/2008:06:27:01 +0000] "-" 400 0 "-" "-"')
    assert read == Recorded(0, AT, "", "", 400)


@pytest.mark.parametrize(
    "line",
    [
        b"what is this",
        b'::1 - - [18/Nov/2008:06:27:01 +0000] "GET / HTTP/1.1" 20 1',
        b'::1 - - [18/Nov/2008:06:27:01 +0000] "GET / HTTP/1.1 200 1',
        b'::1 - - [18/Foo/2008:06:27:01 +0000] "GET / HTTP/1.1" 200 1',
        b'::1 - - [99/Nov/2008:06:27:01 +0000] "GET / HTTP/1.1" 200 1',
        b'::1 - - [yesterday] "GET / HTTP/1.1" 200 1',
        b'::1 - - [18/Nov/2008:06:27:01 +0000] "GET / HTTP/1.1" 200 1 "torn',
        b"now\tGET\t/\tHTTP/1.1\t200\t1\tx",
        b"nan\tGET\t/\tHTTP/1.1\t200\t1\tx",
        b"1\tGET\t/\tHTTP/1.1\tfine\t1\tx",
        b"1\tGET\t/",
        b"{}",
        b'{"time": 1, "request": "GET / HTTP/1.1", "status": 200}',
        b'{"time": "2008-11-18T06:27:01Z", "request": null, "status": 200}',
        b'{"time": "2008-11-18T06:27:01Z", "request": "GET / HTTP/1.1", "status": Infinity}',
        b'{"torn": ',
        b"{" * 100_000,
        b'{"a":' * 10_000,
        b"\xff\xfe\x00",
        b"x" * (LONGEST_LINE + 1),
    ],
    ids=lambda line: repr(line[:40]),
)
def test_malformed_lines(line: bytes) -> None:
    """What no format explains is refused, with a word why, whatever it is."""
    with pytest.raises(Malformed, match=r"\w"):
        parse(line)
