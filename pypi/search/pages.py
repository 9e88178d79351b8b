"""From a person's question to one for the database, and back from rows to a page of results; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from trove_classifiers import classifiers

from pypi.db.queries.search_pages import MOST, FoundPage, PageSought
from pypi.search.inquiry import PER_PAGE, Inquiry
from pypi.search.results import Marked, Project, Results
from pypi.search.terms import Terms, terms_of

FIELDS = ("name", "keywords", "summary", "classifiers", "authors", "description")
PYTHON = "Programming Language :: Python :: "
FEW = 5
"""Projects found, from which names that are close are no news."""

LABEL_OF_PYTHON, LABEL_OF_WHEEL = "@python ", "@wheel"
"""Labels that are no classifiers (``label_names`` in the database)."""


def page_sought(inquiry: Inquiry) -> PageSought:
    """A person's question in the terms of the database."""
    terms = terms_of(inquiry.text)
    labels = list(inquiry.classifiers)
    labels += [LABEL_OF_PYTHON + inquiry.python] if inquiry.python else []
    return PageSought(
        whole=terms.whole,
        inner=terms.inner,
        every=terms.every,
        beginning=terms.beginning,
        looser=terms.looser,
        any=terms.any,
        named=terms.named,
        labels=[*labels, LABEL_OF_WHEEL] if inquiry.wheels else labels,
        wordless=not inquiry.text,
        order=inquiry.order.value,
        offset=(inquiry.page - 1) * PER_PAGE,
        limit=PER_PAGE,
    )


def needs_near(inquiry: Inquiry, found: FoundPage) -> bool:
    """Whether little enough was found for names that are close to be news: no project of this very name."""
    whole = terms_of(inquiry.text).whole
    return found.strict < FEW and all(hit[1].replace("-", "") != whole for hit in found.hits)


def results(inquiry: Inquiry, found: FoundPage, near: Sequence[str]) -> Results:
    """What was found, as values."""
    terms, total = terms_of(inquiry.text), min(found.total, MOST)
    return Results(
        hits=[_project(terms, hit) for hit in found.hits],
        total=total,
        more=found.more or found.total > MOST,
        is_loose=found.total > found.strict == 0,
        page=inquiry.page,
        last=max(1, -(-total // PER_PAGE)),
        counted=found.counted,
        classifiers=sorted(pair for pair in found.labels.items() if not pair[0].startswith("@")),
        pythons=_pythons(found.labels),
        with_wheels=found.labels.get(LABEL_OF_WHEEL, 0),
        near=near,
    )


def _project(terms: Terms, hit: Sequence[Any]) -> Project:
    name, normalized, version, summary, created, downloads, matched, marked = hit
    return Project(
        name=name,
        normalized=normalized,
        version=version,
        summary=summary,
        created=datetime.fromtimestamp(created, UTC),
        downloads=downloads,
        matched=_matched(terms, normalized, matched),
        marked_name=_marked_name(terms, name),
        marked_summary=list(_marked(summary, marked)),
    )


def _matched(terms: Terms, normalized: str, by_field: Sequence[bool]) -> Sequence[str]:
    fields = dict(zip(FIELDS, by_field, strict=False))
    squashed = normalized.replace("-", "")
    if any(one in squashed for one in terms.inner if len(one) > 1):
        fields["name"] = True
    return [one for one in FIELDS if fields.get(one)]


def _marked(text: str, marked: str) -> Iterator[tuple[str, bool]]:
    """A text in pieces, by another of its length in which words stand between control characters 2 and 3."""
    at = 0
    for place, piece in enumerate(re.split("[\x02\x03]", marked)):
        if piece:
            yield text[at : at + len(piece)], place % 2 == 1
        at += len(piece)


def _marked_name(terms: Terms, name: str) -> Marked:
    """A name with the words in it, or with the most of what was typed that is in it in one piece."""
    words = sorted({*terms.inner, terms.whole} - {""}, key=len, reverse=True)
    if not words:
        return [(name, False)]
    # Names are spelled with separators where people type none, and the other way round.
    spelled = ("[-_.]*".join(map(re.escape, word)) for word in words)
    pieces = re.split(f"({'|'.join(spelled)})", name, flags=re.IGNORECASE)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


def _pythons(labels: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Versions there are, the newest first: what admits all to come says nothing about these."""
    counts = {version: labels.get(LABEL_OF_PYTHON + version, 0) for version in _versions()}
    return [pair for pair in counts.items() if pair[1]]


@cache
def _versions() -> Sequence[str]:
    found = (one.removeprefix(PYTHON) for one in classifiers if one.startswith(PYTHON))
    versions = (one for one in found if re.fullmatch(r"[23]\.[0-9]+", one))
    return sorted(versions, key=lambda one: tuple(map(int, one.split("."))), reverse=True)
