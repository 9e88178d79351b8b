"""The pages of projects and of their releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.domain.errors import NotFound
from pypi.domain.metadata.links import links
from pypi.domain.names import NormalizedName, normalize
from pypi.domain.sizes import UNITS
from pypi.domain.values import Extent
from pypi.http.answer import Answer, redirect
from pypi.http.router import Router
from pypi.http.urls import Urls, project_path, release_path
from pypi.index.documents import Document, Documents
from pypi.web.templates import PAGE, Templates

TAGS = ("project/<name>",)


@frozen(kw_only=True, eq=False)
class ProjectPages:
    """What people see of a project; any spelling of its name or version leads to the registered one."""

    router: ClassVar[Router] = Router()
    documents: Documents
    templates: Templates
    urls: Urls

    @router.get("/project/<name>/", policy=PAGE, tags=TAGS)
    async def project(self, request: Any, name: str) -> Answer:
        """The latest release of a project."""
        normalized = normalize(name)
        try:
            answer = await self.documents.of_project(normalized, self._maker(request), Extent(rendered=True))
        except NotFound as refusal:
            answer = self._nothing(refusal)
        return _tagged(answer, normalized)

    @router.get("/project/<name>/<version>/", policy=PAGE, tags=TAGS)
    async def release(self, request: Any, name: str, version: str) -> Answer:
        """One release."""
        normalized = normalize(name)
        make = self._maker(request, of_version=True)
        try:
            answer = await self.documents.of_release(normalized, version, make, Extent(rendered=True))
        except NotFound as refusal:
            answer = self._nothing(refusal)
        return _tagged(answer, normalized)

    def _maker(self, request: Any, *, of_version: bool = False) -> Callable[[Document], Answer]:
        asked = request.text_path

        def make(document: Document) -> Answer:
            name, version = document.name, document.version
            if asked != (f"/project/{name}/{version}/" if of_version else f"/project/{name}/"):
                return redirect(release_path(name, version) if of_version else project_path(name))
            return self._page(document, exactly=of_version)

        return make

    def _page(self, document: Document, *, exactly: bool) -> Answer:
        wanted = f"{document.name}=={document.version}" if exactly else document.name
        return self.templates.page(
            "pages/project.html",
            document=document,
            said=document.metadata,
            links={label: url for label, url in links(document.metadata).items() if is_web(url)},
            install=f"pip install --index-url {self.urls.origin}/simple/ {wanted}",
            urls=self.urls,
            release_path=release_path,
            size=shown_size,
        )

    def _nothing(self, refusal: NotFound) -> Answer:
        return self.templates.page("pages/nothing.html", code=404, sentence=str(refusal))


def _tagged(answer: Answer, name: NormalizedName) -> Answer:
    return evolve(answer, tags=(f"project/{name}",))


def is_web(url: str) -> bool:
    """Whether a URL that somebody wrote into metadata may be made a link."""
    return url.lower().startswith(("https://", "http://"))


def shown_size(size: int) -> str:
    """``1500000`` as ``1.4 MB``."""
    unit = next((name for name in ("GB", "MB", "KB") if size >= UNITS[name]), "B")
    return f"{size} B" if unit == "B" else f"{size / UNITS[unit]:.1f} {unit}"
