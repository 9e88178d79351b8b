"""Archives built to exhaust their reader are refused before they do."""

from __future__ import annotations

import gzip
import resource
import time

import pytest

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives import Limits
from tests.support import archives
from tests.support.archives import ZipMember, inspected, tar_member, wheel, zip_bytes

WHEEL = archives.wheel_filename()
SDIST = archives.sdist_filename()
SMALL = Limits(ratio_from_bytes=1 << 20, expanded_bytes=8 << 20)


def test_zip_within_the_ratio_but_too_large() -> None:
    """Members that each look modest are added up."""
    data = wheel(files={f"{number}.txt": bytes(range(256)) * 8 for number in range(100)})
    with pytest.raises(InvalidDistribution, match="File expands to more than 200000 bytes"):
        inspected(data, WHEEL, Limits(expanded_bytes=200_000))


def test_overlapping_members() -> None:
    """A bomb whose directory points many names at one member's data is refused for its framing."""
    kernel = ZipMember("0", bytes(1_000_000))
    aliases = [
        ZipMember(str(number), kernel.data, in_local=False, central={"offset": 0}) for number in range(1, 200)
    ]
    with pytest.raises(InvalidDistribution, match="Missing filename in local headers"):
        inspected(zip_bytes([kernel, *aliases]), WHEEL, SMALL)


def test_quoted_headers() -> None:
    """A bomb whose members hold the headers of the next ones in their data is refused for its framing."""
    inner = zip_bytes([ZipMember("inner", bytes(1_000_000))])[:-22]
    outer = ZipMember("outer", inner, method=archives.STORED)
    hidden = ZipMember("inner", bytes(1_000_000), in_local=False, central={"offset": 35})
    with pytest.raises(InvalidDistribution, match="Missing filename in local headers"):
        inspected(zip_bytes([outer, hidden]), WHEEL, SMALL)


def test_one_member_too_many() -> None:
    """65,536 members are one more than is taken."""
    members = [ZipMember(str(number), method=archives.STORED) for number in range(65_536)]
    data = zip_bytes(members, end64={})
    with pytest.raises(InvalidDistribution, match="More than 65535 members"):
        inspected(data, WHEEL)


def test_tar_gz_beyond_the_ratio() -> None:
    """A tar.gz is inflated no further than its size allows, whatever its headers promise."""
    header = tar_member("demo-1.0/zeros", size=100 << 20)
    bomb = gzip.compress(header + bytes(20 << 20))
    with pytest.raises(InvalidDistribution, match="File exceeds compression ratio of 50"):
        inspected(bomb, SDIST, SMALL)


def test_nested_archives() -> None:
    """An archive in an archive is a file like any other."""
    inner = gzip.compress(bytes(10 << 20))
    assert inspected(archives.sdist(files={"inner.tar.gz": inner}), SDIST, SMALL).entries == 3


def test_endless_empty_members() -> None:
    """A gzip file that inflates to nothing over and over is given up."""
    with pytest.raises(InvalidDistribution, match="More than 10000 gzip members"):
        inspected(gzip.compress(b"") * 20_000, SDIST)


@pytest.mark.long
def test_tar_gz_of_its_true_size() -> None:
    """Ten megabytes that would inflate to ten gigabytes are refused within ten seconds of processor time."""
    header = tar_member("demo-1.0/zeros", size=b"\x80" + (100 << 30).to_bytes(11, "big"))
    bomb = gzip.compress(header) + gzip.compress(bytes(100 << 20)) * 100
    assert 9 << 20 < len(bomb) < 12 << 20
    started = time.process_time()
    with pytest.raises(InvalidDistribution, match="File exceeds compression ratio of 50"):
        inspected(bomb, SDIST)
    assert time.process_time() - started < 10


@pytest.mark.long
def test_a_million_members() -> None:
    """A ZIP64 of a million members is refused within 128 MB."""
    members = [ZipMember(f"{number:07}", method=archives.STORED) for number in range(1_000_000)]
    block = zip_bytes(members, end64={})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidDistribution, match="More than 65535 members"):
        inspected(block, WHEEL)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 << 10
