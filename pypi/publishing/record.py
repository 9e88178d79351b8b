"""Writing a publication down: one transaction, rows first, the journal last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, cast

from attrs import evolve, frozen

from pypi.db.connection import Cursor
from pypi.db.queries import (
    dependencies,
    files,
    journal,
    outbox,
    projects,
    reads,
    releases,
    removal,
    renaming,
    roles,
    search,
    tokens,
)
from pypi.db.queries.files import NewFile
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.releases import ReleaseRow
from pypi.db.queries.renaming import FormerRow
from pypi.domain import cache_tags, journal_words
from pypi.domain.changes import (
    SEEN_UNDER_FORMER_NAMES,
    Change,
    FileAdded,
    FileRemoved,
    ProjectCreated,
    ProjectRemoved,
    ReadsChanged,
    ReleaseCreated,
    ReleaseRemoved,
    RoleAdded,
)
from pypi.domain.filenames import FileType
from pypi.domain.metadata import Metadata
from pypi.domain.permissions import Access, Identity, Role
from pypi.failpoints import failpoint
from pypi.publishing import facts
from pypi.publishing.descriptions import Rendered
from pypi.publishing.facts import Facts
from pypi.publishing.holding import check_good
from pypi.publishing.submission import Submission


@frozen(kw_only=True)
class Publication:
    """A submission that passed, its bytes stored: all that is needed to list it.

    Attributes:
        metadata: the file's own.
        metadata_sha256: of the core metadata stored beside it; ``None`` where there is none.
        path: in the file store.
        now: aware, UTC; every row of the transaction has this time.
        rendered: the description of a new release.
        access: who reads a new project.
    """

    identity: Identity
    submission: Submission
    metadata: Metadata
    metadata_sha256: str | None
    path: str
    now: datetime
    rendered: Rendered = Rendered()
    access: Access = Access.PUBLIC


@frozen
class Recorded:
    """What was written down.

    Attributes:
        serial: of its last change.
        tags: of every answer it can be seen in.
    """

    serial: int
    tags: tuple[str, ...]


Decide = Callable[[Publication, Facts], Awaitable[bool]]


async def record(cursor: Cursor, publication: Publication, decide: Decide) -> Recorded | None:
    """List the file.

    Args:
        decide: whether to go on, by the facts as they are now; raises what speaks against it.

    Returns:
        what was written, ``None`` where there was nothing to do.
    """
    submission, identity, now = publication.submission, publication.identity, publication.now
    known = await facts.hold(cursor, submission, identity)
    await check_good(cursor, identity)
    if not await decide(publication, known):
        return None
    failpoint("upload.before-insert")
    lines: list[Change] = []
    project = known.project or await _create(cursor, publication, lines)
    release = known.release or await _release(cursor, project, publication, lines)
    await projects.spell(cursor, project.id, submission.name)
    await _add_file(cursor, project, release, publication, lines)
    if known.release is None or project.name != submission.name:
        await search.refresh(cursor, project.id)
        await dependencies.refresh(cursor, project.id)
    elif publication.submission.file.filetype is FileType.WHEEL:
        await search.add_wheel(cursor, project.id, release.id)
    if identity.token_id is not None:
        await tokens.mark_used(cursor, identity.token_id, now=now)
    failpoint("upload.after-insert")
    recorded = await conclude(cursor, lines, now=now)
    failpoint("upload.before-commit")
    return recorded


async def conclude(cursor: Cursor, lines: Sequence[Change], *, now: datetime) -> Recorded:
    """Say what was changed, in the journal and to the edge: the end of every transaction that changes things.

    Args:
        lines: at least one.
    """
    lines = await _hidden(cursor, await _of_all_names(cursor, lines))
    serial = await journal.write(cursor, lines, now=now)
    tags = cache_tags.all_tags(lines)
    # Of what is private the edge has nothing, and need not hear.
    errand: dict[str, object] = {"tags": [tag for tag in tags if not tag.startswith(cache_tags.PRIVATE)]}
    if cache_tags.WITHHELD in tags:
        # A soft purge would let the edge show it while this index does not answer.
        errand["hard"] = True
    await outbox.add(cursor, serial=serial, kind="purge", payload=errand, now=now)
    return Recorded(serial, tags)


async def _of_all_names(cursor: Cursor, lines: Sequence[Change]) -> list[Change]:
    """The lines as they are said of projects that had other names: of those first, where it matters there."""
    concerned = {line.project for line in lines if line.project is not None}
    former = await renaming.former_of(cursor, sorted(concerned))
    before: list[Change] = []
    own: list[Change] = []
    for line in lines:
        names = [one for one in former if one.project == line.project]
        own.append(_with(line, former_names=tuple(one.normalized for one in names)) if names else line)
        before += _of_former(line, names)
    # Whoever counts back from the last serial finds the own ones.
    return [*before, *own]


async def _hidden(cursor: Cursor, lines: Sequence[Change]) -> list[Change]:
    """The lines, those of projects that are not for everybody marked."""
    names = {line.project for line in lines if line.project is not None}
    private = await reads.private_among(cursor, sorted(names))
    return [
        _with(line, is_private=True) if line.project in private and not _leaves(line) else line
        for line in lines
    ]


def _leaves(line: Change) -> bool:
    """Whether everybody is told, as the last they hear of a project."""
    return isinstance(line, ReadsChanged) and line.before == Access.PUBLIC.value


def _of_former(line: Change, names: Sequence[FormerRow]) -> list[Change]:
    if isinstance(line, ProjectRemoved):
        # Its names are no longer its own.
        return [_with(line, project=name, name=name, former_names=()) for name in line.former_names]
    if not isinstance(line, SEEN_UNDER_FORMER_NAMES):
        return []
    version = None if isinstance(line, FileRemoved | ReleaseRemoved) else journal_words.version(line)
    return [
        _with(line, project=one.normalized, name=one.name)
        for one in names
        if version is None or version in one.versions
    ]


def _with(line: Change, **other: Any) -> Change:
    changed: Change = evolve(cast(Any, line), **other)
    return changed


async def _create(cursor: Cursor, publication: Publication, lines: list[Change]) -> ProjectRow:
    submission, identity = publication.submission, publication.identity
    await removal.free(cursor, submission.project)
    project = await projects.add(cursor, submission.name, access=publication.access, now=publication.now)
    assert project is not None, "the creation of this name is locked"
    lines.append(ProjectCreated(project=project.normalized, name=project.name, actor=identity.name))
    if identity.user_id is not None:
        await roles.add(
            cursor,
            project_id=project.id,
            user_id=identity.user_id,
            role=Role.OWNER,
            now=publication.now,
        )
        owner = RoleAdded(
            project=project.normalized,
            name=project.name,
            actor=identity.name,
            role=Role.OWNER.value,
            user=identity.name,
        )
        lines.append(owner)
    return project


async def _release(
    cursor: Cursor, project: ProjectRow, publication: Publication, lines: list[Change]
) -> ReleaseRow:
    found = publication.metadata
    kept = found.to_json()
    kept.pop("description", None)
    release = await releases.add(
        cursor,
        project_id=project.id,
        version=publication.submission.version,
        summary=found.summary or "",
        metadata=kept,
        now=publication.now,
    )
    if found.description:
        await releases.describe(
            cursor,
            release_id=release.id,
            content_type=found.description_content_type or "",
            raw=found.description,
            html=publication.rendered.html,
            renderer=publication.rendered.renderer,
        )
    await releases.classify(cursor, release_id=release.id, classifiers=found.classifiers)
    lines.append(
        ReleaseCreated(
            project=project.normalized,
            name=publication.submission.name,
            actor=publication.identity.name,
            version=release.version,
        )
    )
    return release


async def _add_file(
    cursor: Cursor,
    project: ProjectRow,
    release: ReleaseRow,
    publication: Publication,
    lines: list[Change],
) -> None:
    submission = publication.submission
    spooled, file = submission.spooled, submission.file
    row = NewFile(
        project_id=project.id,
        release_id=release.id,
        filename=file.filename,
        filetype=file.filetype.value,
        python_version=submission.python_version,
        size=spooled.size,
        md5=spooled.md5,
        sha256=spooled.sha256,
        blake2_256=spooled.blake2_256,
        metadata_sha256=publication.metadata_sha256,
        requires_python=publication.metadata.requires_python or "",
        comment=submission.comment,
        uploader_id=publication.identity.user_id,
        uploaded=publication.now,
    )
    await files.add(cursor, row, canonical=file.canonical)
    lines.append(
        FileAdded(
            project=project.normalized,
            name=submission.name,
            actor=publication.identity.name,
            version=release.version,
            filename=file.filename,
            python_version=submission.python_version,
        )
    )
