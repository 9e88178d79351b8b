"""What was recorded: access logs as files, plain or compressed, read line by line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from attrs import define, field

from pypi.shadow.lines import LONGEST_LINE, Malformed, Recorded, parse

GZIP = b"\x1f\x8b"
EXAMPLES = 5
"""Malformed lines that are remembered."""


class Unreadable(Exception):
    """A log that cannot be read, or not to its end."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}."


@define(eq=False)
class Logs:
    """Some logs, read one after another; may be read again.

    Attributes:
        paths: in the order of time.
        lines: read so far, without comments.
        malformed: of those, lines that no format explains.
        examples: the first of them, as ``file:line: why``.
    """

    paths: Sequence[Path]
    lines: int = field(default=0, init=False)
    malformed: int = field(default=0, init=False)
    examples: list[str] = field(factory=list, init=False)
    _before: int = field(default=0, init=False)
    _raw: IO[bytes] | None = field(default=None, init=False)

    @property
    def size(self) -> int:
        """Bytes of all files as they lie on the disk; what progress is measured by.

        Raises:
            Unreadable: one is not there.
        """
        return sum(_size(path) for path in self.paths)

    @property
    def position(self) -> int:
        """Of ``size``, the bytes that have been read."""
        return self._before + (self._raw.tell() if self._raw is not None and not self._raw.closed else 0)

    def __iter__(self) -> Iterator[Recorded]:
        """Every request that the logs tell of; malformed lines are counted and passed over.

        Raises:
            Unreadable: a file is not there, or is compressed and broken.
        """
        self.lines = self.malformed = self._before = 0
        self.examples.clear()
        for path in self.paths:
            yield from self._read(path)
            self._before += _size(path)

    def _read(self, path: Path) -> Iterator[Recorded]:
        try:
            with path.open("rb") as raw, _plain(raw) as lines:
                self._raw = raw
                for place, line in enumerate(_bounded(lines), 1):
                    recorded = self._parsed(line, path, place)
                    if recorded is not None:
                        yield recorded
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(path, getattr(error, "strerror", None) or str(error)) from None
        finally:
            self._raw = None

    def _parsed(self, line: bytes, path: Path, place: int) -> Recorded | None:
        try:
            recorded = parse(line, self.lines + 1)
        except Malformed as why:
            self.malformed += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(f"{path.name}:{place}: {why}")
            recorded = None
        else:
            if recorded is None:
                return None
        self.lines += 1
        return recorded


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error)) from None


def _plain(raw: IO[bytes]) -> IO[bytes]:
    compressed = raw.read(2) == GZIP
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[return-value]


def _bounded(lines: IO[bytes]) -> Iterator[bytes]:
    """Lines; of one that is too long the beginning, which is still too long."""
    while line := lines.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = lines.readline(LONGEST_LINE + 1)
