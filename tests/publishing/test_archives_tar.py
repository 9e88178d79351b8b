"""tar.gz files are read in one way only, within bounds, and nothing in them leads outside."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import pytest

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives import Limits
from tests.support import archives
from tests.support.archives import (
    ZEROS,
    inspected,
    pax_member,
    sdist,
    tar_gz,
    tar_member,
    zip_bytes,
)

FILENAME = archives.sdist_filename()
TOP = "demo-1.0"

SPARSE = "Sparse members are not allowed"
MALFORMED = "Malformed tar header"
ENDS_EARLY = "Unexpected end of data"

MEMBERS: dict[str, tuple[bytes, str]] = {
    "character device": (
        tar_member(f"{TOP}/tty", type=b"3"),
        f"'{TOP}/tty' is neither a file, a folder nor a link",
    ),
    "block device": (
        tar_member(f"{TOP}/sda", type=b"4"),
        f"'{TOP}/sda' is neither a file, a folder nor a link",
    ),
    "fifo": (
        tar_member(f"{TOP}/pipe", type=b"6"),
        f"'{TOP}/pipe' is neither a file, a folder nor a link",
    ),
    "unknown type": (
        tar_member(f"{TOP}/x", type=b"V"),
        f"'{TOP}/x' is neither a file, a folder nor a link",
    ),
    "sparse": (tar_member(f"{TOP}/x", type=b"S"), SPARSE),
    "sparse by pax": (tar_member(f"{TOP}/x", pax={"GNU.sparse.major": "1"}), SPARSE),
    "absolute": (tar_member("/etc/passwd"), "Filename '/etc/passwd' is absolute"),
    "up": (
        tar_member(f"{TOP}/../../x"),
        f"Filename '{TOP}/../../x' has an empty, '.' or '..' segment",
    ),
    "here": (tar_member(f"./{TOP}/x"), f"Filename './{TOP}/x' has an empty, '.' or '..' segment"),
    "control": (tar_member(f"{TOP}/\x1b[1m"), "Invalid character in filename"),
    "NUL by pax": (tar_member("x", pax={"path": f"{TOP}/x\0y"}), "Invalid character in filename"),
    "up by pax": (
        tar_member(f"{TOP}/x", pax={"path": "../x"}),
        "Filename '../x' has an empty, '.' or '..' segment",
    ),
    "absolute by long name": (
        tar_member("long", b"/x\0", type=b"L") + tar_member(f"{TOP}/x"),
        "Filename '/x' is absolute",
    ),
    "empty long name": (
        tar_member("long", b"\0", type=b"L") + tar_member(f"{TOP}/x"),
        "Filename '' has an empty, '.' or '..' segment",
    ),
    "up by prefix": (
        tar_member("x", prefix=".."),
        "Filename '../x' has an empty, '.' or '..' segment",
    ),
    "not UTF-8": (tar_member("x", raw={0: b"\xff"}), "Filename not unicode"),
    "other charset": (
        tar_member(f"{TOP}/x", pax={"hdrcharset": "BINARY"}),
        "Filename not unicode",
    ),
    "twice": (tar_member(f"{TOP}/demo.py"), f"Duplicate filename '{TOP}/demo.py'"),
    "file and folder": (
        tar_member(f"{TOP}/demo.py/x"),
        f"'{TOP}/demo.py' is both a file and a folder",
    ),
    "file named like a folder": (
        tar_member(f"{TOP}/x/"),
        f"'{TOP}/x/' is named like a folder",
    ),
    "folder of old by pax": (
        tar_member("x/", type=b"\0", pax={"path": f"{TOP}/x"}),
        f"'{TOP}/x' is named both like a file and like a folder",
    ),
    "folder with data": (
        tar_member(f"{TOP}/x", b"data", type=b"5"),
        f"'{TOP}/x' has data but is no file",
    ),
    "link with data": (
        tar_member(f"{TOP}/x", b"data", type=b"2", target="demo.py"),
        f"'{TOP}/x' has data but is no file",
    ),
    "wrong checksum": (tar_member(f"{TOP}/x", checksum=1), MALFORMED),
    "number that is none": (tar_member(f"{TOP}/x", raw={136: b"zzzzzzzzzzz"}), MALFORMED),
    "number Python alone reads": (tar_member(f"{TOP}/x", raw={100: b"0o0_644\0"}), MALFORMED),
    "size that is none": (tar_member(f"{TOP}/x", size=b"12345678901x"), MALFORMED),
    "negative size": (tar_member(f"{TOP}/x", size=b"\xff" * 12), MALFORMED),
    "unknown magic": (tar_member(f"{TOP}/x", magic=b"ustarXX\0"), MALFORMED),
    "prefix without ustar": (tar_member("x", magic=b"ustar  \0", prefix=TOP), MALFORMED),
    "size of pax and header": (
        tar_member(f"{TOP}/x", b"", pax={"size": "1024"}) + ZEROS,
        "Mis-matched file size",
    ),
    "two pax headers": (
        pax_member({"mtime": "1"}) + tar_member(f"{TOP}/x", pax={"mtime": "2"}),
        "Two pax headers for one member",
    ),
    "two long names": (
        tar_member("l", b"x\0", type=b"L") * 2 + tar_member("x"),
        "Two long names for one member",
    ),
    "pax and long name": (
        tar_member("l", b"x\0", type=b"L") + tar_member("x", pax={"path": "y"}),
        "Both a pax header and a long name for one member",
    ),
    "path twice": (
        tar_member("x", pax=archives.pax_record(("path", "a")) + archives.pax_record(("path", "b"))),
        "Ambiguous 'path' in a pax header",
    ),
    "path for all": (
        pax_member({"path": "x"}, type=b"g"),
        "Ambiguous 'path' in a pax header",
    ),
    "pax length too long": (tar_member("x", pax=b"99 path=x\n"), "Malformed pax header"),
    "pax length too short": (tar_member("x", pax=b"5 path=x\n"), "Malformed pax header"),
    "pax length zero": (tar_member("x", pax=b"0 path=x\n"), "Malformed pax header"),
    "pax without line end": (tar_member("x", pax=b"10 path=xy"), "Malformed pax header"),
    "pax without value": (tar_member("x", pax=b"8 path x"), "Malformed pax header"),
    "pax with padding": (tar_member("x", pax=b"9 path=x\n\0"), "Malformed pax header"),
    "pax for all at the end": (
        pax_member({"comment": "x"}, type=b"g"),
        "Extended header without a member",
    ),
    "pax at the end": (pax_member({"path": "x"}), "Extended header without a member"),
    "hard link to nothing": (
        tar_member(f"{TOP}/x", type=b"1", target=f"{TOP}/y"),
        f"Hard link '{TOP}/x' is not to a file before it",
    ),
    "hard link outside": (
        tar_member(f"{TOP}/x", type=b"1", target="../../etc/passwd"),
        f"Hard link '{TOP}/x' is not to a file before it",
    ),
    "hard link to a symbolic link": (
        tar_member(f"{TOP}/s", type=b"2", target="demo.py")
        + tar_member(f"{TOP}/x", type=b"1", target=f"{TOP}/s"),
        f"Hard link '{TOP}/x' is not to a file before it",
    ),
    "member behind a link": (
        tar_member(f"{TOP}/s", type=b"2", target=".") + tar_member(f"{TOP}/s/x"),
        f"'{TOP}/s' is both a file and a folder",
    ),
    "member behind a link in another case": (
        tar_member(f"{TOP}/S", type=b"2", target=".") + tar_member(f"{TOP}/s/x"),
        "A symbolic link takes the place of a folder",
    ),
    "cut off": (tar_member(f"{TOP}/x", b"", size=100_000), ENDS_EARLY),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_members(case: str) -> None:
    """A member that readers disagree about, or an sdist has no use for, is refused with the reason."""
    more, sentence = MEMBERS[case]
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(sdist(more=[more]), FILENAME)
    assert refusal.value.detail == f"tar archive not accepted: {sentence}"


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "..",
        "../../x",
        "../../../x",
        "sub/../../..",
        "sub/up/../x",
        "",
        "c:/windows",
        "a\\..\\..",
        "a//b",
        "../demo-1.0-evil/x",
    ],
)
def test_symbolic_links_outside(target: str) -> None:
    """A symbolic link that leaves the top folder, by itself or by way of others, is refused."""
    link = tar_member(f"{TOP}/link", type=b"2", target=target)
    with pytest.raises(InvalidDistribution, match="does not stay in its top folder"):
        inspected(sdist(more=[link]), FILENAME)


PAX_NAME = "é" * 120

GOOD: dict[str, dict[str, Any]] = {
    "folder twice": {"more": [tar_member(f"{TOP}/", type=b"5")] * 2},
    "folder of old": {"more": [tar_member(f"{TOP}/x/", type=b"\0", magic=bytes(8))]},
    "file of old": {"more": [tar_member(f"{TOP}/x", b"x", type=b"\0", magic=bytes(8))]},
    "GNU": {"more": [tar_member(f"{TOP}/x", b"x", magic=b"ustar  \0")]},
    "prefix": {"more": [tar_member("x", prefix=f"{TOP}/{'p' * 100}")]},
    "GNU long name": {
        "more": [tar_member("././@LongLink", f"{TOP}/{'n' * 150}\0".encode(), type=b"L"), tar_member("n")]
    },
    "GNU long link": {
        "more": [
            tar_member("././@LongLink", f"{'n' * 150}\0".encode(), type=b"K"),
            tar_member("././@LongLink", f"{TOP}/{'l' * 150}\0".encode(), type=b"L"),
            tar_member("l", type=b"2", target="n"),
        ]
    },
    "pax path": {"more": [tar_member("x", b"x", pax={"path": f"{TOP}/{PAX_NAME}", "mtime": "1.5"})]},
    "pax size": {"more": [tar_member(f"{TOP}/x", b"xyz", pax={"size": "3"})]},
    "pax comment for all": {
        "more": [pax_member({"comment": "0" * 40}, type=b"g"), tar_member(f"{TOP}/x", b"x")]
    },
    "base-256 owner": {"more": [tar_member(f"{TOP}/x", raw={108: b"\x80\0\0\0\x7f\xff\xff\xff"})]},
    "numbers with spaces": {"more": [tar_member(f"{TOP}/x", raw={100: b" 644 \0\0\0"})]},
    "symbolic link": {"more": [tar_member(f"{TOP}/a/link", type=b"2", target="../demo.py")]},
    "symbolic link to the top": {"more": [tar_member(f"{TOP}/a/link", type=b"2", target="..")]},
    "symbolic link here": {"more": [tar_member(f"{TOP}/a/link", type=b"2", target="./x")]},
    "hard link": {"more": [tar_member(f"{TOP}/x", type=b"1", target=f"{TOP}/demo.py")]},
    "stored": {"level": 0},
    "a record of zeros": {"zeros": bytes(10240)},
}


@pytest.mark.parametrize("case", GOOD)
def test_good(case: str) -> None:
    """What honest tools write is accepted, and the standard library reads the same from it."""
    data = sdist(**GOOD[case])
    contents = inspected(data, FILENAME)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    assert len(members) == contents.entries
    assert sum(member.size for member in members) == contents.expanded_bytes


@pytest.mark.parametrize("name", ["x" * 256, "é" * 128])
def test_long_segment(name: str) -> None:
    """A segment no file system grants is refused."""
    member = tar_member("x", pax={"path": f"{TOP}/{name}"})
    with pytest.raises(InvalidDistribution, match="has a segment longer than 255 bytes"):
        inspected(sdist(more=[member]), FILENAME)


def test_name_of_a_megabyte() -> None:
    """An extended header larger than the limit is refused before it is read."""
    member = tar_member("x", pax={"path": "x" * 1_000_000})
    with pytest.raises(InvalidDistribution, match="Extended header larger than 65536 bytes"):
        inspected(sdist(more=[member]), FILENAME)


def test_many_pax_records() -> None:
    """More records than the limit are refused."""
    body = archives.pax_record(("a", "b")) * 1001
    with pytest.raises(InvalidDistribution, match="More than 1000 records in a pax header"):
        inspected(sdist(more=[tar_member("x", pax=body)]), FILENAME)


@pytest.mark.parametrize(
    "more",
    [
        [tar_member(f"{TOP}/{number}") for number in range(10)],
        [pax_member({"comment": "x"}, type=b"g")] * 10,
    ],
)
def test_too_many_members(more: list[bytes]) -> None:
    """Members are counted, headers for all included."""
    with pytest.raises(InvalidDistribution, match="More than 12 members"):
        inspected(sdist(more=more), FILENAME, Limits(entries=12))


ENDINGS = {
    "data after the end": ({"zeros": ZEROS + tar_member(f"{TOP}/hidden")}, "Trailing data"),
    "data after one block of zeros": (
        {"zeros": bytes(512) + tar_member(f"{TOP}/hidden")},
        "Trailing data",
    ),
    "no end": ({"zeros": b""}, ENDS_EARLY),
    "half an end": ({"zeros": bytes(512)}, ENDS_EARLY),
    "broken block": ({"zeros": bytes(1025)}, ENDS_EARLY),
    "zeros after gzip": ({"after": bytes(512)}, "Trailing data"),
    "text after gzip": ({"after": b"hello"}, "Trailing data"),
    "half a header after gzip": ({"after": b"\x1f\x8b"}, ENDS_EARLY),
    "gzip of something": ({"after": gzip.compress(b"hello")}, "Trailing data"),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_endings(case: str) -> None:
    """The archive ends where it says, and so does the file."""
    knobs, sentence = ENDINGS[case]
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(sdist(**knobs), FILENAME)
    assert refusal.value.detail == f"tar archive not accepted: {sentence}"


def test_cut_anywhere() -> None:
    """A tar.gz cut short at any byte is refused."""
    data = sdist()
    for end in range(len(data)):
        with pytest.raises(InvalidDistribution):
            inspected(data[:end], FILENAME)


def test_damaged_gzip() -> None:
    """Data that does not match gzip's checksum is refused."""
    data = bytearray(sdist())
    data[-5] ^= 1
    with pytest.raises(InvalidDistribution, match="Malformed gzip data"):
        inspected(bytes(data), FILENAME)


def test_gzip_in_several_members() -> None:
    """A gzip file of several members is one stream."""
    tar = gzip.decompress(sdist())
    pieces = [gzip.compress(tar[at : at + 700]) for at in range(0, len(tar), 700)]
    assert inspected(b"".join(pieces), FILENAME) == inspected(sdist(), FILENAME)


def test_too_many_gzip_members() -> None:
    """Members of a gzip file are counted, empty ones too."""
    data = sdist(after=gzip.compress(b"") * 5)
    assert inspected(data, FILENAME, Limits(gzip_members=6)).entries == 3
    with pytest.raises(InvalidDistribution, match="More than 5 gzip members"):
        inspected(data, FILENAME, Limits(gzip_members=5))


def test_ratio() -> None:
    """Beyond a size, a file may not expand to more than fifty times its own."""
    data = sdist(files={"zeros": bytes(300_000)})
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(data, FILENAME, Limits(ratio_from_bytes=100_000))
    assert refusal.value.detail == "File exceeds compression ratio of 50"
    assert inspected(data, FILENAME).expanded_bytes > 300_000


def test_expanded_bytes() -> None:
    """A file may not expand to more than the limit; what follows the end of the tar counts too."""
    for data in (sdist(files={"zeros": bytes(9000)}), sdist(zeros=bytes(10240))):
        with pytest.raises(InvalidDistribution, match="File expands to more than 8000 bytes"):
            inspected(data, FILENAME, Limits(expanded_bytes=8000))


def test_zip_at_the_end() -> None:
    """A tar.gz at whose end others find a ZIP is refused, inside its last bytes or after them."""
    hidden = zip_bytes([archives.ZipMember("x", b"y")])
    inside = tar_gz(tar_member(f"{TOP}/x", hidden), level=0)
    for data in (sdist(after=hidden), inside):
        with pytest.raises(InvalidDistribution) as refusal:
            inspected(data, FILENAME)
        assert refusal.value.detail == "File is both a zip and a tar file"


def test_signature_of_a_zip_at_the_end() -> None:
    """The four bytes a ZIP ends with are nothing unusual by themselves."""
    data = sdist(files={"x": b"PK\5\6 and then " * 3}, level=0)
    assert inspected(data, FILENAME).entries == 3


def test_pdf_in_the_gzip_header() -> None:
    """A tar.gz that a PDF reader would open is refused."""
    plain = sdist()
    named = plain[:3] + b"\x08" + plain[4:10] + b"%PDF-1.7\0" + plain[10:]
    assert gzip.decompress(named) == gzip.decompress(plain)
    with pytest.raises(InvalidDistribution, match="File can be read as a PDF document"):
        inspected(named, FILENAME)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"%PDF" + sdist(), gzip.decompress(sdist()), zip_bytes([])],
    ids=["empty", "text", "something before", "no gzip", "a ZIP"],
)
def test_no_gzip(data: bytes) -> None:
    """What does not begin as gzip is refused."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(data, FILENAME)
    assert refusal.value.detail == "File is not a tarfile"


def test_gzip_of_something_else() -> None:
    """gzip of anything but a tar is refused."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(gzip.compress(b"hello" * 1000), FILENAME)
    assert refusal.value.detail == "File is not a tarfile"
