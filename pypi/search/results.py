"""What is found for a person, as values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.search.inquiry import PER_PAGE

Marked = Sequence[tuple[str, bool]]
"""A text in pieces that together are the whole of it; those with ``True`` are what was looked for."""


@frozen(kw_only=True)
class Project:
    """A project that was found.

    Attributes:
        name: as displayed.
        version: the latest stable one, else the latest.
        summary: of that version; may be empty.
        created: when that version was; aware, UTC.
        downloads: of the last 30 days.
        matched: the fields that hold words looked for, of ``name``, ``keywords``, ``summary``,
            ``classifiers``, ``authors`` and ``description``, in this order.
        marked_name: the name, with what was looked for marked.
        marked_summary: the summary likewise.
    """

    name: str
    normalized: str
    version: str
    summary: str
    created: datetime
    downloads: int = 0
    matched: Sequence[str] = ()
    marked_name: Marked = ()
    marked_summary: Marked = ()


@frozen(kw_only=True)
class Results:
    """A page of what was found, and what it can be narrowed to; all of it bounded.

    Attributes:
        hits: of this page, the best first.
        total: projects found; the exact number unless there are ``more``.
        more: whether there are more than ``total``.
        is_loose: whether nothing has all the words, and these are projects that have most of them.
        page: from 1; ``hits`` is empty beyond the last.
        last: page; at least 1.
        counted: the best of what was found, at most so many, which the three counts below are of.
        classifiers: (classifier, projects that have it or one below it), by name; what only stands above
            classifiers, such as ``Topic``, is among them.
        pythons: (version such as ``3.12``, projects that run on it), the newest first.
        with_wheels: projects with a wheel.
        near: names of projects that are close to what was typed, where little or nothing was found.
    """

    hits: Sequence[Project] = ()
    total: int = 0
    more: bool = False
    is_loose: bool = False
    page: int = 1
    last: int = 1
    counted: int = 0
    classifiers: Sequence[tuple[str, int]] = ()
    pythons: Sequence[tuple[str, int]] = ()
    with_wheels: int = 0
    near: Sequence[str] = ()

    @property
    def first(self) -> int:
        """The place of the first hit of this page among all, from 1."""
        return (self.page - 1) * PER_PAGE + 1


@frozen
class Suggestion:
    """A project whose name somebody may be typing; ``summary`` may be empty."""

    name: str
    summary: str
