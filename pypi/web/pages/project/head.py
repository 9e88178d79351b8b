"""What stands above every section of a project: its status, always with the reason, and how to install it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from attrs import frozen

from pypi.domain import versions
from pypi.domain.permissions import Access
from pypi.domain.values import Status
from pypi.index.documents import Document
from pypi.web.pages.connect import Here


@frozen
class Said:
    """A status.

    Attributes:
        kind: ``good``, ``warn``, ``bad`` or ``neutral``.
        word: for the badge.
        sentence: what it means.
        reason: as it was given; may be empty.
        latest: the version that a reader may prefer; empty where there is none.
        successor: the project that a reader may prefer; empty where there is none.
    """

    kind: str
    word: str
    sentence: str = ""
    reason: str = ""
    latest: str = ""
    successor: str = ""


def statuses(document: Document, *, exactly: bool) -> Sequence[Said]:
    """All there is to say, the gravest first.

    Args:
        exactly: whether this release is meant, or whichever is the latest.
    """
    return [
        *_of_access(document.access),
        *_of_release(document),
        *_of_project(document),
        *_of_version(document, exactly=exactly),
    ]


def _of_access(access: Access) -> Iterator[Said]:
    match access:
        case Access.ROLES:
            sentence = "Only those with a role in this project know of it; installers have to show a token."
            yield Said("neutral", "Private", sentence)
        case Access.ACCOUNTS:
            sentence = "Only those with an account know of this project; installers have to show a token."
            yield Said("neutral", "Private", sentence)


def _of_release(document: Document) -> Iterator[Said]:
    if document.yank is not None:
        sentence = "Installers take this release only where it is asked for exactly."
        yield Said("bad", "Yanked", sentence, document.yank.reason)


def _of_project(document: Document) -> Iterator[Said]:
    if document.status is Status.ARCHIVED:
        sentence = "This project is kept as it is: no further releases are to be expected."
        yield Said("warn", "Archived", sentence, document.status_reason)
    if document.status is Status.DEPRECATED:
        sentence = "Its maintainers advise against using this project."
        yield Said("warn", "Deprecated", sentence, document.status_reason, successor=document.successor)


def _of_version(document: Document, *, exactly: bool) -> Iterator[Said]:
    if versions.is_prerelease(document.version):
        yield Said(
            "neutral", "Pre-release", "Installers pass it over unless they are asked for pre-releases."
        )
    if document.version != document.latest:
        older = versions.sort_key(document.version) < versions.sort_key(document.latest)
        yield Said("neutral", "Not the latest" if older else "Another is the latest", latest=document.latest)
    elif exactly:
        yield Said("good", "Latest release")
    if document.former_name:
        sentence = "The project was called so when this was released, and installers find it by that name."
        yield Said("neutral", f"Released as {document.former_name}", sentence)


@frozen
class Line:
    """What to type.

    Attributes:
        tool: whose line it is.
    """

    tool: str
    text: str


def install_lines(document: Document, here: Here, *, exactly: bool) -> Sequence[Line]:
    """A line for each tool, with this index's URL, the one most people want first.

    Args:
        exactly: whether this very version is wanted.
    """
    # Where everything was taken back, nothing is installed unless it is asked for exactly.
    exactly = exactly or document.yank is not None
    index = here.simple
    name = document.installed_as
    wanted = shlex.quote(f"{name}=={document.version}" if exactly else name)
    # Over plain HTTP pip and PDM take nothing from another machine unless they are told to.
    trusting = f" --trusted-host {here.trusted}" if here.trusted else ""
    unverified = " && pdm config --local pypi.verify_ssl false" if here.trusted else ""
    return (
        Line(
            "pip", f"pip install{_allowing(document, exactly=exactly)} --index-url {index}{trusting} {wanted}"
        ),
        Line("uv", f"uv add --default-index {index} {wanted}"),
        Line("Poetry", f"poetry source add --priority=primary {here.called} {index} && poetry add {wanted}"),
        Line("PDM", f"pdm config --local pypi.url {index}{unverified} && pdm add {wanted}"),
    )


def pinned(document: Document) -> str:
    """Lines of a requirements file that take nothing but these files, by their content."""
    wanted = f"{document.installed_as}=={document.version}"
    hashes = [f"    --hash=sha256:{file.sha256}" for file in document.files]
    return " \\\n".join([wanted, *hashes])


def _allowing(document: Document, *, exactly: bool) -> str:
    """Of a project with nothing but pre-releases nothing is installed unless that is allowed."""
    return " --pre" if not exactly and versions.is_prerelease(document.version) else ""
