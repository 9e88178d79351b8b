"""The sections of a project's pages: what each is called, where it is, and how much of a release it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from attrs import evolve, frozen

from pypi.domain.values import Extent
from pypi.http.urls import project_path, quoted, release_path
from pypi.index.dependencies import needed_always
from pypi.index.documents import Document
from pypi.web.templates import PAGE

HIGHEST_PAGE = 10_000
"""Number of a page that anybody may ask for."""


@frozen(kw_only=True)
class Section:
    """One section.

    Attributes:
        word: in its URL; empty for the first.
        label: in the list of sections.
        title: of its page, before the project's name; empty for the first.
        of_release: whether each release has its own, or the project one for all.
        extent: how much it shows.
    """

    word: str
    label: str
    title: str = ""
    of_release: bool = True
    extent: Extent

    def path(self, name: str, version: str | None) -> str:
        """Where it is.

        Args:
            name: as displayed.
            version: as it was first spelled; ``None`` for the latest.
        """
        whose = project_path(name) if version is None or not self.of_release else release_path(name, version)
        return f"{whose}{self.word}/" if self.word else whose


NOTHING_LISTED = Extent(described=False, files=False, history=False)

OVERVIEW = Section(word="", label="Overview", extent=Extent(rendered=True, files=False, history=False))
RELEASES = Section(
    word="releases",
    label="Releases",
    title="Releases",
    of_release=False,
    extent=evolve(NOTHING_LISTED, history=True),
)
FILES = Section(word="files", label="Files", title="Files", extent=evolve(NOTHING_LISTED, files=True))
DEPENDENCIES = Section(word="dependencies", label="Dependencies", title="Dependencies", extent=NOTHING_LISTED)
DEPENDENTS = Section(
    word="dependents", label="Dependents", title="Dependents", of_release=False, extent=NOTHING_LISTED
)
SECURITY = Section(
    word="security",
    label="Security",
    title="Security",
    extent=evolve(NOTHING_LISTED, files=True, history=True),
)
SECTIONS = (OVERVIEW, RELEASES, FILES, DEPENDENCIES, DEPENDENTS, SECURITY)


def links(document: Document, *, exactly: bool) -> Sequence[tuple[str, str, int | None]]:
    """(label, URL, how many there are, where that is known) of each section.

    Args:
        exactly: whether this release is meant, or whichever is the latest.
    """
    counts = {
        RELEASES: document.release_count,
        FILES: document.file_count,
        DEPENDENCIES: needed_always(document.metadata.requires_dist),
    }
    version = document.version if exactly else None
    return [(one.label, one.path(document.name, version), counts.get(one)) for one in SECTIONS]


def json_path(document: Document, *, exactly: bool) -> str:
    """Where the same is for programs."""
    version = f"{quoted(document.version)}/" if exactly else ""
    return f"/pypi/{quoted(document.name)}/{version}json"


# --- lists by pages ---------------------------------------------------------------------------------------


def _meant(given: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """The number of a page; the first is what is meant by any nonsense."""
    number = page_number(next(iter(given.get("page", ())), ""))
    return {"page": [str(number)]} if number > 1 else {}


def page_number(text: str) -> int:
    """A number from 1 to ``HIGHEST_PAGE``."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_PAGE))):
        return 1
    return min(max(1, int(text)), HIGHEST_PAGE)


PAGED = evolve(PAGE, query=("page",), meant=_meant)


@frozen
class Slice:
    """A page of a list.

    Attributes:
        page: from 1.
        last: of the pages.
        path: of the first.
        each: how much there is on a page.
    """

    page: int
    last: int
    path: str
    each: int = 1

    @classmethod
    def of(cls, total: int, each: int, page: int, path: str) -> Slice:
        """The page that is asked for; of those there are not, the last."""
        last = max(1, -(-total // each))
        return cls(min(page, last), last, path, each)

    @property
    def slice(self) -> slice:
        """Of the list."""
        return slice((self.page - 1) * self.each, self.page * self.each)

    def url(self, page: int) -> str:
        """Of another page of the list."""
        return self.path if page == 1 else f"{self.path}?{urlencode({'page': page})}"
