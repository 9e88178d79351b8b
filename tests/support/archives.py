"""Builders of distributions, good by default, each with knobs that break one thing.

``wheel`` and ``sdist`` are for everybody; ``zip_bytes`` and ``tar_gz`` write the records of the two
formats one by one, so that any of them can lie.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import tempfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import define, field

from pypi.domain import filenames
from pypi.publishing.archives import Contents, Limits
from pypi.publishing.archives.whole import inspect

REGULAR = 0o100644
SYMLINK = 0o120777
DEVICE = 0o020644
FOLDER = 0o040755

Headers = Iterable[tuple[str, str]]


def inspected(data: bytes, filename: str, limits: Limits | None = None) -> Contents:
    """What ``archives.whole.inspect`` says of these bytes under that filename, in this process."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return inspect(Path(file.name), filenames.parse(filename), limits or Limits())


def core_metadata(
    name: str = "demo",
    version: str = "1.0",
    *,
    headers: Headers = (),
    metadata_version: str = "2.4",
    description: str = "",
) -> bytes:
    """Core metadata, as METADATA or PKG-INFO holds it.

    Args:
        name: of the project.
        version: of the release.
        headers: further fields, in order: ``[("Requires-Dist", "attrs")]``.
        metadata_version: of the format.
        description: the body.
    """
    fields = [("Metadata-Version", metadata_version), ("Name", name), ("Version", version), *headers]
    return ("".join(f"{key}: {value}\n" for key, value in fields) + "\n" + description).encode()


def wheel_filename(name: str = "demo", version: str = "1.0", tag: str = "py3-none-any") -> str:
    """The filename ``wheel`` builds for."""
    return f"{_escaped(name)}-{version}-{tag}.whl"


def sdist_filename(name: str = "demo", version: str = "1.0", ending: str = ".tar.gz") -> str:
    """The filename ``sdist`` builds for."""
    return f"{_escaped(name)}-{version}{ending}"


def _escaped(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").lower()


# Wheels


def wheel(
    name: str = "demo",
    version: str = "1.0",
    *,
    metadata: bytes | None = None,
    headers: Headers = (),
    files: Mapping[str, bytes] | None = None,
    dist_info_files: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
    wheel_file: bytes | None = None,
    omit: Collection[str] = (),
    record: Callable[[dict[str, tuple[str, str]]], object] | None = None,
    record_file: bytes | None = None,
    alter: Callable[[list[ZipMember]], object] | None = None,
    **options: object,
) -> bytes:
    """A wheel of one module.

    Args:
        name: of the project.
        version: of the release.
        metadata: the whole of METADATA, instead of one with ``headers``.
        headers: further fields of METADATA.
        files: path → content, instead of one module.
        dist_info_files: further files of ``.dist-info``: ``{"entry_points.txt": b"…"}``.
        tag: in the filename and WHEEL.
        wheel_file: the whole of WHEEL.
        omit: names in ``.dist-info`` that are left out (``METADATA``, ``WHEEL``, ``RECORD``).
        record: given path → (hash, size), changes it before RECORD is written.
        record_file: the whole of RECORD.
        alter: given the members, changes them before they are written.
        options: of ``zip_bytes``.
    """
    folder = f"{_escaped(name)}-{version}.dist-info"
    inside = {
        "METADATA": core_metadata(name, version, headers=headers) if metadata is None else metadata,
        "WHEEL": wheel_contents(tag) if wheel_file is None else wheel_file,
        **(dist_info_files or {}),
    }
    contents = dict({f"{_escaped(name)}.py": b"answer = 42\n"} if files is None else files)
    contents |= {f"{folder}/{key}": value for key, value in inside.items() if key not in omit}
    if "RECORD" not in omit:
        lines = {path: (sha256_of(data), str(len(data))) for path, data in contents.items()}
        lines[f"{folder}/RECORD"] = ("", "")
        if record is not None:
            record(lines)
        contents[f"{folder}/RECORD"] = record_of(lines) if record_file is None else record_file
    members = [ZipMember(path, data) for path, data in contents.items()]
    if alter is not None:
        alter(members)
    return zip_bytes(members, **options)  # type: ignore[arg-type]


def wheel_contents(tag: str = "py3-none-any", version: str = "1.0") -> bytes:
    """The file WHEEL."""
    return f"Wheel-Version: {version}\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()


def sha256_of(data: bytes) -> str:
    """A hash as RECORD writes it."""
    return hash_of("sha256", data)


def hash_of(algorithm: str, data: bytes) -> str:
    """A hash as RECORD writes it, by any algorithm."""
    digest = urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
    return f"{algorithm}={digest}"


def record_of(lines: Mapping[str, tuple[str, str]]) -> bytes:
    """RECORD: path → (hash, size)."""
    return "".join(f"{path},{digest},{size}\n" for path, (digest, size) in lines.items()).encode()


# Source distributions


def sdist(
    name: str = "demo",
    version: str = "1.0",
    *,
    metadata: bytes | None = None,
    headers: Headers = (),
    files: Mapping[str, bytes] | None = None,
    top: str | None = None,
    omit: Collection[str] = (),
    more: Sequence[bytes] = (),
    ending: str = ".tar.gz",
    **options: object,
) -> bytes:
    """A source distribution of one module.

    Args:
        name: of the project.
        version: of the release.
        metadata: the whole of PKG-INFO, instead of one with ``headers``.
        headers: further fields of PKG-INFO.
        files: path below the top folder → content, instead of one module.
        top: the top folder, instead of ``name-version``.
        omit: paths below the top folder that are left out (``PKG-INFO``).
        more: further tar members, from ``tar_member``.
        ending: ``.tar.gz`` or ``.zip``.
        options: of ``tar_gz`` or ``zip_bytes``.
    """
    folder = f"{_escaped(name)}-{version}" if top is None else top
    contents = {
        "PKG-INFO": core_metadata(name, version, headers=headers) if metadata is None else metadata,
        **({f"{_escaped(name)}.py": b"answer = 42\n"} if files is None else files),
    }
    placed = {f"{folder}/{key}": value for key, value in contents.items() if key not in omit}
    if ending == ".zip":
        return zip_bytes([ZipMember(path, data) for path, data in placed.items()], **options)  # type: ignore[arg-type]
    members = [tar_member(f"{folder}/", type=b"5")]
    members += [tar_member(path, data) for path, data in placed.items()]
    return tar_gz(*members, *more, **options)  # type: ignore[arg-type]


# ZIP, record by record

STORED = 0
DEFLATED = 8
UTF8 = 1 << 11
ZIP64 = 0x0001
UNICODE_PATH = 0x7075
FULL16 = 0xFFFF
FULL32 = 0xFFFFFFFF
_FULL = dict.fromkeys(("disk", "directory_disk", "here", "records"), FULL16) | dict.fromkeys(
    ("size", "offset"), FULL32
)


@define
class ZipMember:
    """A member of a ZIP; ``local`` and ``central`` overrule single fields of its two records.

    The fields: name, version, flags, method, crc, compressed, size, extra; in the central record also
    comment, disk, attributes, offset.
    """

    name: str
    data: bytes = b""
    method: int = DEFLATED
    raw: bytes | None = None
    mode: int = REGULAR
    local: dict[str, int | bytes] = field(factory=dict)
    central: dict[str, int | bytes] = field(factory=dict)
    in_local: bool = True
    in_central: bool = True

    @property
    def stored(self) -> bytes:
        """The bytes in the file."""
        if self.raw is not None:
            return self.raw
        return deflated(self.data) if self.method == DEFLATED else self.data

    def fields(self) -> dict[str, int | bytes]:
        """What both records say of an honest member."""
        return {
            "name": self.name.encode(),
            "version": 20,
            "flags": 0 if self.name.isascii() else UTF8,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "compressed": len(self.stored),
            "size": len(self.data),
            "extra": b"",
            "comment": b"",
            "disk": 0,
            "attributes": self.mode << 16,
        }


def deflated(data: bytes) -> bytes:
    """Raw deflate."""
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
    return deflater.compress(data) + deflater.flush()


def extra(kind: int, data: bytes) -> bytes:
    """An extra field."""
    return struct.pack("<2H", kind, len(data)) + data


def zip64_extra(*values: int) -> bytes:
    """A ZIP64 extra field."""
    return extra(ZIP64, struct.pack(f"<{len(values)}Q", *values))


def zip_bytes(
    members: Sequence[ZipMember],
    *,
    before: bytes = b"",
    between: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    end: Mapping[str, int] | None = None,
    end64: Mapping[str, int] | None = None,
    locator: bytes | None = None,
) -> bytes:
    """A ZIP file.

    Args:
        members: in the order of both the file and its directory.
        before: bytes before the first record.
        between: bytes between the data and the central directory.
        after: bytes after the end record.
        comment: of the archive.
        end: fields of the end record to overrule: disk, directory_disk, here, records, size, offset.
        end64: when given, a ZIP64 end record is written, with these fields overruled (also length).
        locator: instead of the ZIP64 locator.
    """
    output = bytearray(before)
    directory = bytearray()
    for member in members:
        offset = len(output)
        if member.in_local:
            output += _local_record(member.fields() | member.local) + member.stored
        if member.in_central:
            directory += _central_record({**member.fields(), "offset": offset, **member.central})
    output += between
    numbers: dict[str, int] = {
        "disk": 0,
        "directory_disk": 0,
        "here": sum(member.in_central for member in members),
        "records": sum(member.in_central for member in members),
        "size": len(directory),
        "offset": len(output),
    }
    output += directory
    if end64 is not None:
        output += _end64_records(numbers | {"length": 44} | dict(end64), len(output), locator)
        numbers = {key: min(value, _FULL[key]) for key, value in numbers.items()}
    said = numbers | dict(end or {})
    return bytes(output) + _end_record(said, comment) + after


def _local_record(said: Mapping[str, int | bytes]) -> bytes:
    numbers = [said[key] for key in ("version", "flags", "method")]
    sizes = [said[key] for key in ("crc", "compressed", "size")]
    name, extra_field = bytes(said["name"]), bytes(said["extra"])  # type: ignore[arg-type]
    head = struct.pack("<4s5H3L2H", b"PK\3\4", *numbers, 0, 33, *sizes, len(name), len(extra_field))
    return head + name + extra_field


def _central_record(said: Mapping[str, int | bytes]) -> bytes:
    numbers = [said[key] for key in ("version", "flags", "method")]
    sizes = [said[key] for key in ("crc", "compressed", "size")]
    texts = [bytes(said[key]) for key in ("name", "extra", "comment")]  # type: ignore[arg-type]
    lengths = [len(text) for text in texts]
    ending = (said["disk"], 0, said["attributes"], said["offset"])
    head = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x031E, *numbers, 0, 33, *sizes, *lengths, *ending)
    return head + b"".join(texts)


def _end_record(said: Mapping[str, int], comment: bytes) -> bytes:
    keys = ("disk", "directory_disk", "here", "records", "size", "offset")
    return struct.pack("<4s4H2LH", b"PK\5\6", *(said[key] for key in keys), len(comment)) + comment


def _end64_records(said: Mapping[str, int], at: int, locator: bytes | None) -> bytes:
    keys = ("disk", "directory_disk", "here", "records", "size", "offset")
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", said["length"], 45, 45, *(said[key] for key in keys))
    return record + (zip64_locator(at) if locator is None else locator)


def zip64_locator(at: int, disks: int = 1) -> bytes:
    """The record that says where the ZIP64 end record is."""
    return struct.pack("<4sLQL", b"PK\6\7", 0, at, disks)


# tar, header by header

ZEROS = bytes(1024)


def tar_member(
    name: str,
    data: bytes = b"",
    *,
    type: bytes = b"0",
    target: str = "",
    size: int | bytes | None = None,
    magic: bytes = b"ustar\x0000",
    prefix: str = "",
    checksum: int | None = None,
    raw: Mapping[int, bytes] | None = None,
    pax: Mapping[str, str] | bytes | None = None,
) -> bytes:
    """One tar member: its header, its data and padding, and a pax header before it when asked for.

    Args:
        name: at most 100 bytes.
        data: of the member.
        type: its flag.
        target: of a link.
        size: instead of the data's length; bytes are put into the field as they are.
        magic: eight bytes of magic and version.
        prefix: the ustar prefix.
        checksum: instead of the right one.
        raw: offset → bytes put over the header before it is summed.
        pax: records of the pax header before, or its body.
    """
    count = len(data) if size is None else size
    header = bytearray(512)
    header[0:100] = name.encode().ljust(100, b"\0")
    header[100:124] = b"0000644\x000000000\x000000000\0"
    header[124:136] = count.rjust(12, b"0") if isinstance(count, bytes) else b"%011o\0" % count
    header[136:148] = b"00000000000\0"
    header[148:156] = b" " * 8
    header[156:157] = type
    header[157:257] = target.encode().ljust(100, b"\0")
    header[257:265] = magic
    header[345:500] = prefix.encode().ljust(155, b"\0")
    for at, value in (raw or {}).items():
        header[at : at + len(value)] = value
    header[148:156] = b"%06o\0 " % (sum(header) if checksum is None else checksum)
    before = b"" if pax is None else pax_member(pax)
    return before + bytes(header) + data + bytes(-len(data) % 512)


def pax_member(records: Mapping[str, str] | bytes, *, type: bytes = b"x") -> bytes:
    """A pax header for the member after it, or for all (type ``g``)."""
    body = records if isinstance(records, bytes) else b"".join(map(pax_record, records.items()))
    return tar_member("PaxHeaders/0", body, type=type)


def pax_record(record: tuple[str, str]) -> bytes:
    """One record of a pax header, its own length before it."""
    text = f" {record[0]}={record[1]}\n".encode()
    length = len(text) + 1
    while len(str(length)) + len(text) != length:
        length = len(str(length)) + len(text)
    return str(length).encode() + text


def tar_gz(*members: bytes, zeros: bytes = ZEROS, after: bytes = b"", level: int = 6) -> bytes:
    """A tar.gz of members from ``tar_member``.

    Args:
        members: in order.
        zeros: the end of the tar.
        after: bytes after the gzip data.
        level: of compression.
    """
    return gzip.compress(b"".join(members) + zeros, level, mtime=0) + after
