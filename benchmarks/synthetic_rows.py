"""The rows of a synthetic project: releases, files, what the journal says of them; the same for each seed.

What is left out, since no page of the simple index shows it: descriptions and classifiers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from benchmarks.synthetic import Project
from pypi.domain.changes import Change, FileAdded, ProjectCreated, ReleaseCreated, RoleAdded
from pypi.domain.versions import canonical, is_prerelease

FIRST = datetime(2010, 1, 1, tzinfo=UTC)
DAYS = 5800
YANKED = 0.02
ABOUT_METADATA = 0.8
"""Of wheels: how many have their metadata beside them (PEP 658)."""

REQUIRES = (
    "",
    ">=2.7, !=3.0.*, !=3.1.*, !=3.2.*",
    ">=3.6",
    ">=3.7",
    ">=3.7,<4.0",
    ">=3.8",
    ">=3.9",
    ">=3.10",
)
PLATFORMS = (
    "macosx_10_9_x86_64",
    "macosx_11_0_arm64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "musllinux_1_1_x86_64",
    "win32",
    "win_amd64",
)
PYTHONS = ("cp38", "cp39", "cp310", "cp311", "cp312", "cp313")
PURE = ("py3", "none", "any")
BINARY = tuple((python, python, platform) for python in PYTHONS for platform in PLATFORMS)


@frozen
class File:
    """A file, with the values of its row; digests are hexadecimal and of nothing."""

    filename: str
    canonical: str
    filetype: str
    python_version: str
    size: int
    md5: str
    sha256: str
    blake2_256: str
    metadata_sha256: str | None
    requires_python: str


@frozen
class Release:
    """A release, all of whose files were uploaded at once."""

    version: str
    canonical: str
    is_prerelease: bool
    summary: str
    metadata: str
    yanked_reason: str | None
    created: datetime
    files: tuple[File, ...]


def releases(project: Project, seed: int) -> Iterator[Release]:
    """A project's releases, the oldest first."""
    source = random.Random(f"{seed} {project.name}")
    counts = list(_files_of_releases(source, project.files))
    at = FIRST + timedelta(days=DAYS * source.random() ** 0.6)
    step = (FIRST + timedelta(days=DAYS + 60) - at) / (len(counts) + 1)
    requires = source.choice(REQUIRES)
    summary = f"A package about {project.normalized.replace('-', ' ')}"
    for version, count in zip(_versions(source), counts, strict=False):
        if source.random() < 0.03:
            requires = source.choice(REQUIRES)
        names = list(_filenames(project.normalized, version, count, project.files))
        yield Release(
            version=version,
            canonical=canonical(version),
            is_prerelease=is_prerelease(version),
            summary=summary,
            metadata=_metadata(project.name, version, summary, requires),
            yanked_reason=_reason(source) if source.random() < YANKED else None,
            created=at,
            files=tuple(_file(source, name, tags, requires) for name, tags in names),
        )
        at += step * (0.1 + 0.9 * source.random())


def changes(project: Project, release: Release, owner: str, *, first: bool) -> Iterator[Change]:
    """What the journal says of a release, after how the project came to be if it is the first."""
    about: dict[str, Any] = {"project": project.normalized, "name": project.name, "actor": owner}
    if first:
        yield ProjectCreated(**about)
        yield RoleAdded(**about, role="Owner", user=owner)
    yield ReleaseCreated(**about, version=release.version)
    for file in release.files:
        yield FileAdded(
            **about, version=release.version, filename=file.filename, python_version=file.python_version
        )


def _files_of_releases(source: random.Random, files: int) -> Iterator[int]:
    """How many files each release has: one, two, or, in large projects, one for each platform."""
    binary = files > 60 and source.random() < 0.5
    while files > 0:
        count = min(files, source.randint(5, 1 + len(BINARY)) if binary else source.choice((1, 2, 2)))
        yield count
        files -= count


def _versions(source: random.Random) -> Iterator[str]:
    """Versions, each higher than the one before."""
    major, minor, patch = source.choice(((0, 0, 1), (0, 1, 0), (0, 1, 0), (1, 0, 0)))
    while True:
        if source.random() < 0.04:
            yield f"{major}.{minor}.{patch}{source.choice(('a1', 'b1', 'rc1', '.dev0'))}"
        yield f"{major}.{minor}.{patch}"
        step = source.random()
        if step < 0.6:
            patch += 1
        elif step < 0.96:
            minor, patch = minor + 1, 0
        else:
            major, minor, patch = major + 1, 0, 0


Tags = tuple[str, str, str]


def _filenames(name: str, version: str, count: int, files: int) -> Iterator[tuple[str, Tags | None]]:
    """Filenames of a release, with the tags of those that are wheels."""
    stem = f"{name.replace('-', '_')}-{version}"
    yield f"{stem}.tar.gz", None
    wheels: Sequence[Tags] = (PURE,) if (count <= 2 and files <= 60) or count == 2 else BINARY
    for tags in wheels[: count - 1]:
        yield f"{stem}-{'-'.join(tags)}.whl", tags


def _file(source: random.Random, filename: str, tags: Tags | None, requires: str) -> File:
    name, version = filename.removesuffix(".tar.gz").split("-")[:2]
    head = f"{name.replace('_', '-')}-{canonical(version)}"
    if tags is None:
        end = ".sdist"
    else:
        every = sorted(f"{tags[0]}-{tags[1]}-{platform}" for platform in tags[2].split("."))
        end = f"--{'-'.join(every)}.whl"
    return File(
        filename=filename,
        canonical=head + end,
        filetype="sdist" if tags is None else "bdist_wheel",
        python_version="source" if tags is None else tags[0],
        size=int(min(source.lognormvariate(10.5, 1.8), 9e7)) + 1000,
        md5=f"{source.getrandbits(128):032x}",
        sha256=f"{source.getrandbits(256):064x}",
        blake2_256=f"{source.getrandbits(256):064x}",
        metadata_sha256=(
            f"{source.getrandbits(256):064x}" if tags and source.random() < ABOUT_METADATA else None
        ),
        requires_python=requires,
    )


def _metadata(name: str, version: str, summary: str, requires: str) -> str:
    """The release's metadata as the index keeps them."""
    found = {
        "metadata_version": "2.1",
        "name": name,
        "version": version,
        "summary": summary,
        "author": "Somebody",
        "author_email": "somebody@packages.example",
        "license": "MIT",
        "keywords": ["measure", "synthetic"],
        "project_urls": [["Source", f"https://{name.lower()}.example/source"]],
        "requires_dist": ["attrs>=22", 'packaging; python_version < "4"'],
    }
    return json.dumps(found | ({"requires_python": requires} if requires else {}))


def _reason(source: random.Random) -> str:
    return source.choice(("", "", "broken build", "Wrong requires-python, use the next release"))
