"""Wheels to measure with: valid ones, the same at every run, tiny or as large as is wanted."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen

MEBIBYTE = 1 << 20

WORDS = (
    "async await buffer cache client close config data default encode error field file format handle index "
    "item key length limit list load message name none number object offset open option order parse path "
    "read request response result return self server size source state store string time token type value"
).split()

METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: A package to measure with
Author: Somebody
Author-email: somebody@packages.example
License: Apache-2.0
Project-URL: Source, https://{name}.example/source
Classifier: Programming Language :: Python :: 3
Classifier: License :: OSI Approved :: Apache Software License
Requires-Python: >=3.8
Requires-Dist: attrs>=22
Requires-Dist: packaging; python_version < "4"
Description-Content-Type: {content_type}

{description}
"""

WHEEL = "Wheel-Version: 1.0\nGenerator: benchmarks\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def tiny(folder: Path, project: str, version: str = "1.0") -> Path:
    """A wheel of one module of a few lines, about 2 kB."""
    return wheel(folder, project, version, {f"{project}/__init__.py": b'"""Tiny."""\n\nANSWER = 42\n'})


def middling(folder: Path, project: str, version: str, size: int) -> Path:
    """A wheel of modules in readable text, which compresses about as code does.

    Args:
        size: bytes the wheel will have, roughly.
    """
    source = random.Random(f"{project} {version}")
    modules = max(1, size // 5000)
    lines = size * 3 // modules // 60
    return wheel(
        folder,
        project,
        version,
        {f"{project}/module_{number}.py": _module(source, lines) for number in range(modules)},
    )


def _module(source: random.Random, lines: int) -> bytes:
    return "".join(
        f"{' '.join(source.choices(WORDS, k=7))} = {source.randrange(10**9):x}\n" for _ in range(lines)
    ).encode()


@frozen
class Description:
    """What a project says of itself."""

    text: str
    content_type: str = "text/markdown"


def wheel(
    folder: Path,
    project: str,
    version: str,
    files: Mapping[str, bytes],
    description: Description | None = None,
) -> Path:
    """A wheel.

    Args:
        files: path inside → content.
        description: by default some prose.
    """
    path = folder / f"{project}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = [_add(archive, name, [data]) for name, data in files.items()]
        _close_off(archive, project, version, lines, description)
    return path


def huge(folder: Path, project: str, size: int) -> Path:
    """A wheel of random bytes, stored uncompressed, in members of at most 256 MiB.

    Args:
        size: bytes of its members, a multiple of 1 MiB.
    """
    path = folder / f"{project}-1.0-py3-none-any.whl"
    source = random.Random(project)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        lines = []
        for number, start in enumerate(range(0, size, 256 * MEBIBYTE)):
            length = min(256 * MEBIBYTE, size - start)
            pieces = (source.randbytes(MEBIBYTE) for _ in range(length // MEBIBYTE))
            lines.append(_add(archive, f"{project}/blob_{number}.bin", pieces))
        _close_off(archive, project, "1.0", lines)
    return path


def _close_off(
    archive: zipfile.ZipFile,
    project: str,
    version: str,
    lines: list[tuple[str, ...]],
    description: Description | None = None,
) -> None:
    folder = f"{project}-{version}.dist-info"
    prose = " ".join(random.Random(project).choices(WORDS, k=120))
    said = description or Description(f"# {project}\n\n{prose}")
    metadata = METADATA.format(
        name=project, version=version, content_type=said.content_type, description=said.text
    )
    lines.append(_add(archive, f"{folder}/METADATA", [metadata.encode()]))
    lines.append(_add(archive, f"{folder}/WHEEL", [WHEEL.encode()]))
    lines.append((f"{folder}/RECORD", "", ""))
    record = io.StringIO()
    csv.writer(record, lineterminator="\n").writerows(lines)
    archive.writestr(_member(archive, f"{folder}/RECORD"), record.getvalue())


def _add(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> tuple[str, ...]:
    """Add a member; returns its line of RECORD."""
    digest, size = hashlib.sha256(), 0
    with archive.open(_member(archive, name), "w") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return name, f"sha256={urlsafe_b64encode(digest.digest()).rstrip(b'=').decode()}", str(size)


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0))
    info.compress_type = archive.compression
    info.external_attr = 0o100644 << 16
    return info


def numbered(stem: str, count: int) -> Iterator[str]:
    """So many project names."""
    yield from (f"{stem}{number:04}" for number in range(count))
