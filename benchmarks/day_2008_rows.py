"""An index that holds what a log saw: every project, release, file and digest that it tells of with success.

Of each only what the log tells: no descriptions, no dependencies; files are small, and say their own name.
Eggs and installers of those days are kept as source distributions, since the index knows but two kinds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, md5, sha256
from itertools import count
from pathlib import Path
from typing import Any

from attrs import define, field

from benchmarks.day_2008_named import Named, named
from benchmarks.loading import Loader
from pypi.domain.changes import Change, FileAdded, ProjectCreated, ReleaseCreated, RoleAdded
from pypi.domain.names import NormalizedName, look_alike_key, normalize
from pypi.domain.versions import canonical, is_prerelease
from pypi.files.paths import store_path
from pypi.shadow.choice import sendable
from pypi.shadow.compare import is_there
from pypi.shadow.lines import Recorded

OWNER = "publisher"
FIRST = datetime(2008, 1, 1, tzinfo=UTC)
BYTES = 1000


@define
class Release:
    """A release: its version as spelled, and its files → the folders they were in."""

    version: str
    files: dict[str, str] = field(factory=dict)


@define
class Project:
    """A project: its spellings, and its releases by the canonical form of their versions."""

    spellings: Counter[str] = field(factory=Counter)
    releases: dict[str, Release] = field(factory=dict)

    @property
    def name(self) -> str:
        """The spelling that was used most."""
        return self.spellings.most_common(1)[0][0]


@define
class Catalogue:
    """All that a log names."""

    projects: dict[NormalizedName, Project] = field(factory=dict)
    digests: dict[str, None] = field(factory=dict)
    filenames: dict[str, NormalizedName] = field(factory=dict)

    @classmethod
    def of(cls, log: Iterable[Recorded]) -> Catalogue:
        """What a log saw answered with success."""
        made = cls()
        for recorded in log:
            target = sendable(recorded.target) if recorded.method in ("GET", "HEAD") else None
            if target is not None and is_there(recorded.status):
                made.add(named(target))
        return made

    def add(self, found: Named) -> None:
        """Hold what an address names."""
        if found.digest:
            self.digests[found.digest] = None
        if not found.project:
            return
        name = normalize(found.project)
        project = self.projects.setdefault(name, Project())
        project.spellings[found.project] += 1
        if found.version:
            release = project.releases.setdefault(canonical(found.version), Release(found.version))
            if found.filename and self.filenames.setdefault(found.filename, name) == name:
                release.files.setdefault(found.filename, found.python)

    def fill(self, cursor: Any, files: Path) -> None:
        """Copy rows into the tables, and write the files.

        Args:
            files: folder of the file store.
        """
        loader, digests = Loader(0), iter(self.digests)
        filling = _Filling(loader, files, digests)
        loader.users.add(1, OWNER, FIRST)
        for number, (name, project) in enumerate(sorted(self.projects.items()), 1):
            filling.project(number, name, project)
        loader.send(cursor)


@define
class _Filling:
    """Rows on their way."""

    loader: Loader
    files: Path
    digests: Any
    releases: Any = field(factory=lambda: count(1))
    file_ids: Any = field(factory=lambda: count(1))

    def project(self, number: int, name: NormalizedName, project: Project) -> None:
        """A project and all that belongs to it."""
        at = FIRST + timedelta(minutes=number)
        about: dict[str, Any] = {"project": name, "name": project.name, "actor": OWNER}
        self.loader.projects.add(number, project.name, name, look_alike_key(project.name), at)
        self.loader.roles.add(number, 1, "Owner", at)
        self.line(ProjectCreated(**about), at)
        self.line(RoleAdded(**about, role="Owner", user=OWNER), at)
        # A project without a release has no page: one is made up for names that only the simple index saw.
        for release in (project.releases or {"0": Release("0.0")}).values():
            self.release(number, project.name, release, about, at)

    def release(
        self, project_id: int, name: str, release: Release, about: dict[str, Any], at: datetime
    ) -> None:
        """A release and its files."""
        release_id, version = next(self.releases), release.version
        metadata = {"metadata_version": "1.0", "name": name, "version": version, "summary": "Of 2008"}
        self.loader.releases.add(
            *(release_id, project_id, version, canonical(version), is_prerelease(version), "Of 2008"),
            *(json.dumps(metadata).replace("\\", "\\\\"), None, "", at),
        )
        self.line(ReleaseCreated(**about, version=version), at)
        for filename, python in release.files.items():
            self.file(project_id, release_id, filename, python, at)
            self.line(FileAdded(**about, version=version, filename=filename, python_version=python), at)

    def file(self, project_id: int, release_id: int, filename: str, python: str, at: datetime) -> None:
        """A file, whose MD5 is one that the log asked for while there are any."""
        data = (f"{filename}\n" * BYTES)[:BYTES].encode()
        digest, blake = sha256(data).hexdigest(), blake2b(data, digest_size=32).hexdigest()
        known = next(self.digests, None) or md5(data, usedforsecurity=False).hexdigest()
        self.loader.files.add(
            *(next(self.file_ids), project_id, release_id, filename, "sdist", python, len(data), known),
            *(digest, blake, None, "", 1, at),
        )
        self.loader.filenames.add(filename, filename, digest, blake, at)
        path = self.files / store_path(blake, filename)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def line(self, change: Change, at: datetime) -> None:
        """A line of the journal."""
        self.loader.add_line(change, at)
