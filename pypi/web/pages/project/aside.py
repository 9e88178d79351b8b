"""What stands beside a description: facts and links of a release, each of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from pypi.domain.metadata import Metadata
from pypi.domain.metadata.links import links

MOST_LINKS = 40
MOST_WORDS = 40
"""Keywords."""
MOST_CLASSIFIERS = 100
LONGEST_TEXT = 300
"""Characters of a single fact."""

ICONS = {
    "home": "homepage home website",
    "code": "source sourcecode repository github gitlab code",
    "book": "documentation docs readthedocs manual",
    "clock": "changelog changes releasenotes whatsnew history news",
    "bug": "issues bugtracker issuetracker tracker bugs bugreports",
    "heart": "funding donate sponsor donation",
    "download": "download downloads",
    "mail": "mailinglist chat discussions forum",
}
"""Icons of links by what their labels are called, without blanks and points.

Source: the well-known labels (PEP 753), and what people write besides.
"""

_BY_LABEL = {label: icon for icon, labels in ICONS.items() for label in labels.split()}
_DROPPED = re.compile(r"[^a-z0-9]")


@frozen
class Link:
    """A link somebody wrote into metadata."""

    label: str
    url: str
    icon: str


@frozen(kw_only=True)
class Aside:
    """What stands there, besides what a document says itself.

    Attributes:
        license: an expression, or the beginning of a text.
        people: who wrote it, by their own account: (``Author`` or ``Maintainer``, text) pairs.
        classifiers: the first part of each → what stands below it, with the whole classifier.
        more_classifiers: how many were left out.
    """

    links: Sequence[Link]
    license: str
    people: Sequence[tuple[str, str]]
    keywords: Sequence[str]
    classifiers: Mapping[str, Sequence[tuple[str, str]]]
    more_classifiers: int


def aside(said: Metadata) -> Aside:
    """Choose what to show of what is said of a release."""
    return Aside(
        links=[
            Link(label, url, _BY_LABEL.get(_DROPPED.sub("", label.lower()), "external"))
            for label, url in list(links(said).items())[:MOST_LINKS]
            if is_web(url)
        ],
        license=_shortened(said.license_expression or said.license or ""),
        people=list(_people(said)),
        keywords=said.keywords[:MOST_WORDS],
        classifiers=_grouped(said.classifiers[:MOST_CLASSIFIERS]),
        more_classifiers=max(0, len(said.classifiers) - MOST_CLASSIFIERS),
    )


def is_web(url: str) -> bool:
    """Whether a URL that somebody wrote into metadata may be made a link."""
    return url.lower().startswith(("https://", "http://"))


def _shortened(text: str) -> str:
    line = " ".join(text[: LONGEST_TEXT * 2].split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"


def _people(said: Metadata) -> Iterable[tuple[str, str]]:
    for word, name, address in (
        ("Author", said.author, said.author_email),
        ("Maintainer", said.maintainer, said.maintainer_email),
    ):
        if name or address:
            yield word, _shortened(name or address or "")


def _grouped(classifiers: Iterable[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for classifier in classifiers:
        first, _, rest = classifier.partition(" :: ")
        groups.setdefault(first, []).append((rest or first, classifier))
    return groups
