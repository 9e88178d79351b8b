"""Long lists in buckets: they read as if they were written whole, and a change makes little anew."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caching import buckets as module
from caching.blocks import PIECE, Block, Whole
from caching.buckets import Bucket, Fields, Format, begins_bucket, changed, gathered, written

TEXT = Format(
    name="text",
    head=lambda serial: b"as of %d:" % serial,
    lines=lambda lines: ",".join(f"{key}={value}" for key, value in lines).encode(),
    between=b",",
    foot=b".",
)

KEYS = st.text("abc", min_size=1, max_size=4)


def lines_of(values: Mapping[str, int]) -> list[str]:
    return [f"{key}\t{value}" for key, value in sorted(values.items())]


def as_text(values: Mapping[str, int], serial: int) -> bytes:
    listed = ",".join(f"{key}={value}" for key, value in sorted(values.items()))
    return f"as of {serial}:{listed}.".encode()


def many(number: int) -> dict[str, int]:
    return {f"project-{n}": n for n in range(number)}


@pytest.fixture
def short_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEAN", 4)
    monkeypatch.setattr(module, "MOST", 8)


@given(st.dictionaries(KEYS, st.integers(0, 9)), st.integers(0, 9))
def test_it_reads_as_written(values: dict[str, int], serial: int) -> None:
    """In both codings the list is what it would be if it were written in one piece."""
    whole = written(gathered(lines_of(values)), TEXT, serial)
    plain, packed = b"".join(whole.plain()), b"".join(whole.packed())
    assert plain == as_text(values, serial)
    assert gzip.decompress(packed) == plain
    assert (whole.length, whole.packed_length) == (len(plain), len(packed))


def test_one_member() -> None:
    """A list of many buckets is a single gzip member, as browsers and old clients need it."""
    values = many(20_000)
    whole = written(gathered(lines_of(values)), TEXT, 3)
    assert len(whole.blocks) > 10
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(b"".join(whole.packed())) == as_text(values, 3)
    assert reader.eof
    assert reader.unused_data == b""


@pytest.mark.usefixtures("short_buckets")
def test_changes_lead_to_the_same() -> None:
    """However a list came about, it is cut, and so validated, as if it had been made at once.

    Unless there were too many lines for a bucket in between.
    """

    @given(
        st.dictionaries(KEYS, st.integers(0, 9)),
        st.lists(st.dictionaries(KEYS, st.none() | st.integers(0, 9), max_size=6), max_size=4),
    )
    def holds(values: dict[str, int], rounds: list[dict[str, int | None]]) -> None:
        buckets = gathered(lines_of(values))
        now = dict(values)
        for edits in rounds:
            changes = {key: None if value is None else f"{key}\t{value}" for key, value in edits.items()}
            buckets = changed(buckets, changes)
            now.update({key: value for key, value in edits.items() if value is not None})
            for key in [key for key, value in edits.items() if value is None]:
                now.pop(key, None)
        whole, anew = written(buckets, TEXT, 1), written(gathered(lines_of(now)), TEXT, 1)
        assert b"".join(whole.plain()) == as_text(now, 1)
        fresh = gathered(lines_of(now))
        if all(begins_bucket(bucket.first) for bucket in (*buckets[1:], *fresh[1:])):
            assert [bucket.first for bucket in buckets] == [bucket.first for bucket in fresh]
            assert (whole.etag, whole.packed_etag) == (anew.etag, anew.packed_etag)

    holds()


def test_a_change_makes_one_bucket_anew() -> None:
    """What a change does not concern stays the same object, and is not written again."""
    written_keys: list[str] = []

    def lines(given: Sequence[Fields]) -> bytes:
        written_keys.extend(key for key, _ in given)
        return b"".join(f"{key};".encode() for key, _ in given)

    counting = Format(name="counting", head=lambda _: b"", lines=lines)
    before = gathered(lines_of(many(20_000)))
    written(before, counting, 1)
    assert len(written_keys) == 20_000
    written_keys.clear()
    after = changed(before, {"project-777": "project-777\t0"})
    assert sum(old is not new for old, new in zip(before, after, strict=True)) == 1
    written(after, counting, 2)
    assert "project-777" in written_keys
    assert len(written_keys) == next(one.count for one in after if one not in before) < 20_000


def test_no_bucket_is_too_long() -> None:
    """Keys that were chosen so that no bucket ever begins are cut all the same."""
    keys = [key for key in (f"k{number:06}" for number in range(20_000)) if not begins_bucket(key)]
    buckets = gathered(f"{key}\t1" for key in keys)
    assert max(bucket.count for bucket in buckets) <= module.MOST
    assert sum(bucket.count for bucket in buckets) == len(keys)
    grown = changed(buckets, {f"k000000-{number}": f"k000000-{number}\t1" for number in range(10)})
    assert max(bucket.count for bucket in grown) <= module.MOST


def test_from_nothing_to_nothing() -> None:
    """A list may become empty, and be filled again."""
    buckets = changed((), {"b": "b\t1", "a": "a\t2", "c": None})
    assert b"".join(written(buckets, TEXT, 1).plain()) == b"as of 1:a=2,b=1."
    empty = changed(buckets, {"a": None, "b": None, "nobody": None})
    assert empty == ()
    assert b"".join(written(empty, TEXT, 2).plain()) == b"as of 2:."


def test_a_bucket_that_moves_to_the_front() -> None:
    """What was in the middle and is now the first has nothing to be separated from."""
    values = many(20_000)
    buckets = gathered(lines_of(values))
    written(buckets, TEXT, 1)
    gone = {line.partition("\t")[0]: None for line in buckets[0].lines}
    rest = {key: value for key, value in values.items() if key not in gone}
    assert b"".join(written(changed(buckets, gone), TEXT, 1).plain()) == as_text(rest, 1)


def test_validators() -> None:
    """Equal lists have equal validators, others different ones, and each coding has its own."""
    one, same = (written(gathered(lines_of(many(3000))), TEXT, 1) for _ in range(2))
    other = written(gathered(lines_of({**many(3000), "project-5": 6})), TEXT, 1)
    assert (one.etag, one.packed_etag) == (same.etag, same.packed_etag)
    assert b"".join(one.packed()) == b"".join(same.packed())
    assert len({one.etag, one.packed_etag, other.etag, other.packed_etag}) == 4
    assert one.packed_etag.endswith('-gz"')


def test_pieces_of_some_size() -> None:
    """Small blocks go out together, and no piece is much larger than it has to be."""
    blocks = [Block.of(bytes([number % 256]) * 9000) for number in range(100)]
    pieces = list(Whole.of(blocks).plain())
    assert len(pieces) == 15
    assert all(len(piece) <= PIECE for piece in pieces)
    large = Block.of(bytes(3 * PIECE))
    assert [len(piece) for piece in Whole.of([large, *blocks[:2], large]).plain()] == [
        3 * PIECE,
        18_000,
        3 * PIECE,
    ]


def test_what_a_bucket_keeps() -> None:
    """A bucket knows its bounds, and gives its lines back."""
    lines = lines_of(many(100))
    bucket = Bucket.of(lines)
    assert (bucket.first, bucket.last, bucket.count) == ("project-0", "project-99", 100)
    assert bucket.lines == lines
