"""Kept answers: the lines and bytes that are sent."""

from __future__ import annotations

import gzip

import pytest

from caching.kept import MOST_HEADS, Heads, fields, lines, unpack
from caching.store import Headers
from tests.caching.support import STANDING, a_kept, an_entry

SHARED = (
    b"X-Content-Type-Options: nosniff\r\nCache-Control: max-age=0, public, must-revalidate\r\n"
    b"Vary: Accept, Accept-Encoding\r\n"
)


def test_a_compressed_answer() -> None:
    """What clients that take gzip get has a validator and a length of its own."""
    body = gzip.compress(b"page")
    kept = a_kept(entry=an_entry(body, packed=True, headers=(("x-serial", "7"),)))
    assert kept.packed.own == b'X-Serial: 7\r\nETag: "x-gz"\r\n'
    assert kept.packed.end == b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert (kept.packed.body, kept.packed.etag, kept.plain) == (body, b'"x-gz"', None)


def test_its_form_without_compression() -> None:
    """The form for the others is made of the bytes inside."""
    kept = a_kept(entry=an_entry(gzip.compress(b"page"), packed=True, headers=(("X-Serial", "7"),)))
    form = kept.unpacked(unpack(kept.packed.body))
    assert (form.body, form.etag) == (b"page", b'"x"')
    assert form.own == b'X-Serial: 7\r\nETag: "x"\r\n'
    assert form.end == b"Content-Length: 4\r\n\r\n"


def test_an_answer_not_worth_compressing() -> None:
    """All clients get the same bytes of what does not get smaller."""
    kept = a_kept(entry=an_entry(b"tiny"))
    assert kept.plain is kept.packed
    assert kept.packed.own + kept.packed.end == b'ETag: "x"\r\nContent-Length: 4\r\n\r\n'


def test_an_answer_without_a_validator() -> None:
    """A redirect has no validator, and none is made up, in any form."""
    kept = a_kept(entry=an_entry(b"", code=301, etag=None, headers=(("Location", "/y/"),)))
    assert kept.packed.own == b"Location: /y/\r\n"
    assert kept.packed.etag == b""
    packed = a_kept(entry=an_entry(gzip.compress(b"x"), packed=True, etag=None))
    assert packed.unpacked(b"x").own == b""


def test_shared_lines() -> None:
    """Answers of a kind share their lines; those of a 304 do not speak of a body."""
    heads = Heads()
    one, two = a_kept(heads=heads), a_kept("/y/", heads=heads)
    assert one.shared is two.shared
    assert one.shared == SHARED + b"Content-Type: text/html; charset=utf-8\r\n"
    assert one.shared_304 == SHARED


def test_shared_lines_are_bounded() -> None:
    """However many kinds there are, only so many are remembered."""
    heads = Heads()
    for number in range(MOST_HEADS + 10):
        heads.of((*STANDING, ("X", str(number))))
    assert len(heads._known) == 10


@pytest.mark.parametrize(
    ("headers", "written"),
    [
        ((), b""),
        ((("etag", "x"), ("content-type", "y")), b"ETag: x\r\nContent-Type: y\r\n"),
        ((("Link", "a"), ("X", "1"), ("link", "b")), b"Link: a\r\nLink: b\r\nX: 1\r\n"),
        ((("X", "a\r\nSet-Cookie: b"),), b"X: a Set-Cookie: b\r\n"),
    ],
)
def test_lines(headers: Headers, written: bytes) -> None:
    """Lines are written as Twisted writes them, and no value breaks out of its line."""
    assert lines(headers) == written


def test_lines_are_read_back() -> None:
    """The slow path finds the very headers in them."""
    assert fields(b"A: b: c\r\nD: \r\n\r\n")[:2] == [(b"A", b"b: c"), (b"D", b"")]


def test_a_change_touches_it() -> None:
    """What a change has touched is fresh at no time."""
    kept = a_kept()
    assert (kept.touched, kept.fresh_until) == (False, 100.0)
    kept.touch()
    assert kept.touched
    assert not kept.fresh_until > float("-inf")
    assert not kept.good_until > float("-inf")


def test_what_it_says_of_itself() -> None:
    """A kept answer is recognised in a log."""
    kept = a_kept()
    assert repr(kept) == f"<Kept b'/x/' html at 0, {kept.size} bytes>"
