"""The multipart parser reads what clients send, in either line ending, and nothing beyond its bounds."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from pypi.http.multipart import (
    Data,
    Event,
    FormEnd,
    MalformedForm,
    MultipartParser,
    Part,
    PartEnd,
    boundary_of,
    parse_parameters,
)

Row = tuple[str, str | None, bytes]
BOUNDARY = b"--------------GHSKFJDLGDS7543FJKLFHRE75642756743254"
DISPOSITION = b'Content-Disposition: form-data; name="a"'


def distutils_body(rows: list[Row], newline: bytes) -> bytes:
    """The body as ``setup.py upload`` writes it: with LF up to Python 2.7.6, with CR LF from 2.7.7 on."""
    separator = newline + b"--" + BOUNDARY
    body = b""
    for name, filename, value in rows:
        body += separator + newline + b'Content-Disposition: form-data; name="%s"' % name.encode()
        body += b"" if filename is None else b';filename="%s"' % filename.encode()
        body += newline * 2 + value
        body += b"\n" if value.endswith(b"\r") else b""
    return body + separator + b"--" + newline


def read(body: bytes, *cuts: int, boundary: bytes = BOUNDARY, **bounds: int) -> list[Row]:
    """Parse a body cut at these places; the parts as rows."""
    parser = MultipartParser(boundary, **bounds)
    events: list[Event] = []
    edges = [0, *sorted(cuts), len(body)]
    for start, end in pairwise(edges):
        events += parser.feed(body[start:end])
    events += parser.finish()
    return rows_of(events)


def rows_of(events: list[Event]) -> list[Row]:
    """Events as rows; fails on any order of events that means nothing."""
    rows: list[Row] = []
    part: Part | None = None
    pieces: list[bytes] = []
    assert events[-1] == FormEnd()
    for event in events[:-1]:
        if isinstance(event, Part):
            assert part is None
            part, pieces = event, []
        elif isinstance(event, Data):
            assert part is not None
            assert event.data
            pieces.append(event.data)
        else:
            assert event == PartEnd()
            assert part is not None
            rows.append((part.name, part.filename, b"".join(pieces)))
            part = None
    assert part is None
    return rows


def single(header: bytes, *, newline: bytes = b"\r\n") -> Part:
    """The one part with this header block."""
    parser = MultipartParser(b"b")
    (event,) = parser.feed(b"--b" + newline + header + newline * 2)
    assert isinstance(event, Part)
    return event


names = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters=":_."), min_size=1)
# Pieces of which delimiters are made, so that near misses are common.
contents = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"--", b"-", BOUNDARY[:20], b"x", b"\r\n--", b"\n--" + BOUNDARY[:-1]]
    )
    | st.binary(max_size=20),
    max_size=8,
).map(b"".join)
rows = st.lists(st.tuples(names, st.none() | names, contents), max_size=5)


@given(rows=rows, data=st.data())
@settings(max_examples=200, deadline=None)
def test_reads_both_line_endings_however_cut(rows: list[Row], data: st.DataObject) -> None:
    """A body reads back as it was written, in CR LF or LF, cut anywhere."""
    newline = data.draw(st.sampled_from([b"\r\n", b"\n"]))
    # Distutils adds a line feed behind a final CR: that is what arrives.
    arriving = [(n, f, v + b"\n" if v.endswith(b"\r") else v) for n, f, v in rows]
    body = distutils_body(rows, newline)
    cuts = data.draw(st.sets(st.integers(0, len(body)), max_size=20))
    assert read(body, *cuts) == arriving


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_byte_by_byte(newline: bytes) -> None:
    """Cutting between all bytes changes nothing."""
    sent: list[Row] = [(":action", None, b"file_upload"), ("content", "a-1.tar.gz", bytes(range(256)) * 4)]
    body = distutils_body(sent, newline)
    assert read(body, *range(1, len(body))) == sent


def test_urllib3_body() -> None:
    """What urllib3's encoder writes reads back, also names and filenames beyond ASCII."""
    sent: list[Row] = [
        ("description", None, "Käse\r\n\r\n--x".encode()),
        ("content", 'f "quoted" ü.whl', random.Random(1).randbytes(100000)),
        ("naïve", None, b""),
    ]
    fields = []
    for name, filename, value in sent:
        field = RequestField(name, value, filename=filename)
        field.make_multipart()
        fields.append(field)
    body, content_type = encode_multipart_formdata(fields)
    assert read(body, 7, 77, 777, boundary=boundary_of(content_type)) == sent


def test_form_without_fields() -> None:
    """A form may be empty, with or without a final line end."""
    assert read(b"--b--\r\n", boundary=b"b") == []
    assert read(b"--b--", boundary=b"b") == []
    assert read(b"\r\n--b--\r\nepilogue", 3, boundary=b"b") == []


def test_preamble_is_skipped() -> None:
    """Lines before the first boundary mean nothing."""
    body = b"This is a multi-part message.\r\n\nYes.\r\n--b\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--b--"
    assert read(body, 5, 10, boundary=b"b") == [("a", None, b"x")]


def test_line_ending_is_decided_once() -> None:
    """In a CR LF body a bare LF before a boundary is data; in an LF body a CR before it is."""
    body = b"--b\r\n" + DISPOSITION + b"\r\n\r\nx\n--b\n--b--\r\n--b--\r\n"
    assert read(body, boundary=b"b") == [("a", None, b"x\n--b\n--b--")]
    body = b"--b\n" + DISPOSITION + b"\n\nx\r\n--b--\n"
    assert read(body, boundary=b"b") == [("a", None, b"x\r")]


@pytest.mark.parametrize(
    ("detail", "body"),
    [
        ("ends before", b""),
        ("ends before", b"--b\r\n" + DISPOSITION + b"\r\n\r\nx"),
        ("ends before", b"--b\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--b"),
        ("ends before", b"--b\r\n" + DISPOSITION),
        ("goes on with", b"--bb\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--bb--"),
        ("goes on with", b"--b \r\n" + DISPOSITION + b"\r\n\r\nx\r\n--b--"),
        ("goes on with", b"--b\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--bb--"),
        ("goes on with", b"--b\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--b\n"),
        ("goes on with", b"--b\n" + DISPOSITION + b"\n\nx\n--b\r\n"),
        ("goes on with", b"--b\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--b-x"),
        ("mixed", b"--b\r\n" + DISPOSITION + b"\n\r\nx\r\n--b--"),
        ("mixed", b"--b\n" + DISPOSITION + b"\r\n\nx\n--b--"),
        ("no Content-Disposition", b"--b\r\n\r\nx\r\n--b--"),
        ("no Content-Disposition", b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--"),
        ("twice", b"--b\r\n" + DISPOSITION + b"\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--b--"),
        ("twice", b"--b\r\n" + DISPOSITION + b'; name="b"\r\n\r\nx\r\n--b--'),
        ("not form-data", b'--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--b--'),
        ("not form-data", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"),
        ("parameter", b'--b\r\nContent-Disposition: form-data; name="a\r\n\r\nx\r\n--b--'),
        ("parameter", b'--b\r\nContent-Disposition: form-data; name="a"b\r\n\r\nx\r\n--b--'),
        ("without a name", b"--b\r\nnonsense\r\n\r\nx\r\n--b--"),
        ("without a name", b"--b\r\n" + DISPOSITION + b";\r\n x\r\n\r\nx\r\n--b--"),
        ("control", b"--b\r\n" + DISPOSITION + b"\x00\r\n\r\nx\r\n--b--"),
        ("not UTF-8", b'--b\r\nContent-Disposition: form-data; name="\xe4"\r\n\r\nx\r\n--b--'),
        ("not in UTF-8", b"--b\r\nContent-Disposition: form-data; name*=utf-8''%e4\r\n\r\nx\r\n--b--"),
        ("not in UTF-8", b"--b\r\nContent-Disposition: form-data; name*=latin-1''%e4\r\n\r\nx\r\n--b--"),
        (
            "Transfer-Encoding",
            b"--b\r\n" + DISPOSITION + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n--b--",
        ),
        ("header of a field is too long", b"--b\r\nX: " + b"a" * 9000 + b"\r\n\r\n--b--"),
        ("header of a field is too long", b"--b\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(2000))),
        (
            "header of a field is too long",
            b'--b\r\nContent-Disposition: form-data; name="' + b"a" * (1 << 20),
        ),
        ("before its first", b"x" * 2000 + b"\r\n--b--"),
        ("before its first", b"x\r\n" * 10000 + b"\r\n--b--"),
        ("after its last", b"--b--\r\n" + b"x" * 2000),
        ("too many", (b"--b\r\n" + DISPOSITION + b"\r\n\r\nx\r\n") * 1001 + b"--b--"),
    ],
)
def test_malformed_bodies(detail: str, body: bytes) -> None:
    """What breaks the grammar or a bound is refused, whole or byte by byte, with a sentence why."""
    for cuts in ((), range(1, min(len(body), 40000))):
        with pytest.raises(MalformedForm, match=detail):
            read(body, *cuts, boundary=b"b")


@given(body=st.binary(max_size=400), cuts=st.sets(st.integers(0, 400), max_size=8), spot=st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_mutations_never_depend_on_the_cuts(body: bytes, cuts: set[int], spot: int) -> None:
    """Bytes mixed into a valid form lead to the same rows or the same refusal, however they are cut."""
    valid = distutils_body([("a", None, b"b"), ("content", "f", b"c" * 50)], b"\r\n")
    mixed = valid[:spot] + body + valid[spot + 3 :]
    assert outcome(mixed) == outcome(mixed, *(cut for cut in cuts if cut < len(mixed)))


def outcome(body: bytes, *cuts: int) -> object:
    """Rows, or the sentence of the refusal."""
    try:
        return read(body, *cuts)
    except MalformedForm as refusal:
        return str(refusal)


def test_memory_is_bounded() -> None:
    """Between feeds nothing is kept but what could be the beginning of a delimiter."""
    parser = MultipartParser(b"b")
    parser.feed(b"--b\r\n" + DISPOSITION + b"\r\n\r\n")
    passed = 0
    for _ in range(100):
        for event in parser.feed(b"\r\n--" * 16384):
            assert isinstance(event, Data)
            passed += len(event.data)
        assert len(parser._buffer) - parser._at < len(b"\r\n--b")
    assert passed > 100 * 65536 - 10


@pytest.mark.parametrize(
    ("disposition", "name", "filename"),
    [
        (b'form-data; name="a"; filename="b.whl"', "a", "b.whl"),
        (b'form-data; name="a";filename="b.whl"', "a", "b.whl"),
        (b"form-data; name=a; filename=b.whl", "a", "b.whl"),
        (b'Form-Data ; NAME="a" ; Filename="b.whl" ;', "a", "b.whl"),
        (b'form-data; name="a"; filename=""', "a", ""),
        (b'form-data; name="a;b"; filename="c;d"', "a;b", "c;d"),
        (b'form-data; name="a\\"b\\\\c"', 'a"b\\c', None),
        (b'form-data; name="a%22b%0D%0a%41"', 'a"b\r\n%41', None),
        (b'form-data; name="a"; filename="C:\\dir\\b.whl"', "a", "C:\\dir\\b.whl"),
        ('form-data; name="é"; filename="ü"'.encode(), "é", "ü"),
        (b"form-data; name=\"a\"; filename*=utf-8''%C3%BC.whl", "a", "ü.whl"),
        (b'form-data; name="a"; filename*=UTF-8\'de\'%C3%BC; filename="u"', "a", "ü"),
        (b"form-data; name*=utf-8''%C3%A9", "é", None),
    ],
)
def test_names(disposition: bytes, name: str, filename: str | None) -> None:
    """Names and filenames are read in every spelling that clients use."""
    part = single(b"Content-Disposition: " + disposition)
    assert (part.name, part.filename) == (name, filename)


def test_content_type_of_a_part() -> None:
    """The content type is told without its parameters; other headers are there for who wants them."""
    part = single(DISPOSITION + b"\r\nContent-Type: Text/Plain; charset=utf-8\r\nX-A: b")
    assert part.content_type == "text/plain"
    assert part.headers["x-a"] == "b"


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; charset=utf-8; boundary="a b"', b"a b"),
        ("multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxk", b"----WebKitFormBoundary7MA4YWxk"),
        ("multipart/form-data; boundary=a=b/c:d?", b"a=b/c:d?"),
        ("multipart/form-data; boundary=" + "a" * 70, b"a" * 70),
    ],
)
def test_boundaries(content_type: str, boundary: bytes) -> None:
    """Every boundary RFC 2046 allows is read, quoted or not."""
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="a "',
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/form-data; boundary=a{b}",
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=a; boundary=b",
        'multipart/form-data; boundary="a',
        "",
    ],
)
def test_bad_boundaries(content_type: str) -> None:
    """No boundary, or one that is too long or of other characters, is refused."""
    with pytest.raises(MalformedForm):
        boundary_of(content_type)


@given(st.text(max_size=50))
def test_parameters_never_fail_otherwise(value: str) -> None:
    """Any text is either read or refused."""
    with suppress(MalformedForm):
        _, parameters = parse_parameters(value)
        assert all(name == name.lower() for name in parameters)
