"""Refusals: the nouns for what an index will not do.

A refusal's ``str()`` is one sentence a person can act on; twine and uv print it as they get it. Its
family (``Invalid``, ``Forbidden`` …) says whose mistake it is; ``pypi.http.refused`` turns families into
statuses in one table. Nothing here knows of HTTP.
"""

from __future__ import annotations

from attrs import frozen


class Refusal(Exception):
    """Base of every refusal; never raised itself."""


class Invalid(Refusal):
    """What was sent breaks a rule of packages or of this index (400)."""


class Unauthenticated(Refusal):
    """Nobody recognisable is asking (401 or 403, by what the client understands)."""


class Forbidden(Refusal):
    """Somebody recognisable is asking for what they may not do (403)."""


class NotFound(Refusal):
    """There is no such thing (404)."""


class NotOffered(Refusal):
    """The address is right, but nobody can ask this of it (405)."""


class Gone(Refusal):
    """There was such a thing, and it will not come back (410)."""


class Conflict(Refusal):
    """The request contradicts the state of things (409)."""


class TooLarge(Refusal):
    """More bytes than this route takes (413)."""


class NotReadHere(Refusal):
    """What was sent is of a kind that nobody reads here (415)."""


class TooMany(Refusal):
    """The caller asks too often (429).

    Attributes:
        retry_after: seconds until asking again makes sense.
    """

    retry_after: int = 60


class Unavailable(Refusal):
    """Something behind the index does not answer now; nothing was changed (503).

    Attributes:
        retry_after: seconds until asking again makes sense.
    """

    retry_after: int = 5

    def __str__(self) -> str:
        return "The index cannot answer this at the moment. Try again later."


@frozen
class NoSuchProject(NotFound):
    """No project of that normalized name."""

    name: str

    def __str__(self) -> str:
        return f"There is no project named {self.name!r} on this index."


@frozen
class ProjectMoved(NoSuchProject):
    """The project that had the name is called otherwise now.

    Attributes:
        now: its name as displayed.
    """

    now: str

    def __str__(self) -> str:
        return f"There is no project named {self.name!r} any more: it is called {self.now!r} now."


@frozen
class NoSuchRelease(NotFound):
    """The project has no such version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"There is no version {self.version!r} of {self.name!r} on this index."


@frozen
class NoSuchFile(NotFound):
    """No file at that store path."""

    path: str

    def __str__(self) -> str:
        return f"There is no file {self.path!r} on this index."


@frozen
class InvalidDistribution(Invalid):
    """The archive is not what its filename promises, or is built to confuse or exhaust its reader.

    Attributes:
        detail: what is wrong, as a sentence without the final stop.
    """

    detail: str

    def __str__(self) -> str:
        return f"Invalid distribution file. {self.detail}"


@frozen
class InvalidField(Invalid):
    """A field of the form, or of the core metadata in the file, breaks its rule.

    Attributes:
        field: its name in the form (``requires_dist``), for programs.
        message: the whole sentence, for people.
    """

    field: str
    message: str

    def __str__(self) -> str:
        return self.message


@frozen
class StorageFull(Unavailable):
    """The disk or bucket takes no more bytes (507)."""

    def __str__(self) -> str:
        return "The index has no room to store this file at the moment; nothing was stored."


@frozen
class StorageFailed(Unavailable):
    """Writing or reading the file store failed; the file was not stored."""

    def __str__(self) -> str:
        return "The file store does not answer at the moment; nothing was stored. Try again later."
