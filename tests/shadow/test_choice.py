"""What of a log is asked again."""

from __future__ import annotations

from xmlrpc.client import loads

import pytest

from pypi.shadow.asks import ask
from pypi.shadow.calls import Calls, call
from pypi.shadow.choice import CUT, Choice, sendable
from pypi.shadow.lines import Recorded

XMLRPC = "xmlrpclib.py/1.0.1 (by www.example)"


def get(number: int = 1, target: str = "/", method: str = "GET", **more: object) -> Recorded:
    """A request."""
    return Recorded(number, float(number), method, target, 200, **more)  # type: ignore[arg-type]


def test_only_safe_requests() -> None:
    """GET and HEAD are asked again, nothing else."""
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "GETX", ""]
    choice = Choice()
    assert [one.method for one in choice.of([get(method=method) for method in methods])] == ["GET", "HEAD"]
    assert choice.passed_over == {"not safe": 6, "no request": 1}


@pytest.mark.parametrize(
    ("body", "is_asked"),
    [
        (call("list_packages"), True),
        (call("search", "x"), True),
        ("<methodCall>\n<methodName>changelog</methodName></methodCall>", True),
        (call("system.multicall"), False),
        (call("submit"), False),
        ("<methodName>search</methodName>", False),
        ("name=x&:action=submit", False),
    ],
)
def test_calls_that_change_nothing(body: str, is_asked: bool) -> None:
    """A POST is asked again if the log holds its body, and that is a call known to change nothing."""
    assert len(list(Choice().of([get(method="POST", target="/pypi", body=body)]))) == is_asked


def test_calls_made_up() -> None:
    """In place of calls without bodies, calls of a like size are made, about what the log has asked for."""
    log = [
        get(1, "/simple/Shed%20Skin/"),
        get(2, "/pypi/foo/1.0"),
        *(
            get(n, "/pypi", "POST", agent=XMLRPC, size=size)
            for n, size in enumerate([138, 176, 228_656, 900], 3)
        ),
        get(8, "/pypi", "POST", agent="Mozilla/5.0", size=138),
    ]
    assert len(list(Choice().of(log))) == 2
    choice = Choice(calls=Calls())
    made = [loads(one.body) for one in choice.of(log) if one.body]
    assert [method for _, method in made] == [
        "package_releases",
        "package_releases",
        "list_packages",
        "release_urls",
    ]
    assert made[0][0][0].endswith("-which-nobody-has")
    assert made[3][0] in (("foo", "1.0"), ("setuptools", "0.6c9"))
    assert choice.passed_over == {"not safe": 1}
    assert made == [loads(one.body) for one in Choice(calls=Calls()).of(log) if one.body]


def test_a_share() -> None:
    """A share of the requests is always the same ones, in their order, and a larger one has them all."""
    log = [get(n) for n in range(1, 10_001)]
    tenth, half = ([one.number for one in Choice(share).of(log)] for share in (10, 50))
    assert tenth == [one.number for one in Choice(10).of(log)] == sorted(tenth)
    assert 900 < len(tenth) < 1100
    assert 4800 < len(half) < 5200
    assert set(tenth) < set(half)
    assert len(list(Choice(100).of(log))) == len(log)


def test_a_time_and_a_limit() -> None:
    """Since a moment, until another, and so many at most."""
    log = [get(n) for n in range(10)]
    choice = Choice(since=3, until=6)
    assert [one.number for one in choice.of(log)] == [3, 4, 5]
    assert choice.passed_over == {"of another time": 7}
    assert [one.number for one in Choice(limit=2).of(log)] == [0, 1]


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/simple/", "/simple/"),
        ("/pypi?:action=x#y", "/pypi?:action=x#y"),
        ("http://old.example/packages/a", "/packages/a"),
        ("HTTPS://user:word@old.example:81", "/"),
        ("http://old.example?x", "/?x"),
        ("/a b", None),
        ("/a\r\nX: y", None),
        ("/\xe9", None),
        ("/" + "x" * (CUT - 1), None),
        ("/" + "x" * 9000, None),
        ("*", None),
        ("a.example:443", None),
        ("", None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_can_be_sent(target: str, sent: str | None) -> None:
    """A proxy's form of a target loses its host; what cannot stand in a request is passed over."""
    assert sendable(target) == sent
    assert [one.target for one in Choice().of([get(target=target)])] == ([] if sent is None else [sent])


def test_requests_as_bytes() -> None:
    """A request says what its client says as a rule, and nothing of who somebody is."""
    assert ask("GET", "/a", host="h.example", agent="Python-urllib/2.5 \xe9\r\nX: y") == (
        b"GET /a HTTP/1.1\r\nHost: h.example\r\nUser-Agent: Python-urllib/2.5 X: y\r\nAccept: */*\r\n\r\n"
    )
    modern = ask("HEAD", "/simple/", host="h.example", agent="pip/24.0 {}").decode()
    assert "application/vnd.pypi.simple.v1+json" in modern
    assert "Accept-Encoding: gzip" in modern
    posted = ask("POST", "/pypi", host="h.example", agent="", body="<é/>")
    assert posted.endswith(b"Content-Type: text/xml\r\nContent-Length: 5\r\n\r\n<\xc3\xa9/>")
    assert len(ask("GET", "/", host="h", agent="x" * 10_000)) < 700
