"""``/simple/``: what installers read (PEP 503, 592, 629, 658, 691, 700, 714, 792)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from attrs import evolve, frozen
from twisted.internet.threads import deferToThread

from caching.policy import DAY, Policy
from pypi.domain.errors import NoSuchProject
from pypi.domain.names import NormalizedName, normalize
from pypi.domain.values import ProjectList, ProjectPage
from pypi.http.answer import Answer, redirect
from pypi.http.negotiate import best, joined
from pypi.http.router import Router
from pypi.index.database import DatabaseIndex
from pypi.web import simple_html, simple_json

HTML = "text/html"
V1_HTML = "application/vnd.pypi.simple.v1+html"
V1_JSON = "application/vnd.pypi.simple.v1+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"
LATEST_JSON = "application/vnd.pypi.simple.latest+json"

OFFERS = (HTML, V1_HTML, V1_JSON, LATEST_HTML, LATEST_JSON)
"""In the order of our liking, for clients that like several equally."""

CONCRETE = {LATEST_HTML: V1_HTML, LATEST_JSON: V1_JSON}
CONTENT_TYPES = {HTML: "text/html; charset=utf-8", V1_HTML: f"{V1_HTML}; charset=utf-8", V1_JSON: V1_JSON}

THREAD_FROM = 500
"""Entries from which rendering a page would keep the reactor busy for more than a few milliseconds."""

Value = TypeVar("Value", ProjectPage, ProjectList)


def representation(accept: str | None, given: Mapping[str, str]) -> str:
    """The media type a client gets: that of ``?format=`` if it names one, else the best its Accept allows.

    A client that accepts nothing of ours gets HTML: the standard allows that, and old ones rely on it.
    """
    # A plus sign that is not escaped stands for a blank in a query, and no media type has one.
    asked = given.get("format", "").replace(" ", "+")
    chosen = asked if asked in OFFERS else best(accept, OFFERS) or HTML
    return CONCRETE.get(chosen, chosen)


SIMPLE_PAGE = Policy(
    edge=DAY,
    keep=DAY,
    stale_while_revalidate=300,
    stale_if_error=DAY,
    vary=("Accept",),
    variant=representation,
    query=("format",),
    cors=True,
)


@frozen(kw_only=True, eq=False)
class SimpleApi:
    """The index for installers, in HTML and JSON.

    Attributes:
        files_url: what stands before ``/packages/…`` in the URLs of files.
    """

    router: ClassVar[Router] = Router()
    index: DatabaseIndex
    files_url: str

    @router.get("/simple/", policy=SIMPLE_PAGE, tags=("all-projects",))
    async def projects(self, request: Any) -> Answer:
        """Every project."""
        listed = await self.index.project_list()
        body, content_type = await _represent(
            request, listed, len(listed.projects), simple_html.project_list, simple_json.project_list
        )
        return _answer(body, content_type, listed.serial, ["all-projects"])

    @router.get("/simple/<name>/", policy=SIMPLE_PAGE, tags=("project/<name>",))
    async def project(self, request: Any, name: str) -> Answer:
        """Every file of one project; other spellings of its name lead here in one step."""
        normalized = normalize(name)
        tags = (f"project/{normalized}",)
        try:
            page = await self.index.project_page(normalized)
        except NoSuchProject as refusal:
            # Plain text whatever the client accepts, as every index has always said it.
            return Answer(code=404, body=f"404 Not Found\n\n{refusal}\n".encode(), tags=tags)
        if name != normalized:
            return evolve(_to_project(request, normalized), tags=tags)
        body, content_type = await _represent(
            request,
            page,
            len(page.files),
            lambda value: simple_html.project_page(value, self.files_url),
            lambda value: simple_json.project_page(value, self.files_url),
        )
        return _answer(body, content_type, page.serial, tags)

    @router.get("/simple/<name>", policy=SIMPLE_PAGE)
    async def without_slash(self, request: Any, name: str) -> Answer:
        """The normalized name and the slash in one redirect, whether the project exists or not."""
        return _to_project(request, normalize(name))


def _to_project(request: Any, normalized: NormalizedName) -> Answer:
    query = request.uri.partition(b"?")[2].decode("ascii")
    return redirect(f"/simple/{quote(normalized)}/" + (f"?{query}" if query else ""))


def negotiated(request: Any) -> str:
    """The media type this client gets."""
    asked = request.args.get(b"format", [b""])[0].decode("ascii", "replace")
    return representation(joined(request, "Accept"), {"format": asked})


async def _represent(
    request: Any,
    value: Value,
    entries: int,
    html: Callable[[Value], bytes],
    json: Callable[[Value], bytes],
) -> tuple[bytes, str]:
    media_type = negotiated(request)
    render = json if media_type == V1_JSON else html
    body = render(value) if entries < THREAD_FROM else await deferToThread(render, value)
    return body, CONTENT_TYPES[media_type]


def _answer(body: bytes, content_type: str, serial: int, tags: Sequence[str]) -> Answer:
    return Answer(
        body=body,
        content_type=content_type,
        headers=(
            ("X-PyPI-Last-Serial", str(serial)),
            ("Content-Security-Policy", "default-src 'none'; sandbox allow-top-navigation"),
        ),
        tags=tuple(tags),
    )
