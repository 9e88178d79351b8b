"""Ranges: what is asked for, and what is sent."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from email import message_from_bytes, policy

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from caching.conditional import Conditions, http_date
from pypi.http.ranges import (
    MAX_RANGES,
    ByteRange,
    Content,
    DownloadPlan,
    NoParts,
    body,
    parse_range,
    plan_download,
)

SIZE = 1000
CONTENT = Content(size=SIZE, etag='"v1"', modified=784111777.5)
BOUNDARY = "0123456789abcdef"
DATA = bytes(n % 251 for n in range(SIZE))


def planned(range_header: str | bytes | None, method: str = "GET", **conditions: str) -> DownloadPlan:
    return plan_download(method, Conditions(**conditions), range_header, CONTENT, boundary=BOUNDARY)


def sent(plan: DownloadPlan, data: bytes = DATA) -> bytes:
    return b"".join(
        piece if isinstance(piece, bytes) else data[piece.start : piece.end] for piece in plan.pieces
    )


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-999", [(500, 500)]),
        ("bytes=500-", [(500, 500)]),
        ("bytes=0-", [(0, 1000)]),
        ("bytes=-500", [(500, 500)]),
        ("bytes=-1", [(999, 1)]),
        ("bytes=-5000", [(0, 1000)]),
        ("bytes=900-5000", [(900, 100)]),
        ("bytes=0-99999999999999999999999999999", [(0, 1000)]),
        ("bytes=000000000000000000000000000001-2", [(1, 2)]),
        ("Bytes=0-1", [(0, 2)]),
        (" bytes=0-1 ", [(0, 2)]),
        ("bytes= 0-1 ,\t4-5", [(0, 2), (4, 2)]),
        ("bytes=0-1,,4-5,", [(0, 2), (4, 2)]),
        ("bytes=4-5,0-1", [(4, 2), (0, 2)]),
        ("bytes=0-1,5000-6000", [(0, 2)]),
        ("bytes=0-1,-0", [(0, 2)]),
        # what touches is one part
        ("bytes=0-1,2-3", [(0, 4)]),
        ("bytes=0-499,500-", [(0, 1000)]),
    ],
)
def test_parts_asked_for(header: str, parts: list[tuple[int, int]]) -> None:
    """Every form of a range selects the bytes RFC 9110 §14.1.2 says."""
    expected = tuple(ByteRange(start, length) for start, length in parts)
    assert parse_range(header, SIZE) == parse_range(header.encode(), SIZE) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes=5-3",
        "bytes=0-1,5-3",
        "bytes=0x1-0x2",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=1-2-3",
        "bytes=0 -1",
        "bytes=٠-١",
        "bytes =0-1",
        "items=0-1",
        "bytes:0-1",
        # overlapping
        "bytes=0-10,10-20",
        "bytes=0-,-1",
        "bytes=500-600,0-999",
        "bytes=0-0,0-0",
    ],
)
def test_whole_is_sent_instead(header: str | None) -> None:
    """No range, another unit, a malformed range or an overlapping one gets the whole."""
    assert parse_range(header, SIZE) is NoParts.WHOLE


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=5000-,-0"])
def test_unsatisfiable(header: str) -> None:
    """Ranges that all lie beyond the end cannot be satisfied."""
    assert parse_range(header, SIZE) is NoParts.UNSATISFIABLE


def test_number_of_parts_is_bounded() -> None:
    """As many parts as allowed are sent; one more gets the whole."""
    specs = [f"{2 * n}-{2 * n}" for n in range(MAX_RANGES + 1)]
    assert len(parse_range("bytes=" + ",".join(specs[:-1]), SIZE)) == MAX_RANGES
    assert parse_range("bytes=" + ",".join(specs), SIZE) is NoParts.WHOLE


@pytest.mark.parametrize("header", ["bytes=0-0", "bytes=-1", "bytes=5-"])
def test_empty_file_has_no_ranges(header: str) -> None:
    """Of an empty file the whole is sent, whatever is asked for."""
    assert parse_range(header, 0) is NoParts.WHOLE


@pytest.mark.parametrize(
    "header",
    ["bytes=" + "0-0," * 20_000, "bytes=" + "9" * 60_000 + "-", "bytes=" + "," * 60_000, "b" * 60_000],
)
def test_hostile_headers_cost_little(header: str) -> None:
    """A header of 60 kB is dealt with at once: processor time stays in milliseconds."""
    begun = time.process_time()
    parse_range(header, SIZE)
    assert time.process_time() - begun < 1.0


@given(st.text("bytes=0123456789-, \t", max_size=60) | st.text(max_size=30), st.integers(0, 50))
def test_parts_are_within_and_apart(header: str, size: int) -> None:
    """Whatever is asked for, parts are non-empty, lie within the file, and never share a byte."""
    for text in (header, f"bytes={header}"):
        parts = parse_range(text, size)
        if isinstance(parts, tuple):
            positions = [position for part in parts for position in range(part.start, part.end)]
            assert len(positions) == len(set(positions)) <= size
            assert 0 < len(parts) <= MAX_RANGES
            assert all(part.length > 0 for part in parts)
            assert set(positions) <= set(range(size))


def test_whole_file() -> None:
    """Without a range everything is sent, with its validators and the offer of ranges."""
    plan = planned(None)
    assert (plan.status, plan.length, sent(plan)) == (200, SIZE, DATA)
    assert dict(plan.headers) == {
        "Accept-Ranges": "bytes",
        "ETag": '"v1"',
        "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    }


def test_head_has_the_length_but_no_body() -> None:
    """A HEAD is answered as a GET of the whole, without its body; it has no ranges."""
    plan = planned("bytes=0-1", "HEAD")
    assert plan == evolve(planned(None), pieces=())
    assert plan.length == SIZE


def test_single_part() -> None:
    """One range is answered with 206, its place, and exactly its bytes."""
    plan = planned("bytes=10-19")
    assert (plan.status, plan.length, plan.content_type) == (206, 10, "application/octet-stream")
    assert dict(plan.headers)["Content-Range"] == "bytes 10-19/1000"
    assert sent(plan) == DATA[10:20]


def test_unsatisfiable_is_416_with_the_size() -> None:
    """A range beyond the end is answered with 416, the size, and a sentence."""
    plan = planned("bytes=1000-")
    assert (plan.status, dict(plan.headers)["Content-Range"]) == (416, "bytes */1000")
    assert b"1000 bytes" in sent(plan)
    assert plan.length == len(sent(plan))
    assert "ETag" not in dict(plan.headers)


def test_conditions_go_before_ranges() -> None:
    """304 and 412 are decided before any range is looked at, and 304 has no body."""
    plan = planned("bytes=0-1", if_none_match='"v1"')
    assert (plan.status, plan.length, plan.pieces) == (304, 0, ())
    assert dict(plan.headers)["ETag"] == '"v1"'
    plan = planned("bytes=5000-", if_match='"v0"')
    assert plan.status == 412
    assert planned(None, if_modified_since=http_date(CONTENT.modified)).status == 304


@pytest.mark.parametrize(
    ("if_range", "status"),
    [('"v1"', 206), ('W/"v1"', 200), ('"v0"', 200), (http_date(784111777), 206), (http_date(784111778), 200)],
)
def test_if_range(if_range: str, status: int) -> None:
    """A part of something else than the client knows is not sent: it gets the whole."""
    assert planned("bytes=0-1", if_range=if_range).status == status


def test_range_of_something_else_is_not_unsatisfiable() -> None:
    """With an ``If-Range`` that does not hold, even an impossible range gets the whole."""
    assert planned("bytes=5000-", if_range='"v0"').status == 200


@given(st.lists(st.integers(1, 60), min_size=4, max_size=20), st.randoms())
def test_multipart_holds_the_parts_asked_for(gaps: list[int], random: object) -> None:
    """A reader of MIME finds each part with its place and bytes, in the order asked for; lengths agree."""
    edges = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    asked = [(edges[n], edges[n + 1] - 1) for n in range(0, len(edges) - 1, 2)]
    random.shuffle(asked)  # type: ignore[attr-defined]
    data = bytes(n % 256 for n in range(edges[-1] + 1))
    content = evolve(CONTENT, size=len(data))
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in asked)
    plan = plan_download("GET", Conditions(), header, content, boundary=BOUNDARY)
    assert plan.status == 206
    assert plan.length == len(sent(plan, data))
    assert plan.content_type == f"multipart/byteranges; boundary={BOUNDARY}"
    message = f"Content-Type: {plan.content_type}\r\n\r\n".encode() + sent(plan, data)
    parts = list(message_from_bytes(message, policy=policy.HTTP).iter_parts())
    assert [part["Content-Range"] for part in parts] == [
        f"bytes {first}-{last}/{len(data)}" for first, last in asked
    ]
    raw = sent(plan, data)
    for first, last in asked:
        assert b"\r\n\r\n" + data[first : last + 1] + b"\r\n--" in raw


def test_multipart_framing_byte_for_byte() -> None:
    """The framing is that of RFC 2046 §5.1: no preamble, CRLF before each further delimiter."""
    content = evolve(CONTENT, size=10)
    plan = plan_download("GET", Conditions(), "bytes=0-1,-2", content, boundary="B")
    head = "Content-Type: application/octet-stream\r\nContent-Range: bytes "
    assert sent(plan, b"0123456789") == (
        f"--B\r\n{head}0-1/10\r\n\r\n01\r\n--B\r\n{head}8-9/10\r\n\r\n89\r\n--B--\r\n".encode()
    )


async def test_body_reads_the_pieces_of_the_plan() -> None:
    """The body is the plan's bytes and, between them, what reading each range yields."""
    closed = []

    async def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        try:
            for position in range(start, start + length, 3):
                yield DATA[position : min(position + 3, start + length)]
        finally:
            closed.append(start)

    plan = planned("bytes=0-9,20-29,40-49")
    assert b"".join([data async for data in body(plan, read)]) == sent(plan)
    assert closed == [0, 20, 40]


async def test_closing_the_body_closes_the_reading() -> None:
    """A client that leaves in the middle ends the reading, too."""
    closed = []

    async def read(start: int, length: int) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(start)

    reading = body(planned(None), read)
    assert await anext(reading) == b"x"
    await reading.aclose()
    assert closed == [0]
