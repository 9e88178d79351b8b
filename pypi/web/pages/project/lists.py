"""Lists of a project's pages: its releases along time, and the files of a release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from attrs import frozen

from pypi.domain import versions
from pypi.domain.filenames import FileType
from pypi.domain.values import Yank
from pypi.domain.wheel_words import suits
from pypi.index.documents import Document, PublishedFile, ReleaseLine

RELEASES_SHOWN = 200
FILES_SHOWN = 200

MOST_WORDS = 6
"""Pythons or systems of one file that are named; a filename may hold dozens."""


@frozen
class Release:
    """A release as the timeline shows it."""

    version: str
    created: datetime
    yank: Yank | None
    is_prerelease: bool
    is_latest: bool


def timeline(document: Document, shown: Iterable[ReleaseLine]) -> Sequence[tuple[int, Sequence[Release]]]:
    """(year, its releases) pairs, in the order of the versions."""
    made = (
        Release(
            one.version,
            one.created,
            one.yank,
            versions.is_prerelease(one.version),
            one.version == document.latest,
        )
        for one in shown
    )
    return [(year, tuple(group)) for year, group in groupby(made, key=lambda one: one.created.year)]


@frozen
class File:
    """A file as the table shows it.

    Attributes:
        kind: in a word.
        pythons: it is for, in words.
        systems: it is for, in words.
    """

    file: PublishedFile
    kind: str
    pythons: Sequence[str]
    systems: Sequence[str]


def described(file: PublishedFile) -> File:
    """A file with words for what it is."""
    if file.filetype == FileType.SDIST.value:
        return File(file, "Source", (), ())
    found = suits(file.filename)
    return File(file, "Wheel", _few(found.pythons), _few(found.systems))


def _few(words: Sequence[str]) -> Sequence[str]:
    return (
        words
        if len(words) <= MOST_WORDS
        else (*words[: MOST_WORDS - 1], f"{len(words) - MOST_WORDS + 1} more")
    )
