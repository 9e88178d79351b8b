"""Every page there is, with something on it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from tests.browser.projects import LONG_NAME


@frozen
class Shown:
    """A page to look at.

    Attributes:
        name: of its pictures.
        path: where it is.
        code: the status it is answered with.
        content: whether what a project says of itself is on it, which weighs what it weighs.
    """

    name: str
    path: str
    code: int = 200
    content: bool = False

    def __str__(self) -> str:
        return self.name


PAGES: Sequence[Shown] = (
    Shown("home", "/"),
    Shown("search", "/search/"),
    Shown("search-words", "/search/?q=cheddar"),
    Shown("search-classifier", "/search/?c=Framework+%3A%3A+Twisted"),
    Shown("search-nothing", "/search/?q=weensleydale"),
    Shown("project", "/project/wensleydale/", content=True),
    Shown("project-rst", "/project/gromit/", content=True),
    Shown("project-plain-text", "/project/crackers/", content=True),
    Shown("project-pre-releases", "/project/only-tasters/"),
    Shown("project-archived", "/project/old-cellar/"),
    Shown("project-all-yanked", "/project/taken-back/"),
    Shown("project-no-words", "/project/no-words/"),
    Shown("project-long-name", f"/project/{LONG_NAME}/"),
    Shown("project-right-to-left", "/project/right-to-left/", content=True),
    Shown("project-wide", "/project/wide-things/", content=True),
    Shown("project-many-releases", "/project/many-releases/"),
    Shown("release-old", "/project/wensleydale/1.0/", content=True),
    Shown("release-yanked", "/project/wensleydale/1.1/", content=True),
    Shown("nobody-here", "/project/wensleydal/", code=404),
    Shown("no-release", "/project/wensleydale/7.7/", code=404),
    Shown("no-page", "/nowhere/at/all/", code=404),
)

REAL = ("twisted", "attrs", "boto3", "alembic", "packaging", "pygments")
"""Real projects whose pages are looked at, those of them that are here."""
