"""What the index knows that bears on an upload, read in one go."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.queries import files, projects, releases, removal, roles
from pypi.db.queries.files import KnownFile
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.releases import ReleaseRow
from pypi.db.queries.removal import FormerName
from pypi.domain.filenames import FileType
from pypi.domain.permissions import Identity, Role
from pypi.publishing.submission import Submission


@frozen(kw_only=True)
class Facts:
    """The state of the index around one submission.

    Attributes:
        project: ``None`` for a name nobody has taken.
        role: the uploader's in the project.
        look_alike: name of another project that reads like this one, empty where that is not for everybody;
            looked up for new names only.
        is_prohibited: whether the operator keeps the name from being taken; for new names only.
        former: what became of the project that had the name; for new names only.
        size: bytes of the project's files.
        clash: the listed file with this name, or else with this content.
        ever_used: filename of which this one is a spelling and which was once published.
        release: ``None`` for a new version.
        is_left: whether the release was published under a name the project had before.
        begun_again: when it was published under the present name as well; ``None``: it was not. Nobody can
            have relied on it by that name before.
        sdist: filename of the release's source distribution; looked up for source distributions only.
    """

    project: ProjectRow | None
    role: Role | None = None
    look_alike: str | None = None
    is_prohibited: bool = False
    former: FormerName | None = None
    size: int = 0
    clash: KnownFile | None = None
    ever_used: str | None = None
    release: ReleaseRow | None = None
    is_left: bool = False
    begun_again: datetime | None = None
    sdist: str | None = None


async def look(cursor: Cursor, submission: Submission, identity: Identity) -> Facts:
    """The facts at this moment; true until somebody changes them."""
    project = await projects.by_name(cursor, submission.project)
    return await _around(cursor, project, submission, identity)


async def hold(cursor: Cursor, submission: Submission, identity: Identity) -> Facts:
    """The facts, which nobody can change until this transaction ends.

    Locks the content first, then the project, or for a new name all that look like it.
    """
    await files.lock_blob(cursor, submission.spooled.blake2_256)
    project = await projects.locked(cursor, submission.project)
    if project is None:
        await projects.lock_creation(cursor, submission.name)
        project = await projects.locked(cursor, submission.project)
    return await _around(cursor, project, submission, identity)


async def _around(
    cursor: Cursor, project: ProjectRow | None, submission: Submission, identity: Identity
) -> Facts:
    clash = await files.clashing(
        cursor, filename=submission.file.filename, blake2_256=submission.spooled.blake2_256
    )
    ever_used = await files.ever_used(
        cursor, filename=submission.file.filename, canonical=submission.file.canonical
    )
    if project is None:
        return Facts(
            project=None,
            look_alike=await projects.look_alike(cursor, submission.name),
            is_prohibited=await projects.is_prohibited(cursor, submission.project),
            former=await removal.former_name(cursor, submission.project, user_id=identity.user_id),
            clash=clash,
            ever_used=ever_used,
        )
    release = await releases.by_version(cursor, project_id=project.id, version=submission.version)
    role = None
    if identity.user_id is not None:
        role = await roles.of_user(cursor, project_id=project.id, user_id=identity.user_id)
    is_left, begun_again = (False, None) if release is None else await files.left(cursor, release.id)
    sdist = None
    if release is not None and submission.file.filetype is FileType.SDIST:
        sdist = await files.sdist_of(cursor, release.id)
    return Facts(
        project=project,
        role=role,
        size=await projects.size(cursor, project.id),
        clash=clash,
        ever_used=ever_used,
        release=release,
        is_left=is_left,
        begun_again=begun_again,
        sdist=sdist,
    )
