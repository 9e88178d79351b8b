"""What is not for everybody to read: what a request is about, and what comes of looking who asks.

Answers are made for everybody, and kept; of what is private they know nothing. Whoever may read it is found
before anything is answered, and gets answers of his own, which nobody keeps; to all others it is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from attrs import frozen

from pypi.domain.names import NormalizedName, normalize
from pypi.http.answer import Answer


class Of(Enum):
    """What the variables of a route's path name: a project, or a file by the digest of its content."""

    PROJECT = "project"
    FILE = "file"


@frozen
class Subject:
    """What a request is about; one of both.

    Attributes:
        project: a normalized name.
        file: BLAKE2b-256, hexadecimal.
    """

    project: NormalizedName | None = None
    file: str = ""

    @classmethod
    def named(cls, of: Of | None, values: Mapping[str, str]) -> Subject | None:
        """The subject of a request by the variables of its path; ``None`` where it has none."""
        match of:
            case Of.PROJECT:
                return cls(project=normalize(values["name"]))
            case Of.FILE:
                return cls(file=values["first"] + values["second"] + values["rest"])
        return None


@frozen(kw_only=True)
class Look:
    """What came of looking who asks.

    Attributes:
        instead: what to answer in place of anything else, such as where to sign in.
        is_reader: whether the subject is private, and this is one of those who read it.
        missing: to be waited for before anybody is told that there is nothing: then it takes as long, and
            fails as often, as where there is something that may not be read. Raises ``Refusal``.
        goes_on: whether what has no end may go on, since whoever asks may still read. It keeps what was
            shown, and no request. ``None``: for as long as both like.
    """

    instead: Answer | None = None
    is_reader: bool = False
    missing: Callable[[], Awaitable[object]] | None = None
    goes_on: Callable[[], Awaitable[bool]] | None = None


EVERYBODY = Look()
"""There is nothing to look at: whoever asks gets what everybody does."""


class Reading(Protocol):
    """Decides who reads."""

    def look(self, request: Any, subject: Subject | None) -> Awaitable[Look] | None:
        """Look who asks; ``None`` where that makes no difference.

        It may say of the request that its answer is for readers (``Request.for_readers``).

        Raises:
            Refusal: nobody known asks, or it is not known who may read.
        """
