"""The pages of projects and of their releases, each section at its own address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar
from urllib.parse import unquote

from attrs import evolve, frozen

from pypi.domain.downloads import RECENT_DAYS, drawn
from pypi.domain.errors import NotFound, ProjectMoved, Unavailable
from pypi.domain.names import NormalizedName, normalize
from pypi.http.answer import Answer, redirect
from pypi.http.camo import Camo
from pypi.http.router import Router
from pypi.http.urls import Urls, search_path, user_path
from pypi.index.dependencies import Dependencies, Needs, needs
from pypi.index.documents import Document, Documents
from pypi.index.downloads import Popularity
from pypi.search.find import Search
from pypi.web.pages.connect import Here
from pypi.web.pages.project.aside import aside
from pypi.web.pages.project.charts import over_time
from pypi.web.pages.project.contents import contents
from pypi.web.pages.project.head import install_lines, pinned, statuses
from pypi.web.pages.project.lists import FILES_SHOWN, RELEASES_SHOWN, described, timeline
from pypi.web.pages.project.sections import (
    DEPENDENCIES,
    DEPENDENTS,
    FILES,
    OVERVIEW,
    PAGED,
    RELEASES,
    SECURITY,
    Section,
    Slice,
    json_path,
    links,
    page_number,
)
from pypi.web.templates import PAGE, Templates, line

TAGS = ("project/<name>",)
LOOKED_THROUGH = (*TAGS, "search")

MOST_TAGS = 60
"""Projects a page of dependencies is tagged with, one by one; with more, whatever is published touches it."""

T = TypeVar("T")


@frozen(kw_only=True, eq=False)
class ProjectPages:
    """What people see of a project; any spelling of its name or version leads to the registered one."""

    router: ClassVar[Router] = Router()
    documents: Documents
    dependencies: Dependencies
    here: Here
    search: Search
    templates: Templates
    urls: Urls
    popularity: Popularity | None = None
    camo: Camo = Camo()

    @router.get("/project/<name>/", policy=PAGE, tags=TAGS)
    @router.get("/project/<name>/<version>/", policy=PAGE, tags=TAGS)
    async def overview(self, request: Any, name: str, version: str | None = None) -> Answer:
        """What a release is, and how to install it."""
        downloads = () if self.popularity is None else await self.popularity.daily(name)

        def page(document: Document) -> Answer:
            return self._page(
                OVERVIEW,
                document,
                version,
                aside=aside(document.metadata),
                contents=contents(document.html or ""),
                description=self.camo.pictures(document.html or ""),
                downloads=downloads[-RECENT_DAYS:],
                downloads_line=line(drawn(downloads)),
                install=install_lines(document, self.here, exactly=version is not None),
            )

        return _tagged(await self._shown(request, OVERVIEW, name, version, page), name)

    @router.get("/project/<name>/releases/", policy=PAGED, tags=TAGS)
    async def releases(self, request: Any, name: str) -> Answer:
        """All releases along time."""

        def page(document: Document) -> Answer:
            part = _part(request, document.release_count, RELEASES_SHOWN, RELEASES, document)
            shown = document.releases[part.slice]
            return self._page(
                RELEASES,
                document,
                chart=over_time(one.created.date() for one in document.releases),
                part=part,
                years=timeline(document, shown),
            )

        return _tagged(await self._shown(request, RELEASES, name, None, page), name)

    @router.get("/project/<name>/files/", policy=PAGED, tags=TAGS)
    @router.get("/project/<name>/<version>/files/", policy=PAGED, tags=TAGS)
    async def files(self, request: Any, name: str, version: str | None = None) -> Answer:
        """The files of a release."""

        def page(document: Document) -> Answer:
            part = _part(request, document.file_count, FILES_SHOWN, FILES, document, version)
            files = [described(file) for file in document.files[part.slice]]
            return self._page(FILES, document, version, files=files, part=part)

        return _tagged(await self._shown(request, FILES, name, version, page), name)

    @router.get("/project/<name>/dependencies/", policy=PAGE, tags=TAGS)
    @router.get("/project/<name>/<version>/dependencies/", policy=PAGE, tags=TAGS)
    async def needed(self, request: Any, name: str, version: str | None = None) -> Answer:
        """What a release needs."""
        found = await self._shown(
            request, DEPENDENCIES, name, version, lambda document: (document, needs(document.metadata))
        )
        if isinstance(found, Answer):
            return _tagged(found, name)
        document, needed = found
        here = await self.dependencies.here(needed.names)
        page = self._page(DEPENDENCIES, document, version, needs=needed, here=here)
        return _tagged(page, document.normalized, *_tags_of(needed))

    @router.get("/project/<name>/dependents/", policy=PAGED, tags=LOOKED_THROUGH)
    async def dependents(self, request: Any, name: str) -> Answer:
        """Who needs the project."""
        found = await self.dependencies.dependents(normalize(name), _number(request))

        def page(document: Document) -> Answer:
            part = Slice(found.page, found.last, DEPENDENTS.path(document.name, None))
            return self._page(DEPENDENTS, document, found=found, part=part)

        shown = await self._shown(request, DEPENDENTS, name, None, page)
        return _tagged(shown, name, "search")

    @router.get("/project/<name>/security/", policy=PAGE, tags=TAGS)
    @router.get("/project/<name>/<version>/security/", policy=PAGE, tags=TAGS)
    async def safety(self, request: Any, name: str, version: str | None = None) -> Answer:
        """What is known of whether it is safe to install."""

        def page(document: Document) -> Answer:
            yanked = [one for one in document.releases if one.yank is not None]
            return self._page(
                SECURITY, document, version, most=FILES_SHOWN, pinned=pinned(document), yanked=yanked
            )

        return _tagged(await self._shown(request, SECURITY, name, version, page), name)

    async def _shown(
        self, request: Any, section: Section, name: str, version: str | None, make: Callable[[Document], T]
    ) -> T | Answer:
        """What is made of a release; for another spelling of its address, where it is; or that it is not."""

        def made(document: Document) -> T | Answer:
            where = section.path(document.name, None if version is None else document.version)
            if unquote(where) == request.text_path:
                return make(document)
            return redirect(Slice(1, 1, where).url(_number(request)))

        try:
            if version is None:
                return await self.documents.of_project(normalize(name), made, section.extent)
            return await self.documents.of_release(normalize(name), version, made, section.extent)
        except ProjectMoved as moved:
            return redirect(Slice(1, 1, section.path(moved.now, version)).url(_number(request)))
        except NotFound as refusal:
            return await self._nothing(normalize(name), version, refusal)

    def _page(
        self, section: Section, document: Document, version: str | None = None, **values: Any
    ) -> Answer:
        exactly = version is not None
        page = self.templates.page(
            f"pages/project_{section.word or 'overview'}.html",
            document=document,
            exactly=exactly,
            json_path=json_path(document, exactly=exactly),
            links=links(document, exactly=exactly),
            path=section.path(document.name, document.version if exactly else None),
            said=document.metadata,
            search_path=search_path,
            section=section,
            serial=document.serial,
            statuses=statuses(document, exactly=exactly),
            urls=self.urls,
            user_path=user_path,
            **values,
        )
        if not document.successor:
            return page
        # Whether the page leads to what is to be used instead depends on what becomes of that.
        return evolve(
            page, tags=(f"project/{document.normalized}", f"project/{normalize(document.successor)}")
        )

    async def _nothing(self, name: NormalizedName, version: str | None, refusal: NotFound) -> Answer:
        held_back = await self.documents.held_back(name, version)
        here = await self.dependencies.here([name])
        try:
            near = () if here else await self.search.near(name)
        except Unavailable:
            near = ()
        page = self.templates.page(
            "pages/project_nothing.html",
            code=404,
            status=404,
            heading="Not found" if held_back is None else "In quarantine",
            sentence=str(refusal) if held_back is None else _held_back(name, version),
            reason=held_back or "",
            words=name,
            here=here.get(name),
            near=near,
        )
        return evolve(page, tags=(f"project/{name}", "search"))


def _tagged(answer: Answer, name: str, *more: str) -> Answer:
    """With the tag of the project, unless it says what it is made from, and with others."""
    own = answer.tags or (f"project/{normalize(name)}",)
    return evolve(answer, tags=tuple(dict.fromkeys((*own, *more))))


def _held_back(name: NormalizedName, version: str | None) -> str:
    what = name if version is None else f"{name} {version}"
    return f"Nothing of {what} is offered until those who run this index have looked into it."


def _tags_of(needed: Needs) -> Sequence[str]:
    """Of what a link on the page depends on: whether there is such a project."""
    names = needed.names
    return [f"project/{name}" for name in names] if len(names) <= MOST_TAGS else ["all-projects"]


def _number(request: Any) -> int:
    return page_number(str(request.args.get(b"page", [b""])[0].decode("utf-8", "replace")))


def _part(
    request: Any, total: int, each: int, section: Section, document: Document, version: str | None = None
) -> Slice:
    path = section.path(document.name, None if version is None else document.version)
    return Slice.of(total, each, _number(request), path)
