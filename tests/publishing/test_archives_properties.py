"""Whatever the bytes: an archive is refused in words, or everybody reads the same from it."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from pypi.domain.errors import Invalid, InvalidDistribution
from pypi.publishing.archives import Limits
from pypi.publishing.archives.members import Kind, Tree
from pypi.publishing.archives.tars import read_tar_gz
from pypi.publishing.archives.zips import open_zip
from tests.support import archives
from tests.support.archives import ZipMember, inspected, pax_member, sdist, tar_member, wheel

few = settings(max_examples=150, deadline=None)

WHEEL = wheel(files={"demo.py": b"answer = 42\n", "d/\u00e9.txt": b"\0" * 50}, end64={})
SDIST = sdist(
    more=[
        tar_member("x", b"x", pax={"path": "demo-1.0/long"}),
        tar_member("././@LongLink", b"demo-1.0/longer\0", type=b"L"),
        tar_member("y", b"y" * 600),
        tar_member("demo-1.0/link", type=b"2", target="long"),
        tar_member("demo-1.0/hard", type=b"1", target="demo-1.0/long"),
        pax_member({"comment": "for all"}, type=b"g"),
        tar_member("demo-1.0/last", b"z"),
    ]
)
TAR = gzip.decompress(SDIST)

INTERESTING = [b"", b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0" * 512, b"/", b"..", b"7", b"x", b"L", b"g"]
INTERESTING += [b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7"]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with a few bytes put in, taken out or exchanged."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 1, 1, 2, 4, 20, 512]))
        new = draw(st.sampled_from(INTERESTING) | st.binary(min_size=1, max_size=4))
        data = data[:at] + new + data[at + gone :]
    return data


def refused_in_words(data: bytes, filename: str) -> None:
    with suppress(Invalid):
        inspected(data, filename)


@few
@given(mutated(WHEEL))
def test_damaged_wheels(data: bytes) -> None:
    """A damaged wheel is refused, never the cause of another error."""
    refused_in_words(data, archives.wheel_filename())


@few
@given(mutated(SDIST) | mutated(TAR).map(gzip.compress))
def test_damaged_sdists(data: bytes) -> None:
    """A damaged sdist is refused, never the cause of another error."""
    refused_in_words(data, archives.sdist_filename())


texts = st.binary(max_size=60) | st.text(max_size=60).map(str.encode)
headers = st.lists(
    st.tuples(
        st.sampled_from(["Name", "Version", "License-File", "Keywords", "Description", "Project-URL"]),
        st.text(max_size=20),
    )
).map(lambda fields: archives.core_metadata(headers=fields))


@few
@given(texts | headers)
def test_any_metadata(text: bytes) -> None:
    """Metadata of any bytes is read or refused."""
    refused_in_words(sdist(metadata=text), archives.sdist_filename())


FILES: list[Callable[[bytes], bytes]] = [
    lambda text: wheel(wheel_file=text),
    lambda text: wheel(record_file=text),
    lambda text: wheel(wheel_file=archives.wheel_contents() + text),
    lambda text: wheel(dist_info_files={"entry_points.txt": text}),
    lambda text: wheel(dist_info_files={"entry_points.txt": b"[console_scripts]\n" + text}),
]


@few
@given(st.sampled_from(FILES), texts)
def test_any_dist_info(build: Callable[[bytes], bytes], text: bytes) -> None:
    """The files of ``.dist-info`` may hold any bytes, and are read or refused."""
    refused_in_words(build(text), archives.wheel_filename())


NUMBERS = st.sampled_from([0, 1, 4, 8, 20, 45, 63, 64, 255, 0x800, 0xFFFF]) | st.integers(0, 0xFFFF)
fields = st.dictionaries(
    st.sampled_from(["version", "flags", "method", "crc", "compressed", "size"]), NUMBERS, max_size=1
)
extras = st.sampled_from([b"", archives.zip64_extra(1), archives.zip64_extra(1, 1), archives.extra(9, b"x")])
members = st.builds(
    lambda name, data, method, local, central, both, field: ZipMember(
        name, data, method, local=local | both | {"extra": field}, central=central | both
    ),
    st.sampled_from(["a", "b/", "b/c", "B/c", "\u00e9"]),
    st.binary(max_size=5),
    st.sampled_from([0, 8]),
    fields,
    fields,
    fields,
    extras,
)


@few
@given(
    st.lists(members, max_size=4),
    st.sampled_from([None, {}, {"offset": 1}]),
    st.sampled_from([b"", b"hello", archives.zip_bytes([])]),
)
def test_zips_read_alike(content: list[ZipMember], end64: dict[str, int] | None, comment: bytes) -> None:
    """What is accepted of a ZIP is what the standard library reads from it."""
    read_zip_alike(archives.zip_bytes(content, end64=end64, comment=comment))


@few
@given(mutated(WHEEL))
def test_damaged_zips_read_alike(data: bytes) -> None:
    """What is accepted of a damaged ZIP is what the standard library reads from it."""
    read_zip_alike(data)


def read_zip_alike(data: bytes) -> None:
    file = io.BytesIO(data)
    try:
        archive = open_zip(file, len(data), Limits())
        ours = {entry.name: b"".join(archive.content(path)) for path, entry in archive.entries.items()}
    except InvalidDistribution:
        return
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        assert ours == {name: theirs.read(name) for name in theirs.namelist()}


@few
@given(mutated(TAR))
def test_damaged_tars_read_alike(data: bytes) -> None:
    """What is accepted of a damaged tar is what the standard library reads from it."""
    read_tar_alike(data)


tar_names = st.sampled_from(["a", "b/", "b/c", "c", "a/d", "\u00e9", "n" * 100])
tar_types = st.sampled_from([b"0", b"\0", b"1", b"2", b"5", b"7", b"x", b"g", b"L", b"K", b"S"])
paxes = st.none() | st.dictionaries(
    st.sampled_from(["path", "linkpath", "size", "mtime", "hdrcharset", "GNU.sparse.name"]),
    st.sampled_from(["a", "e", "0", "3", "12", "c/d", "f/", "\u00e9"]),
    min_size=1,
    max_size=2,
)
tar_bodies = st.sampled_from([b"", b"xyz", b"9 path=z\n", b"12 path=zz/y\n", b"g\0", b"a" * 512])
tar_raws = st.sampled_from([{}, {}, {}, {100: b"  644 \0"}, {136: b"\x80"}, {257: b"ustar  "}, {345: b"p"}])


@few
@given(
    st.lists(
        st.builds(
            lambda name, data, type, target, pax, raw: tar_member(
                name, data, type=type, target=target, pax=pax, raw=raw
            ),
            tar_names,
            tar_bodies,
            tar_types,
            tar_names,
            paxes,
            tar_raws,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_tars_read_alike(content: list[bytes]) -> None:
    """What is accepted of a tar is what the standard library reads from it."""
    read_tar_alike(b"".join(content) + archives.ZEROS)


def read_tar_alike(data: bytes) -> None:
    packed = gzip.compress(data, 1)
    try:
        tree = read_tar_gz(io.BytesIO(packed), len(packed), Limits(), lambda path: 1_000_000)
    except InvalidDistribution:
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as theirs:
        assert described(tree) == [
            (member.name, member.size, member.linkname * (member.issym() or member.islnk()), content)
            for member in theirs
            for content in [content_of(theirs, member)]
        ]


def described(tree: Tree) -> list[tuple[str, int, str, bytes]]:
    return [
        (member.path, member.size, member.target, tree.kept[member.path] if member.kind is Kind.FILE else b"")
        for member in tree.members
    ]


def content_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isreg() else None
    return file.read() if file is not None else b""
