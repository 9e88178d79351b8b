"""Bodies that are no JSON, or too much of it: a sentence for each, and nothing is done."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from tests.support.index import Index
from tests.web.api.calls import JSON, call, people, project

SETTINGS = {"limits__factor": 0}

NOT_JSON: tuple[bytes, ...] = (
    # Structures
    b" ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"{]",
    b"[}",
    b"{}}",
    b"{}x",
    b"{},",
    b"{} {}",
    b"[]]",
    b"[1,]",
    b"[,1]",
    b"[1,,2]",
    b"[1 2]",
    b"[1:2]",
    b'{"a"}',
    b'{"a":}',
    b'{"a" 1}',
    b'{"a":1,}',
    b'{"a":1,,}',
    b'{"a":1 "b":2}',
    b"{a:1}",
    b"{'a':1}",
    b"{1:1}",
    b"{null:1}",
    b'{"a":1/**/}',
    b'{"a":1}//',
    b"#{}",
    b"<!-- {} -->",
    b"\x00",
    b"{}\x00",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"\x0b{}",
    b"\x0c{}",
    b"\xc2\xa0{}",
    b"\xe2\x81\xa0{}",
    # Numbers
    b"[-]",
    b"[+1]",
    b"[01]",
    b"[-01]",
    b"[.5]",
    b"[5.]",
    b"[1e]",
    b"[1e+]",
    b"[0x1]",
    b"[1_000]",
    b"[NaN]",
    b"[Infinity]",
    b"[-Infinity]",
    b"[1e999]",
    b"[" + b"9" * 5000 + b"]",
    b"[\xd9\xa1]",
    # Words and texts
    b"nul",
    b"True",
    b"undefined",
    b'"',
    b'"a',
    b"'a'",
    b'"\\"',
    b'"\\x61"',
    b'"\\u12"',
    b'"\\u{61}"',
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\t"',
    b'"\n"',
    b'"\x00"',
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\\a"',
    # Depths
    b"[" * 5000,
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"versions":' + b"[" * 30000,
)

NO_OBJECTS: tuple[bytes, ...] = (
    b"null",
    b"true",
    b"0",
    b"-0",
    b"1e-999",
    b'""',
    b'"yank"',
    b"[]",
    b'[{"versions": ["1.0"]}]',
    b"[" * 900 + b"]" * 900,
)


@pytest_twisted.async_yield_fixture(scope="module")
async def filled(index: Index) -> AsyncIterator[Index]:
    """An index with a project."""
    await people(index)
    await project(index, "filled")
    yield index


async def test_malformed(filled: Index) -> None:
    """What is no JSON is refused with a sentence."""
    before = filled.state()
    for body in NOT_JSON:
        reply = await call(filled, "filled", "yank", raw=body)
        assert reply.status == 400, body[:40]
        assert reply.json()["message"].startswith("The body of this request is not JSON: "), body[:40]
    assert not set(filled.state() - before) - {"tokens"}


async def test_no_objects(filled: Index) -> None:
    """JSON that is no object is refused as such; none at all is an object without fields."""
    before = filled.state()
    for body in NO_OBJECTS[1:]:
        reply = await call(filled, "filled", "yank", raw=body)
        assert (reply.status, "JSON object" in reply.json()["message"]) == (400, True), body[:40]
    for body in (b"", b"null"):
        reply = await call(filled, "filled", "yank", raw=body)
        assert (reply.status, reply.json().get("field")) == (400, "versions"), body
    assert not set(filled.state() - before) - {"tokens"}


async def test_fields_that_no_database_takes(filled: Index) -> None:
    """Characters that cannot be stored, or shown on a line, are refused by the name of the field."""
    for text in ("\0", "a\0b", "\n", "\x1b[0m", "\x7f"):
        for verb, field in (("archive", "reason"), ("rename", "new_name"), ("invite", "user")):
            body = {field: text} | ({"role": "Owner"} if verb == "invite" else {})
            reply = await call(filled, "filled", verb, body)
            assert (reply.status, reply.json().get("field")) == (400, field), (verb, text)
    for text in ("’; DROP TABLE", "%", "_", "\\", "💥", "é" * 50, "${7*7}", "{{7*7}}", "\u202e"):
        for verb, body in (
            ("yank", {"versions": [text]}),
            ("delete-file", {"filename": text, "confirm": "filled"}),
            ("invite", {"user": text[:50], "role": "Owner"}),
        ):
            assert (await call(filled, "filled", verb, body)).status == 404, (verb, text)


async def test_too_large(filled: Index) -> None:
    """More than 64 kB are not read, be it said at once or not; and as much as that is."""
    at_most = b'{"versions": ["1.0"]}'.ljust(64 << 10)
    assert (await call(filled, "filled", "unyank", raw=at_most)).status == 200
    assert (await call(filled, "filled", "unyank", raw=at_most + b" ")).status == 413
    chunk = b" " * 1000
    headers = {
        "Content-Type": JSON,
        "Authorization": filled.auth(),
        "Transfer-Encoding": "chunked",
    }
    chunks = (b"%x\r\n" % len(chunk) + chunk + b"\r\n") * 100 + b"0\r\n\r\n"
    reply = await filled.ask("/api/projects/filled/unyank", headers, method="POST", body=chunks)
    assert (reply.status, reply["Content-Type"]) == (413, JSON)
    many = {"versions": [str(number) for number in range(501)]}
    reply = await call(filled, "filled", "yank", many)
    assert (reply.status, reply.json()["field"]) == (400, "versions")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (JSON, 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON;charset="UTF-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset", 415),
        ("application/jsonp", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("*/*", 415),
        ("", 415),
        (None, 415),
    ],
)
async def test_content_types(filled: Index, content_type: str | None, status: int) -> None:
    """The body is said to be JSON, which no form of a stranger's page can say."""
    reply = await call(filled, "filled", "unyank", raw=b'{"versions": ["1.0"]}', content_type=content_type)
    assert (reply.status, reply["Content-Type"]) == (status, JSON)


async def test_errors_of_any_kind(filled: Index) -> None:
    """Below /api/ whatever goes wrong is said in JSON, whatever the client accepts."""
    for accept in ("text/html,*/*;q=0.8", "*/*", "text/plain", "image/png"):
        for method, path, status in (
            ("GET", "/api/", 404),
            ("GET", "/api/nothing", 404),
            ("GET", "/api/projects", 401),
            ("GET", "/api/projects/filled/yank", 405),
            ("POST", "/api/projects/filled/yank", 401),
            ("POST", "/api/projects/filled/nothing", 404),
            ("DELETE", "/api/projects/filled/yank", 405),
            ("GET", "/api/search?page=0", 400),
        ):
            reply = await filled.ask(path, {"Accept": accept}, method=method)
            assert (reply.status, reply["Content-Type"]) == (status, JSON), (method, path)
            assert {"message", "code", "title"} <= reply.json().keys()
