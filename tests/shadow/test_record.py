"""Logs as files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pypi.shadow.lines import LONGEST_LINE
from pypi.shadow.record import EXAMPLES, Logs, Unreadable

LINE = b"%d\tGET\t/%d\tHTTP/1.1\t200\t1\tx\n"


def lines(first: int, last: int) -> bytes:
    """Some lines of a log."""
    return b"".join(LINE % (n, n) for n in range(first, last + 1))


def test_reads_plain_and_compressed_files(tmp_path: Path) -> None:
    """Files are read one after another, compressed or not, and their lines are numbered throughout."""
    (tmp_path / "log.1.gz").write_bytes(gzip.compress(lines(1, 3)))
    (tmp_path / "log").write_bytes(b"# comment\n" + lines(4, 5))
    logs = Logs([tmp_path / "log.1.gz", tmp_path / "log"])
    for _ in range(2):
        assert [(one.number, one.target) for one in logs] == [(n, f"/{n}") for n in range(1, 6)]
        assert logs.position == logs.size == sum(path.stat().st_size for path in logs.paths)
        assert (logs.lines, logs.malformed) == (5, 0)


def test_progress(tmp_path: Path) -> None:
    """While a file is read, its position goes on to its size."""
    path = tmp_path / "log"
    path.write_bytes(lines(1, 50_000))
    logs, places = Logs([path]), []
    for one in logs:
        if one.number % 10_000 == 0:
            places.append(logs.position)
    assert places == sorted(places)
    assert 0 < places[0] < logs.size


def test_malformed_lines_are_counted(tmp_path: Path) -> None:
    """A line that no format explains costs nothing but itself, however long; the first are remembered."""
    path = tmp_path / "log"
    path.write_bytes(
        lines(1, 1) + b"x" * (3 * LONGEST_LINE) + b"\n" + b"what\n" * 2 * EXAMPLES + lines(2, 2) + b"9\tGE"
    )
    logs = Logs([path])
    assert [one.target for one in logs] == ["/1", "/2"]
    assert logs.malformed == 2 + 2 * EXAMPLES
    assert logs.lines == 4 + 2 * EXAMPLES
    assert len(logs.examples) == EXAMPLES
    assert logs.examples[0] == "log:2: too long"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A file that is not there, or compressed and torn, is refused by its name; what came before is read."""
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(lines(1, 20_000))[:-200])
    read = []
    with pytest.raises(Unreadable, match=r"torn\.gz: .+\."):
        read.extend(Logs([torn]))
    assert read
    with pytest.raises(Unreadable, match=r"missing: No such file"):
        list(Logs([tmp_path / "missing"]))
    (tmp_path / "wrong.gz").write_bytes(b"\x1f\x8b" + b"wrong" * 10)
    with pytest.raises(Unreadable, match=r"wrong\.gz"):
        list(Logs([tmp_path / "wrong.gz"]))
