"""The JSON API: all about a project's latest release and its files, and about any other release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from attrs import evolve, frozen

from caching.conditional import strong_etag
from caching.policy import DAY, Policy
from pypi.domain.errors import NotFound, ProjectMoved
from pypi.domain.names import NormalizedName, normalize
from pypi.domain.values import Extent
from pypi.http.answer import Answer, redirect
from pypi.http.router import ALLOWED_HEADERS, Router
from pypi.http.urls import Urls, quoted
from pypi.index.documents import Document, Documents
from pypi.web import json_documents


def spelled(path: str) -> str:
    """The path with the name in its normalized form: all spellings share one answer."""
    empty, pypi, name, rest = path.split("/", 3)
    return "/".join((empty, pypi, normalize(name), rest))


DOCUMENT = Policy(
    edge=DAY, keep=DAY, stale_while_revalidate=300, stale_if_error=DAY, spelled=spelled, cors=True
)
MOVED = evolve(DOCUMENT, browser=DAY)
"""Of redirects that stay right whatever happens to the project."""

TAGS = ("project/<name>",)

JSON = "application/json"
CORS = ("Access-Control-Allow-Headers", ALLOWED_HEADERS)
NOT_FOUND = Answer(code=404, body=b'{"message": "Not Found"}', content_type=JSON, headers=(CORS,))

Writer = Callable[[Document, Urls], bytes]


@frozen(kw_only=True, eq=False)
class JsonApi:
    """What scripts, mirrors and upload tools read; a name is taken in any spelling, without a redirect."""

    router: ClassVar[Router] = Router()
    documents: Documents
    urls: Urls

    @router.get("/pypi/<name>/json", policy=DOCUMENT, tags=TAGS, feature="json.project")
    async def project(self, request: Any, name: str) -> Answer:
        """The latest release of a project, and the files of all, under the names they were published by."""
        return await self._project(normalize(name), _answers(json_documents.project, self.urls))

    @router.get("/pypi/<name>/<version>/json", policy=DOCUMENT, tags=TAGS, feature="json.release")
    async def release(self, request: Any, name: str, version: str) -> Answer:
        """One release and its files."""
        return await self._release(normalize(name), version, _answers(json_documents.release, self.urls))

    @router.get("/pypi/<name>/json/", policy=MOVED, tags=TAGS, feature="json.project")
    async def project_with_slash(self, request: Any, name: str) -> Answer:
        """The address without the slash, if there is something."""
        return await self._project(normalize(name), lambda found: redirect(f"/pypi/{found.normalized}/json"))

    @router.get("/pypi/<name>/<version>/json/", policy=MOVED, tags=TAGS, feature="json.release")
    async def release_with_slash(self, request: Any, name: str, version: str) -> Answer:
        """The address without the slash, if there is something."""
        return await self._release(normalize(name), version, _without_slash)

    async def _project(self, name: NormalizedName, make: Callable[[Document], Answer]) -> Answer:
        try:
            answer = await self.documents.of_project(name, make, Extent(all_files=True))
        except ProjectMoved as moved:
            answer = redirect(f"/pypi/{normalize(moved.now)}/json").adding((CORS,))
        except NotFound:
            answer = NOT_FOUND
        return evolve(answer, tags=(f"project/{name}",))

    async def _release(
        self, name: NormalizedName, version: str, make: Callable[[Document], Answer]
    ) -> Answer:
        try:
            answer = await self.documents.of_release(name, version, make)
        except ProjectMoved as moved:
            answer = redirect(f"/pypi/{normalize(moved.now)}/{quoted(version)}/json").adding((CORS,))
        except NotFound:
            answer = NOT_FOUND
        return evolve(answer, tags=(f"project/{name}",))


def _answers(write: Writer, urls: Urls) -> Callable[[Document], Answer]:
    def make(document: Document) -> Answer:
        body = write(document, urls)
        serial = ("X-PyPI-Last-Serial", str(document.serial))
        return Answer(body=body, content_type=JSON, headers=(serial, CORS), etag=strong_etag(body))

    return make


def _without_slash(document: Document) -> Answer:
    return redirect(f"/pypi/{document.normalized}/{quoted(document.version)}/json")
