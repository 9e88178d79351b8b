"""Why a file is not published; each sentence is what twine and uv print."""

from __future__ import annotations

from attrs import frozen

from pypi.domain.errors import Forbidden, Invalid, TooLarge


@frozen
class NameReserved(Invalid):
    """The name belongs to Python's standard library."""

    name: str

    def __str__(self) -> str:
        return f"The name {self.name!r} isn't allowed (conflict with Python Standard Library module name)."


@frozen
class NameProhibited(Invalid):
    """The operator keeps the name from being taken."""

    name: str

    def __str__(self) -> str:
        return f"The name {self.name!r} isn't allowed."


@frozen
class NameMoved(Invalid):
    """A project had the name, and is called otherwise now."""

    name: str
    now: str

    def __str__(self) -> str:
        return f"The name {self.name!r} isn't allowed: that project is called {self.now!r} now."


@frozen
class NameWithdrawn(Invalid):
    """A project had the name, and was deleted: only who owned it may begin anew."""

    name: str

    def __str__(self) -> str:
        return f"The name {self.name!r} isn't allowed: a project of that name was deleted."


@frozen
class NameTooSimilar(Invalid):
    """A hurried reader would take the name for that of another project."""

    name: str
    existing: str

    def __str__(self) -> str:
        return f"The name {self.name!r} is too similar to an existing project ({self.existing!r})."


@frozen
class MayNotUpload(Forbidden):
    """The account has no role that comes with uploading to this project."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} isn't allowed to upload to project {self.project!r}."


@frozen
class TokenOfOtherProject(Forbidden):
    """The token is good for one project, and this is another."""

    project: str

    def __str__(self) -> str:
        return f"Invalid API Token: project-scoped token is not valid for project: {self.project!r}."


class TokenReadsOnly(Forbidden):
    """The token is good for reading, and this is none."""

    def __str__(self) -> str:
        return "Invalid API Token: this token is for reading only; make one that may upload."


@frozen
class ProjectClosed(Forbidden):
    """The project takes no files in its present status (PEP 792)."""

    project: str
    status: str

    def __str__(self) -> str:
        return f"The project {self.project!r} is {self.status} and takes no new files."


@frozen
class ReleaseHeldBack(Forbidden):
    """The release is looked into by the operator."""

    project: str
    version: str

    def __str__(self) -> str:
        return f"Version {self.version!r} of project {self.project!r} is quarantined and takes no new files."


@frozen
class FilenameTaken(Invalid):
    """Another file has this name, or this very content has another name; twine knows the first words."""

    filename: str
    blake2_256: str

    def __str__(self) -> str:
        return f"File already exists ({self.filename!r}, with blake2_256 hash {self.blake2_256!r})."


@frozen
class FilenameUsedUp(Invalid):
    """A file of this name was published once; the name is never used again."""

    filename: str

    def __str__(self) -> str:
        return (
            "This filename was previously used by a file that has since been deleted. "
            f"Use a different version. ({self.filename!r})"
        )


@frozen
class FilenameSpelledOtherwise(Invalid):
    """The same file under another spelling of its name exists, or did."""

    filename: str
    existing: str

    def __str__(self) -> str:
        return f"File already exists: {self.filename!r} is another spelling of {self.existing!r}."


@frozen
class FileTooLarge(TooLarge):
    """The file has more bytes than this index takes."""

    limit: str

    def __str__(self) -> str:
        return f"File too large. Limit for this index is {self.limit}."


@frozen
class ProjectTooLarge(Invalid):
    """With this file the project would have more bytes than this index grants one project."""

    project: str
    limit: str

    def __str__(self) -> str:
        return f"Project size too large. Limit for project {self.project!r} total size is {self.limit}."


@frozen
class ReleaseClosed(Invalid):
    """The release is complete: files come within days of the first, not years later by a thief."""

    days: int

    def __str__(self) -> str:
        return f"Uploading new files to releases older than {self.days} days is not allowed."


@frozen
class SdistAlreadyThere(Invalid):
    """A release has one source distribution."""

    filename: str

    def __str__(self) -> str:
        return f"Only one sdist may be uploaded per release ({self.filename!r} is there)."


@frozen
class ZipSdist(Invalid):
    """Source distributions in zip archives are switched off here (PEP 625)."""

    filename: str

    def __str__(self) -> str:
        return f"Invalid file extension: {self.filename!r}: source distributions are .tar.gz on this index."


@frozen
class MetadataDisagrees(Invalid):
    """The file's own metadata, its filename and the form do not speak of one release."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence
