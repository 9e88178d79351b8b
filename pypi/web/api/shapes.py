"""What is asked of the API, and what it answers: each class is an object of JSON, and its own description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from pypi.domain import names, versions
from pypi.domain.permissions import Access, Role
from pypi.domain.values import Status
from pypi.publishing.yank import LONGEST_REASON, MOST_AT_ONCE
from pypi.web.api.fields import choice, listed, shown, text, texts

LONGEST_FILENAME = 255
LONGEST_USER = 50


def _reason() -> Any:
    about = "for those who see it, one line; may be empty"
    return text(about, longest=LONGEST_REASON, example="breaks on Sundays", default="")


def _user() -> Any:
    return text("the name of an account", longest=LONGEST_USER, example="grace")


def _confirm() -> Any:
    about = "the name of the project once more, so that nothing is deleted by mistake"
    return text(about, longest=names.MAX_LENGTH, example="golden-cheese")


def _version() -> Any:
    return text("a version, in any spelling", longest=versions.MAX_LENGTH, example="1.0")


def _versions() -> Any:
    about = "versions, in any spelling; all of them, or none"
    return texts(about, longest=versions.MAX_LENGTH, most=MOST_AT_ONCE, example=["1.0", "1.1"])


# What is asked


@frozen(kw_only=True)
class Nothing:
    """There is nothing to say."""


@frozen(kw_only=True)
class Yanked:
    """Releases, and why."""

    versions: Sequence[str] = _versions()
    reason: str = _reason()


@frozen(kw_only=True)
class Unyanked:
    """Releases."""

    versions: Sequence[str] = _versions()


@frozen(kw_only=True)
class OneRelease:
    """A release that is to be deleted."""

    version: str = _version()
    confirm: str = _confirm()


@frozen(kw_only=True)
class OneFile:
    """A file that is to be deleted."""

    filename: str = text("its name", longest=LONGEST_FILENAME, example="golden_cheese-1.0-py3-none-any.whl")
    confirm: str = _confirm()


@frozen(kw_only=True)
class WholeProject:
    """A project that is to be deleted."""

    confirm: str = _confirm()


@frozen(kw_only=True)
class Archived:
    """Why no more files are taken."""

    reason: str = _reason()


@frozen(kw_only=True)
class Deprecated:
    """Why something else should be used, and what."""

    reason: str = _reason()
    successor: str = text(
        "another project of this index, to be used instead; may be empty",
        longest=names.MAX_LENGTH,
        example="silver-cheese",
        default="",
    )


@frozen(kw_only=True)
class Renamed:
    """What a project is to be called."""

    new_name: str = text("its name from now on", longest=names.MAX_LENGTH, example="silver-cheese")


@frozen(kw_only=True)
class Readable:
    """Who reads a project."""

    reads: Access = choice(
        "everybody, every account, or those with a role in it; never more than read the index",
        Access,
        example="roles",
    )


@frozen(kw_only=True)
class Somebody:
    """An account."""

    user: str = _user()


@frozen(kw_only=True)
class InRole:
    """An account, and what it is to be to the project."""

    user: str = _user()
    role: Role = choice("the role", Role, example="Maintainer")


# What is answered


@frozen(kw_only=True)
class Done:
    """What was asked is so now."""

    changed: bool = shown("whether it was not so before", {"type": "boolean"}, True)
    serial: int | None = shown(
        "of the change in the journal; null where nothing changed that everybody may know of",
        {"type": ["integer", "null"]},
        2471455,
    )

    @classmethod
    def by(cls, serial: int | None) -> Done:
        """By a change of this serial; ``None``: it was so before."""
        return cls(changed=serial is not None, serial=serial)


UNCHANGED = Done(changed=False, serial=None)
QUIETLY = Done(changed=True, serial=None)
"""It was done, and no page is another for it."""

_MOMENT = {"type": "string", "format": "date-time"}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_WHEN = "2026-02-03T04:05:06.250000Z"


@frozen(kw_only=True)
class OwnProject:
    """A project, and what it is to who asks."""

    name: str = shown("as displayed", _TEXT, "Golden.Cheese")
    role: Role = shown("of who asks", {"enum": [one.value for one in Role]}, "Owner")
    status: Status = shown("as in PEP 792", {"enum": [one.value for one in Status]}, "active")
    reads: Access = shown("who reads it", {"enum": [one.value for one in Access]}, "public")
    version: str | None = shown("the latest; null where there is none", {"type": ["string", "null"]}, "1.1")
    files: int = shown("how many there are", _COUNT, 4)
    size: int = shown("bytes of all files", _COUNT, 41020)
    released: str | None = shown(
        "when the last release was made", {"type": ["string", "null"], "format": "date-time"}, _WHEN
    )


@frozen(kw_only=True)
class OwnProjects:
    """A page of the projects in which who asks has a role, by name."""

    projects: Sequence[OwnProject] = listed("the projects", OwnProject)
    count: int = shown("of all pages", _COUNT, 1)
    page: int = shown("which page this is, from 1", _COUNT, 1)
    pages: int = shown("how many there are", _COUNT, 1)


@frozen(kw_only=True)
class Member:
    """An account that has a role."""

    user: str = shown("its name", _TEXT, "ada")
    role: Role = shown("what it is to the project", {"enum": [one.value for one in Role]}, "Owner")
    since: str = shown("since when", _MOMENT, _WHEN)


@frozen(kw_only=True)
class Invited:
    """An account that is offered a role."""

    user: str = shown("its name", _TEXT, "grace")
    role: Role = shown("what it is offered", {"enum": [one.value for one in Role]}, "Maintainer")
    by: str | None = shown("who offers it; null for the operator", {"type": ["string", "null"]}, "ada")
    transfer: bool = shown("whether the project goes to this account", {"type": "boolean"}, False)
    expires: str = shown("until when it may be accepted", _MOMENT, _WHEN)


@frozen(kw_only=True)
class Everyone:
    """Who is what to a project, and who may become it."""

    members: Sequence[Member] = listed("who has a role: owners first", Member)
    invited: Sequence[Invited] = listed("who is offered one", Invited)


@frozen(kw_only=True)
class Entry:
    """Something that happened to a project."""

    at: str = shown("when", _MOMENT, _WHEN)
    actor: str = shown("who did it; empty where that is not known", _TEXT, "ada")
    event: str = shown("what it is, for programs", _TEXT, "project.release-yanked")
    words: str = shown("the same for people, to be read behind the actor", _TEXT, "yanked version 1.0")
    version: str | None = shown("which it is about", {"type": ["string", "null"]}, "1.0")
    serial: int | None = shown("of the journal", {"type": ["integer", "null"]}, 7)
    about: Mapping[str, Any] = shown("what else there is to know", {"type": "object"}, {"reason": "broken"})


@frozen(kw_only=True)
class History:
    """A page of what happened to a project, last first."""

    entries: Sequence[Entry] = listed("what happened", Entry)
    next: str | None = shown(
        "the page after it begins ``before`` this; null for the last",
        {"type": ["string", "null"]},
        "1770091506250000.j7",
    )
