"""A long sorted list that changes a line at a time, kept in buckets of which a change concerns one.

A line is text: its key, by which lines are sorted, then a tab, then whatever else belongs to it. Lines are
kept compressed, and so is what is made of them for each format; all that a change costs is its own bucket.

Where a bucket begins is decided by the key that begins it, and by nothing else (but for buckets that would
get too long): equal lists are cut alike, whichever changes led to them, in whichever process.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from zlib import crc32

from attrs import define, field, frozen

from caching.blocks import Block, Whole
from caching.compression import deflated, inflated

MEAN = 512
"""Lines of a bucket on average: a power of two."""

MOST = 8 * MEAN
"""Lines of a bucket at most."""

Fields = Sequence[str]
"""A line, cut at its tabs."""


@frozen(eq=False, kw_only=True)
class Format:
    """How a list is written.

    Attributes:
        name: by which blocks of the format are known.
        head: serial → what comes before the first line.
        lines: lines → what is written for them.
        between: what separates one line from the next, if ``lines`` does not end each.
        foot: what comes after the last line.
    """

    name: str
    head: Callable[[int], bytes]
    lines: Callable[[Sequence[Fields]], bytes]
    between: bytes = b""
    foot: bytes = b""


@define(eq=False)
class Bucket:
    """Some consecutive lines.

    Attributes:
        first: key of the first.
        last: key of the last.
        count: of lines.
    """

    first: str
    last: str
    count: int
    _lines: bytes = field(repr=False)
    _blocks: dict[tuple[str, bool], Block] = field(factory=dict, repr=False, init=False)

    @classmethod
    def of(cls, lines: Sequence[str]) -> Bucket:
        """The bucket of these lines, of which there is at least one."""
        return cls(key_of(lines[0]), key_of(lines[-1]), len(lines), deflated("\n".join(lines).encode()))

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return inflated(self._lines).decode().split("\n")

    def is_written(self, form: Format, *, leading: bool) -> bool:
        """Whether ``block`` takes no time."""
        return (form.name, leading) in self._blocks

    def block(self, form: Format, *, leading: bool) -> Block:
        """Its lines in a format; made when it is asked for the first time.

        Args:
            leading: whether it is the first of the list, with nothing to be separated from.
        """
        key = form.name, leading
        if key not in self._blocks:
            written = form.lines([line.split("\t") for line in self.lines])
            self._blocks[key] = Block.of(written if leading else form.between + written)
        return self._blocks[key]


@define(eq=False)
class Gatherer:
    """Makes buckets of lines that come in order, some at a time."""

    buckets: list[Bucket] = field(factory=list, init=False)
    _waiting: list[str] = field(factory=list, init=False, repr=False)

    def add(self, lines: Iterable[str]) -> None:
        """Take further lines; their keys are greater than those before."""
        waiting = self._waiting
        for line in lines:
            if waiting and (begins_bucket(key_of(line)) or len(waiting) >= MOST):
                self.buckets.append(Bucket.of(waiting))
                waiting = self._waiting = []
            waiting.append(line)

    def done(self) -> tuple[Bucket, ...]:
        """All buckets; there was the last line."""
        if self._waiting:
            self.buckets.append(Bucket.of(self._waiting))
            self._waiting = []
        return tuple(self.buckets)


def key_of(line: str) -> str:
    """The key of a line."""
    return line.partition("\t")[0]


def begins_bucket(key: str) -> bool:
    """Whether this key stands at the beginning of a bucket wherever it appears."""
    return crc32(key.encode()) % MEAN == 0


def gathered(lines: Iterable[str]) -> tuple[Bucket, ...]:
    """The buckets of sorted lines."""
    gatherer = Gatherer()
    gatherer.add(lines)
    return gatherer.done()


def changed(buckets: Sequence[Bucket], changes: Mapping[str, str | None]) -> tuple[Bucket, ...]:
    """The list after changes; buckets they do not concern are the same objects.

    Args:
        changes: key → its line, or ``None`` if it has none any more.
    """
    if not buckets:
        return gathered(line for _, line in sorted(changes.items()) if line is not None)
    by_bucket: dict[int, dict[str, str | None]] = {}
    firsts = [bucket.first for bucket in buckets]
    for key, line in changes.items():
        by_bucket.setdefault(max(0, bisect_right(firsts, key) - 1), {})[key] = line
    made: list[Bucket] = []
    for group in _grouped(buckets, by_bucket):
        edits = {key: line for number in group for key, line in by_bucket.get(number, {}).items()}
        made += _edited([buckets[number] for number in group], edits)
    return tuple(made)


def _grouped(
    buckets: Sequence[Bucket], by_bucket: Mapping[int, Mapping[str, str | None]]
) -> Iterator[list[int]]:
    """Numbers of buckets that are cut anew together: one that loses its first line joins the one before."""
    group: list[int] = []
    for number, bucket in enumerate(buckets):
        loses_first = by_bucket.get(number, {}).get(bucket.first, "") is None
        if group and not loses_first:
            yield group
            group = []
        group.append(number)
    yield group


def _edited(group: Sequence[Bucket], edits: Mapping[str, str | None]) -> Sequence[Bucket]:
    if not edits:
        return group
    lines: dict[str, str | None] = {key_of(line): line for bucket in group for line in bucket.lines}
    lines.update(edits)
    return gathered(line for _, line in sorted(lines.items()) if line is not None)


def written(
    buckets: Sequence[Bucket],
    form: Format,
    serial: int,
    *,
    before: Whole | None = None,
    pause: Callable[[], object] = lambda: None,
) -> Whole:
    """The whole list in a format; makes the blocks that are missing, and puts all together.

    Args:
        before: the list in the same format, not long ago.
        pause: called after each block that is made, so that a thread can let others go on.
    """
    blocks = [Block.of(form.head(serial))]
    for bucket in buckets:
        leading = bucket is buckets[0]
        is_new = not bucket.is_written(form, leading=leading)
        blocks.append(bucket.block(form, leading=leading))
        if is_new:
            pause()
    return Whole.of((*blocks, Block.of(form.foot)), before)
