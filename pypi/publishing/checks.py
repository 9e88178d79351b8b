"""The checks of the corridor: pure, each a question about values that are already there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pypi.domain import metadata, names, versions
from pypi.domain.errors import Refusal
from pypi.domain.metadata import Metadata
from pypi.domain.permissions import Identity, Permission, is_granted
from pypi.domain.sizes import show_bytes
from pypi.domain.values import Status
from pypi.publishing.errors import (
    FilenameSpelledOtherwise,
    FilenameTaken,
    FilenameUsedUp,
    MayNotUpload,
    MetadataDisagrees,
    NameMoved,
    NameProhibited,
    NameReserved,
    NameTooSimilar,
    NameWithdrawn,
    ProjectClosed,
    ProjectTooLarge,
    ReleaseClosed,
    ReleaseHeldBack,
    SdistAlreadyThere,
    TokenOfOtherProject,
    TokenReadsOnly,
    ZipSdist,
)
from pypi.publishing.facts import Facts
from pypi.publishing.rules import Rules
from pypi.publishing.submission import Submission


def repeats(submission: Submission, facts: Facts) -> bool:
    """Whether this very file, name and bytes, is listed already: then there is nothing to do."""
    clash = facts.clash
    return (
        clash is not None
        and clash.filename == submission.file.filename
        and clash.sha256 == submission.spooled.sha256
        and clash.blake2_256 == submission.spooled.blake2_256
    )


def of_permission(
    submission: Submission, facts: Facts, identity: Identity, rules: Rules
) -> Iterator[Refusal]:
    """Whether this uploader may put a file into this project."""
    if identity.is_read_only:
        yield TokenReadsOnly()
    if facts.project is None:
        if identity.project_id is not None and not (facts.former and facts.former.now):
            yield TokenOfOtherProject(submission.name)
        yield from of_new_name(submission.name, facts, identity, rules)
        return
    if facts.project.is_private and not (identity.is_operator or facts.role):
        yield NameProhibited(
            submission.name
        )  # as a name that is not free, and nothing is told of the project
        return
    if identity.project_id not in (None, facts.project.id):
        yield TokenOfOtherProject(facts.project.name)
    if not identity.is_operator and not is_granted(facts.role, Permission.UPLOAD):
        yield MayNotUpload(identity.name, facts.project.name)
    if not Status(facts.project.status).takes_uploads:
        yield ProjectClosed(facts.project.name, facts.project.status)
    if facts.release is not None and facts.release.is_quarantined:
        yield ReleaseHeldBack(facts.project.name, facts.release.version)


def of_new_name(name: str, facts: Facts, identity: Identity, rules: Rules) -> Iterator[Refusal]:
    """Whether a name that no project has may be taken."""
    normalized = names.normalize(name)
    if normalized in rules.standard_library:
        yield NameReserved(name)
    if facts.is_prohibited or normalized in rules.reserved:
        yield NameProhibited(name)
    if facts.look_alike == "" or (facts.former is not None and facts.former.now == ""):
        yield NameProhibited(name)  # for the sake of a project that is not for everybody
    elif facts.former is not None and facts.former.now is not None:
        yield NameMoved(name, facts.former.now)
    elif facts.former is not None and not (facts.former.is_own or identity.is_operator):
        yield NameWithdrawn(name)
    if facts.look_alike:
        yield NameTooSimilar(name, facts.look_alike)


def of_file(
    submission: Submission, facts: Facts, identity: Identity, rules: Rules, now: datetime
) -> Iterator[Refusal]:
    """Whether there is room, in every sense, for this file. Not to be asked about a repetition."""
    file, spooled = submission.file, submission.spooled
    if file.filename.endswith(".zip") and not rules.zip_sdists:
        yield ZipSdist(file.filename)
    if facts.size + spooled.size > rules.max_project_size:
        yield ProjectTooLarge(submission.name, show_bytes(rules.max_project_size))
    if facts.clash is not None:
        yield FilenameTaken(facts.clash.filename, facts.clash.blake2_256)
    elif facts.sdist is not None:
        yield SdistAlreadyThere(facts.sdist)
    elif facts.ever_used == file.filename:
        yield FilenameUsedUp(file.filename)
    elif facts.ever_used is not None:
        yield FilenameSpelledOtherwise(file.filename, facts.ever_used)
    if not identity.is_operator and _is_closed(facts, rules, now):
        yield ReleaseClosed(rules.release_days)


def _is_closed(facts: Facts, rules: Rules, now: datetime) -> bool:
    open_for = timedelta(days=rules.release_days)
    if facts.release is None:
        return False
    begun = facts.begun_again if facts.is_left else facts.release.created
    return begun is not None and bool(open_for) and now - begun > open_for


def of_agreement(submission: Submission, found: Metadata) -> Iterator[Refusal]:
    """Whether form, filename and the metadata inside the file speak of one release.

    The file is the truth; whoever shows it to a person and installs from it must see the same.
    """
    name, version = found.name or "", found.version or ""
    if names.normalize(name) != submission.project:
        yield MetadataDisagrees(
            f"The metadata inside {submission.file.filename!r} is of {name!r}, not of {submission.name!r}."
        )
    parsed = versions.parse(version)
    if parsed is None or parsed != submission.file.version:
        yield MetadataDisagrees(
            f"Version in filename should be {version!r} not {submission.file.version_part!r}."
        )
    yield from metadata.differences(submission.metadata, found)
