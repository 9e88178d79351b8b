"""ZIP files are read in one way only, and every other way is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import pytest

from pypi.domain.errors import Invalid, InvalidDistribution
from pypi.publishing.archives import Limits
from pypi.publishing.archives.zips import open_zip
from tests.support import archives
from tests.support.archives import (
    FULL16,
    FULL32,
    STORED,
    UNICODE_PATH,
    ZipMember,
    extra,
    inspected,
    wheel,
    zip64_extra,
    zip64_locator,
    zip_bytes,
)

FILENAME = archives.wheel_filename()


def first(**changes: Any) -> dict[str, Any]:
    """A knob of ``wheel`` that changes attributes of its first member."""

    def alter(members: list[ZipMember]) -> None:
        for key, value in changes.items():
            setattr(members[0], key, value)

    return {"alter": alter}


def added(*members: ZipMember) -> dict[str, Any]:
    """A knob of ``wheel`` that adds members nobody lists in RECORD."""
    return {"alter": lambda all_members: all_members.extend(members)}


def both(**fields: int | bytes) -> dict[str, Any]:
    """A knob of ``wheel`` that sets fields in both records of its first member."""
    return first(local=fields, central=fields)


def recorded(size: int) -> dict[str, Any]:
    """A knob of ``wheel`` that has RECORD tell another size of the first member."""
    return {"record": lambda lines: lines.update({"demo.py": (lines["demo.py"][0], str(size))})}


UNSUPPORTED = "ZIP uses features that are not supported"
MALFORMED = "Malformed zip file"

FRAMING: dict[str, tuple[dict[str, Any], str]] = {
    "prepended record": ({"between": b"PK\7\x08" + bytes(12)}, "Unknown record signature"),
    "bytes before the directory": ({"between": b"junk"}, "Unknown record signature"),
    "directory signature after the directory": ({"end64": {}, "locator": b""}, MALFORMED),
    "another record than the locator": ({"end64": {}, "locator": b"PK\6\x09" + bytes(16)}, MALFORMED),
    "locator that points elsewhere": ({"end64": {}, "locator": zip64_locator(3)}, MALFORMED),
    "locator of two disks": ({"end64": {}, "locator": zip64_locator(0, disks=2)}, MALFORMED),
    "ZIP64 end on another disk": ({"end64": {"disk": 1}}, MALFORMED),
    "ZIP64 extensible data": ({"end64": {"length": 45}}, "ZIP64 extensible data not allowed"),
    "ZIP64 records": ({"end64": {"here": 9, "records": 9}}, "Mismatched central directory records"),
    "ZIP64 size": ({"end64": {"size": 9}}, "Mismatched central directory size"),
    "ZIP64 offset": ({"end64": {"offset": 9}}, "Mismatched central directory offset"),
    "end on another disk": ({"end": {"disk": 1}}, MALFORMED),
    "end with more records on all disks": ({"end": {"records": 9}}, MALFORMED),
    "end records": ({"end": {"here": 9, "records": 9}}, "Mismatched central directory records"),
    "end size": ({"end": {"size": 9}}, "Mismatched central directory size"),
    "end offset": ({"end": {"offset": 9}}, "Mismatched central directory offset"),
    "end beside ZIP64": ({"end64": {}, "end": {"size": 9}}, "Mismatched central directory size"),
    "full records without ZIP64": (
        {"end": {"here": FULL16, "records": FULL16}},
        "Mismatched central directory records",
    ),
    "bytes after the end": ({"after": b"\0"}, "Trailing data"),
    "a second ZIP after the end": ({"after": zip_bytes([])}, "Trailing data"),
    "end record in the comment": (
        {"comment": zip_bytes([])},
        "End record within the archive's comment",
    ),
    "data descriptor": (both(flags=1 << 3), "ZIP contains a data descriptor"),
    "encrypted": (both(flags=1), "Encrypted members are not allowed"),
    "strong encryption": (both(flags=1 << 6), UNSUPPORTED),
    "patch data": (both(flags=1 << 5), UNSUPPORTED),
    "version of the future": (both(version=64), UNSUPPORTED),
    "local extra too short": (first(local={"extra": b"\1\2\3"}), MALFORMED),
    "central extra too short": (first(central={"extra": b"\1\2\3"}), MALFORMED),
    "extra longer than its field": (first(local={"extra": b"\1\2\x09\0"}), MALFORMED),
    "ZIP64 extra of odd length": (first(local={"extra": extra(1, bytes(9))}), MALFORMED),
    "ZIP64 extra that contradicts": (first(local={"extra": zip64_extra(1, 2)}), MALFORMED),
    "ZIP64 extra too short": (
        first(local={"size": FULL32, "compressed": FULL32, "extra": zip64_extra(13)}),
        MALFORMED,
    ),
    "ZIP64 size without extra": (first(local={"size": FULL32}), "Mis-matched file size"),
    "two ZIP64 extras": (
        first(local={"extra": zip64_extra() * 2}),
        "Invalid duplicate extra in local file",
    ),
    "two Unicode paths": (
        first(local={"extra": extra(UNICODE_PATH, bytes(5) + b"demo.py") * 2}),
        "Invalid duplicate extra in local file",
    ),
    "Unicode path that is not": (
        first(local={"extra": extra(UNICODE_PATH, bytes(5) + b"\xff")}),
        "Filename not valid UTF-8",
    ),
    "another Unicode path": (
        first(central={"extra": extra(UNICODE_PATH, bytes(5) + b"evil.py")}),
        "Filename 'demo.py' has another Unicode path",
    ),
    "name not UTF-8": (both(name=b"d\xe9mo.py"), "Filename not unicode"),
    "name not marked as UTF-8": (
        both(name="démo.py".encode(), flags=0),
        "Filename 'démo.py' is not marked as UTF-8",
    ),
    "data size": (first(central={"compressed": 3}), "Mis-matched data size"),
    "file size": (first(central={"size": 3}), "Mis-matched file size"),
    "checksum in one record": (
        first(central={"crc": 3}),
        "Mis-matched local headers and central directory",
    ),
    "method in one record": (
        first(central={"method": STORED}),
        "Mis-matched local headers and central directory",
    ),
    "flags in one record": (
        first(central={"flags": 1 << 11}),
        "Mis-matched local headers and central directory",
    ),
    "offset of another member": (
        first(central={"offset": 1}),
        "Mis-matched local headers and central directory",
    ),
    "disk of a member": (first(central={"disk": 1}), MALFORMED),
    "comment of a member": (first(central={"comment": b"x"}), "Comment in central directory"),
    "not in the directory": (first(in_central=False), "Filename not in central directory"),
    "only in the directory": (first(in_local=False), "Missing filename in local headers"),
    "another name in the directory": (
        first(central={"name": b"evil.py"}),
        "Missing filename in local headers",
    ),
    "twice": (
        added(ZipMember("demo.py", b"again")),
        "Duplicate filename in local headers",
    ),
    "twice in the directory": (
        added(ZipMember("demo.py", b"again", in_local=False)),
        "Duplicate filename in central directory",
    ),
    "stored sizes differ": (
        first(method=STORED, raw=b"answer = 42\n!"),
        "Mis-matched file size",
    ),
    "wrong checksum": (both(crc=3), "Checksum of 'demo.py' does not match its data"),
    "inflates to more": (both(size=3) | recorded(size=3), "Mis-matched file size"),
    "inflates to less": (both(size=99) | recorded(size=99), "Mis-matched file size"),
    "data after the deflate stream": (
        first(raw=archives.deflated(b"answer = 42\n") + b"hidden"),
        "Mis-matched data size",
    ),
    "deflate stream cut off": (
        first(raw=archives.deflated(b"answer = 42\n")[:-4]),
        "Data of 'demo.py' ends early",
    ),
    "no deflate stream": (first(raw=b"\xff\xff\xff"), "Data of 'demo.py' is damaged"),
    "symbolic link": (first(mode=archives.SYMLINK), "'demo.py' is a symbolic link"),
    "device": (first(mode=archives.DEVICE), "'demo.py' is neither a file nor a folder"),
    "file said to be a folder": (
        first(mode=archives.FOLDER),
        "'demo.py' is neither a file nor a folder",
    ),
    "folder with data": (added(ZipMember("a/", b"x", mode=0)), "Folder 'a/' has data"),
    "file and folder": (
        added(ZipMember("demo.py/x", b"")),
        "'demo.py' is both a file and a folder",
    ),
    "equal when composed": (
        added(ZipMember("\u00e9.py"), ZipMember("e\u0301.py")),
        "Duplicate filename 'e\u0301.py'",
    ),
}


@pytest.mark.parametrize("case", FRAMING)
def test_framing(case: str) -> None:
    """A ZIP that two readers could read in two ways is refused, and the sentence says why."""
    knobs, sentence = FRAMING[case]
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(wheel(**knobs), FILENAME)
    assert refusal.value.detail == f"ZIP archive not accepted: {sentence}"


NAMES = {
    "new\nline": "Invalid character in filename",
    "nul\0": "Invalid character in filename",
    "delete\x7f": "Invalid character in filename",
    "c1\x85": "Invalid character in filename",
    "a\\b": "Backslash in filename 'a\\\\b'",
    "/etc/passwd": "Filename '/etc/passwd' is absolute",
    "c:/windows": "Filename 'c:/windows' is absolute",
    "../up": "Filename '../up' has an empty, '.' or '..' segment",
    "a/../../up": "Filename 'a/../../up' has an empty, '.' or '..' segment",
    "./here": "Filename './here' has an empty, '.' or '..' segment",
    "a//b": "Filename 'a//b' has an empty, '.' or '..' segment",
    "": "Filename '' has an empty, '.' or '..' segment",
    "x" * 256: f"Filename '{'x' * 77}...' has a segment longer than 255 bytes",
    "é" * 128: f"Filename '{'é' * 77}...' has a segment longer than 255 bytes",
    "/".join(["x" * 99] * 42): f"Filename '{('x' * 77)}...' is longer than 4096 bytes",
    "/".join("x" * 101): f"Filename '{('x/' * 39)[:77]}...' is nested more than 100 deep",
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    """A member's name that leads elsewhere, or reads differently elsewhere, is refused."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(wheel(**added(ZipMember(name))), FILENAME)
    assert refusal.value.detail == f"ZIP archive not accepted: {NAMES[name]}"


GOOD = {
    "stored": first(method=STORED),
    "archive comment": {"comment": b"made by tests"},
    "ZIP64 end": {"end64": {}},
    "ZIP64 end alone": {
        "end64": {},
        "end": {"here": FULL16, "records": FULL16, "size": FULL32, "offset": FULL32},
    },
    "ZIP64 sizes": first(
        local={
            "size": FULL32,
            "compressed": FULL32,
            "extra": zip64_extra(12, len(archives.deflated(b"answer = 42\n"))),
        }
    ),
    "ZIP64 offset": first(central={"offset": FULL32, "extra": zip64_extra(0)}),
    "ZIP64 extra nobody needs": first(local={"extra": zip64_extra(12)}),
    "same Unicode path": first(local={"extra": extra(UNICODE_PATH, bytes(5) + b"demo.py")}),
    "time stamps": first(local={"extra": extra(0x5455, b"\3" + bytes(8))}),
    "no mode": first(mode=0),
    "folder": added(ZipMember("a/", mode=archives.FOLDER)),
    "deflated folder": added(ZipMember("a/", mode=0, method=8)),
    "non-ASCII name": {"files": {"café/日本.py": b""}},
    "empty file": {"files": {"empty.py": b""}},
    "long and deep": {"files": {"/".join(["x" * 39] * 100): b"", "y" * 255: b""}},
}


@pytest.mark.parametrize("case", GOOD)
def test_good(case: str) -> None:
    """What honest tools write is accepted, and the standard library reads the same from it."""
    data = wheel(**GOOD[case])
    contents = inspected(data, FILENAME)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == contents.entries
        assert sum(info.file_size for info in archive.infolist()) == contents.expanded_bytes


def test_cut_anywhere() -> None:
    """A ZIP cut short at any byte is refused."""
    data = wheel()
    for end in range(len(data)):
        with pytest.raises(InvalidDistribution):
            inspected(data[:end], FILENAME)


def test_locator_hidden_in_the_directory() -> None:
    """A ZIP64 end record within the directory's last extra field, where some readers look, is refused."""

    def alter(members: list[ZipMember]) -> None:
        hidden = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 46, 0) + zip64_locator(0)
        members[-1].central["extra"] = extra(0xCAFE, hidden)

    data = wheel(alter=alter)
    with pytest.raises(InvalidDistribution, match="ZIP64 locator within the central directory"):
        inspected(data, FILENAME)


def test_overlapping_members() -> None:
    """Members that share their data, as in the best ZIP bombs, are refused."""

    def alter(members: list[ZipMember]) -> None:
        members.append(ZipMember("copy.py", members[0].data, in_local=False, central={"offset": 0}))

    with pytest.raises(InvalidDistribution, match="Missing filename in local headers"):
        inspected(wheel(alter=alter), FILENAME)


@pytest.mark.parametrize("method", [12, 14, 93, 99])
def test_compression_type(method: int) -> None:
    """Only stored and deflated members are taken."""
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(wheel(**first(method=method)), FILENAME)
    assert refusal.value.detail == "File does not use a supported compression type"


def test_too_many_members() -> None:
    """One member more than the limit is refused; as many are not."""
    data = wheel(files={f"{number}.py": b"" for number in range(7)})
    assert inspected(data, FILENAME, Limits(entries=10)).entries == 10
    with pytest.raises(InvalidDistribution, match="More than 9 members"):
        inspected(data, FILENAME, Limits(entries=9))


def test_ratio() -> None:
    """Beyond a size, a file may not expand to more than fifty times its own."""
    data = wheel(files={"zeros.bin": bytes(200_000)})
    limits = Limits(ratio_from_bytes=100_000)
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(data, FILENAME, limits)
    assert refusal.value.detail == "File exceeds compression ratio of 50"
    assert inspected(data, FILENAME, Limits(ratio_from_bytes=300_000)).expanded_bytes > 200_000


def test_expanded_bytes() -> None:
    """A file may not expand to more than the limit, however well it is compressed."""
    data = wheel(files={"zeros.bin": bytes(2000)})
    with pytest.raises(InvalidDistribution, match="File expands to more than 2000 bytes"):
        inspected(data, FILENAME, Limits(expanded_bytes=2000))


def test_lying_about_the_size() -> None:
    """A member that inflates to more than its headers say is not inflated to its end."""
    bomb = ZipMember("a", raw=archives.deflated(bytes(50_000_000)), local={"size": 9}, central={"size": 9})
    data = zip_bytes([bomb])
    archive = open_zip(io.BytesIO(data), len(data), Limits())
    with pytest.raises(InvalidDistribution, match="Mis-matched file size"):
        next(archive.content("a"))


@pytest.mark.parametrize("before", [b"%PDF-1.7\n", b"<!doctype html>", b"\0", b"MZ" + bytes(100)])
def test_something_before(before: bytes) -> None:
    """A ZIP with something else before it is not one, although many readers would find it."""
    data = wheel(before=before)
    assert zipfile.is_zipfile(io.BytesIO(data))
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(data, FILENAME)
    assert refusal.value.detail == "File is not a zipfile"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\3\4", b"hello", bytes(1000)])
def test_no_zip(data: bytes) -> None:
    """What is no ZIP at all is refused."""
    with pytest.raises(InvalidDistribution):
        inspected(data, FILENAME)


def test_empty_zip() -> None:
    """A ZIP of nothing is no wheel."""
    with pytest.raises(Invalid, match="WHEEL not found"):
        inspected(zip_bytes([]), FILENAME)


def test_both_zip_and_tar() -> None:
    """A ZIP whose first member's name begins a tar header is refused."""
    header = bytearray(archives.tar_member("x", b""))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 482, 0)
    header[: len(local)] = local
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(InvalidDistribution) as refusal:
        inspected(bytes(header) + wheel(), FILENAME)
    assert refusal.value.detail == "File is both a zip and a tar file"


def test_pdf_within_the_first_member() -> None:
    """A ZIP that a PDF reader would open is refused."""
    data = wheel(files={"a.txt": b"%PDF-1.7"}, **first(method=STORED))
    with pytest.raises(InvalidDistribution, match="File can be read as a PDF document"):
        inspected(data, FILENAME)


def test_names_that_differ_in_case() -> None:
    """Files that are one where case does not count pass with a warning."""
    contents = inspected(wheel(files={"a.py": b"", "A.py": b""}), FILENAME)
    assert contents.warnings == ("'a.py' and 'A.py' are one file where case does not count.",)
