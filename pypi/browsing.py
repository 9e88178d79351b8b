"""Pages for everybody, put together: the front page, guides, projects, search, classifiers, people."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from trove_classifiers import deprecated_classifiers, sorted_classifiers

from pypi.config import Config
from pypi.configured import rules
from pypi.db.database import Database
from pypi.http.camo import Camo
from pypi.http.urls import Urls
from pypi.index.classifiers import ClassifierTree
from pypi.index.dependencies import Dependencies
from pypi.index.documents import Documents
from pypi.index.downloads import Popularity
from pypi.index.people import People
from pypi.index.statistics import Statistics
from pypi.search.find import Search
from pypi.web.pages.classifiers import ClassifierPage
from pypi.web.pages.connect import Here
from pypi.web.pages.guides import Contact, Guides
from pypi.web.pages.home import Pages
from pypi.web.pages.project.room import ProjectPages
from pypi.web.pages.search import SearchPage
from pypi.web.pages.statistics import StatisticsPage
from pypi.web.pages.users import UserPages
from pypi.web.templates import Templates


@frozen(kw_only=True, eq=False)
class Browsing:
    """Rooms for everybody."""

    project: ProjectPages
    others: tuple[Any, ...]

    @property
    def rooms(self) -> tuple[Any, ...]:
        """All of them."""
        return (self.project, *self.others)


def browsing(
    config: Config,
    *,
    database: Database,
    documents: Documents,
    popularity: Popularity,
    search: Search,
    statistics: Statistics,
    templates: Templates,
    here: Here,
    urls: Urls,
    may_register: bool,
    confirming: bool,
) -> Browsing:
    """Put it together, by the ``[pages]`` section.

    Args:
        here: the index, as lines that are to be pasted call it.
    """
    tree = ClassifierTree(database, sorted_classifiers, deprecated_classifiers)
    return Browsing(
        project=ProjectPages(
            documents=documents,
            dependencies=Dependencies(database),
            here=here,
            popularity=popularity,
            search=search,
            templates=templates,
            urls=urls,
            camo=Camo(url=config.pages.camo_url, key=config.pages.camo_key),
        ),
        others=(
            Pages(statistics=statistics, templates=templates, here=here, tagline=config.pages.tagline),
            Guides(
                templates=templates,
                here=here,
                contact=Contact.of(config.pages.contact),
                rules=rules(config),
                is_private=config.access.reads != "public",
                registration=may_register,
                confirming=confirming,
            ),
            StatisticsPage(statistics=statistics, popularity=popularity, templates=templates),
            SearchPage(search=search, templates=templates),
            ClassifierPage(classifiers=tree, templates=templates),
            UserPages(people=People(database), templates=templates),
        ),
    )
