"""Pages for people with a browser."""

from __future__ import annotations

import hashlib
from importlib.resources import files as resources
from typing import Any, ClassVar

from attrs import evolve, frozen
from jinja2 import Environment, PackageLoader, StrictUndefined

from caching.policy import DAY, FOR_EVER, Policy
from pypi import __version__
from pypi.domain.errors import NoSuchFile
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.index.database import DatabaseIndex

PAGE = Policy(edge=DAY, keep=DAY, stale_while_revalidate=300, stale_if_error=5 * DAY)
STATIC = evolve(FOR_EVER, edge=365 * DAY, keep=DAY, stale_if_error=365 * DAY)
STYLE = "style.css"

HTML_HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
)


@frozen(eq=False)
class Templates:
    """Renders the templates, with what every page knows.

    Attributes:
        style: bytes of the one style sheet, named by its content so that it can be kept for ever.
    """

    environment: Environment
    style: bytes

    @classmethod
    def installed(cls) -> Templates:
        """The templates that come with Cheeseshop."""
        style = resources("templates").joinpath("static", STYLE).read_bytes()
        environment = Environment(
            loader=PackageLoader("templates", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates = cls(environment, style)
        environment.globals.update(version=__version__, style_url=f"/static/{templates.style_name}")
        return templates

    @property
    def style_name(self) -> str:
        """The style sheet's name, which changes with its content."""
        return f"{hashlib.sha256(self.style).hexdigest()[:16]}.css"

    def page(self, name: str, *, code: int = 200, **values: Any) -> Answer:
        """A page as an answer."""
        body = self.environment.get_template(name).render(**values)
        return Answer(
            code=code, body=body.encode(), content_type="text/html; charset=utf-8", headers=HTML_HEADERS
        )


@frozen(kw_only=True, eq=False)
class Pages:
    """The public pages.

    Attributes:
        origin: this index's URL, for the lines people paste.
    """

    router: ClassVar[Router] = Router()
    index: DatabaseIndex
    templates: Templates
    origin: str

    @router.get("/", policy=PAGE, tags=("journal",))
    async def home(self, request: Any) -> Answer:
        """What this is, and the lines to paste."""
        projects, serial = await self.index.counts()
        page = self.templates.page("pages/home.html", origin=self.origin, projects=projects, serial=serial)
        return evolve(page, tags=("journal",))

    @router.get("/static/<name>", policy=STATIC)
    async def static(self, request: Any, name: str) -> Answer:
        """The style sheet, under the name of its content."""
        if name != self.templates.style_name:
            raise NoSuchFile(name)
        return Answer(body=self.templates.style, content_type="text/css; charset=utf-8")
