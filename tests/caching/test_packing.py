"""Entries as bytes: what goes in comes out, and whatever else stands there is no entry."""

from __future__ import annotations

import json
import pickle
import re
from hashlib import blake2b

import pytest
from attrs import asdict, evolve
from hypothesis import given
from hypothesis import strategies as st

from caching.packing import pack, plain, serial_of, unpack
from caching.store import Entry

HEADERS = st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=4).map(tuple)
SECONDS = st.floats(min_value=0, allow_infinity=False, allow_nan=False)

ENTRIES = st.builds(
    Entry,
    code=st.integers(100, 599),
    standing=HEADERS,
    headers=HEADERS,
    body=st.binary(max_size=200),
    packed=st.booleans(),
    etag=st.none() | st.text(max_size=30),
    tags=st.lists(st.text(max_size=30), max_size=5).map(tuple),
    serial=st.integers(0, 2**53 - 1),
    made=SECONDS,
    cost=SECONDS,
)

PAGE = Entry(
    code=200,
    standing=(("Content-Type", "text/html"),),
    headers=(("X-PyPI-Last-Serial", "7"),),
    body=b"<html>",
    packed=False,
    etag='"abc"',
    tags=("project/cheese", "journal"),
    serial=7,
    made=1.5,
    cost=0.25,
)


def signed(key: str, packed: bytes) -> bytes:
    """With the right checksum, whatever it is."""
    return packed + blake2b(key.encode() + b"\0" + packed, digest_size=8).digest()


def with_head(head: bytes) -> bytes:
    """A body under a head of the test's own, with a right checksum."""
    return signed("key", b"%016d%06d" % (7, 2) + b"[]" + len(head).to_bytes(4, "big") + head + b"body")


@given(st.text(max_size=50), ENTRIES)
def test_what_goes_in_comes_out(key: str, entry: Entry) -> None:
    """Every entry can be read back as it was, and only under its own key."""
    stored = pack(key, entry)
    found = unpack(key, stored)
    assert found is not None
    assert asdict(found) == asdict(entry)
    assert int(serial_of(stored)) == entry.serial
    assert unpack(key + "x", stored) is None


@given(st.binary(max_size=300))
def test_any_bytes(garbage: bytes) -> None:
    """Bytes that nobody packed are no entry, and raise nothing."""
    assert unpack("key", garbage) is None


@given(st.data())
def test_one_wrong_byte(data: st.DataObject) -> None:
    """An entry that was cut, or of which one bit is wrong, is none."""
    stored = pack("key", PAGE)
    at = data.draw(st.integers(0, len(stored) - 1))
    flipped = stored[:at] + bytes([stored[at] ^ 1 << data.draw(st.integers(0, 7))]) + stored[at + 1 :]
    assert unpack("key", flipped) is None
    assert unpack("key", stored[:at]) is None
    assert unpack("key", stored + stored[at:]) is None


@pytest.mark.parametrize("found", [None, 0, 1, "text", [], [b"x"], {}])
def test_not_even_bytes(found: object) -> None:
    """Replies that are no bytes are no entries."""
    assert unpack("key", found) is None
    assert serial_of(found) == b""


GOOD = [200, [["A", "b"]], [], False, None, ["tag"], 1.0, 2]


def test_a_head_of_ones_own() -> None:
    """The heads below differ from one that is read."""
    found = unpack("key", with_head(json.dumps(GOOD).encode()))
    assert found is not None
    assert (found.standing, found.body, found.cost) == ((("A", "b"),), b"body", 2.0)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        pickle.dumps(GOOD),
        *(
            json.dumps([*GOOD[:at], wrong, *GOOD[at + 1 :]]).encode()
            for at, wrong in (
                (0, "200"),
                (0, True),
                (1, [["A"]]),
                (1, [["A", 1]]),
                (1, 5),
                (2, None),
                (3, 1),
                (4, 7),
                (5, [1]),
                (5, None),
                (6, "now"),
                (6, float("nan")),
                (7, float("inf")),
                (7, True),
            )
        ),
        json.dumps([*GOOD, 1]).encode(),
    ],
)
def test_a_wrong_head_with_a_right_checksum(head: bytes) -> None:
    """What somebody else wrote is held against the shape of an entry, in every field."""
    assert unpack("key", with_head(head)) is None


def test_a_head_longer_than_all() -> None:
    """A length that points beyond the end is no reason to read on."""
    assert unpack("key", signed("key", b"%016d%06d" % (7, 0) + b"\xff\xff\xff\xff" + b"{}")) is None
    assert unpack("key", signed("key", b"not a serial----000000" + b"\0\0\0\x02" + b"[]")) is None


@pytest.mark.parametrize("serial", [-1, 2**53])
def test_serials_beyond_scripts(serial: int) -> None:
    """A serial that the store's scripts could not read is refused when it is packed."""
    with pytest.raises(ValueError):
        pack("key", evolve(PAGE, serial=serial))


@given(st.text(max_size=300))
def test_plain_names(name: str) -> None:
    """Whatever a tag or an address is called, its key is short and plain, and its own."""
    assert re.fullmatch(r"#?[a-z0-9:/._-]{1,200}", plain(name))
    assert plain(name) == plain(name) != plain(name + "x")


def test_names_that_stay() -> None:
    """What is plain already stays readable; nothing else can be taken for it."""
    assert plain("project/cheese-slicer") == "project/cheese-slicer"
    assert plain("Größe").startswith("#")
    assert plain(plain("Größe")) != plain("Größe")
