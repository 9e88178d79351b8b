"""Templates: what every page knows, and how one becomes an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import frozen

from caching.policy import DAY, Policy
from pypi import __version__
from pypi.domain.sizes import UNITS
from pypi.http.answer import Answer
from pypi.http.security import Headers, page_headers
from pypi.http.urls import project_path, release_path
from pypi.web.assets import SCRIPT, STYLE, Assets

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE = Policy(edge=DAY, keep=DAY, stale_while_revalidate=300, stale_if_error=5 * DAY)
"""For a page that is the same for everybody, and is forgotten by its tags."""

HTML = "text/html; charset=utf-8"


@frozen(eq=False)
class Templates:
    """Renders the templates.

    Attributes:
        known: what all templates know by name: ``asset``, ``project_path``, ``release_path``, ``origin``,
            ``index_name``, ``provider``, ``provider_joins``, ``version``.
        headers: of every page.
    """

    known: Mapping[str, object]
    headers: Headers

    @classmethod
    def installed(
        cls,
        assets: Assets | None = None,
        *,
        origin: str = "",
        name: str = "Cheeseshop",
        provider: str = "",
        provider_joins: bool = False,
        headers: Headers = page_headers(),
    ) -> Templates:
        """The templates that come with Cheeseshop.

        Args:
            assets: the static files that pages name.
            origin: this index's URL, without a slash at its end.
            name: what it is called.
            provider: what people call where else they may sign in; empty for nowhere.
            provider_joins: whether who is new gets an account by that.
        """
        assets = assets or Assets.installed()
        known = {
            "asset": assets.url,
            "index_name": name,
            "origin": origin,
            "project_path": project_path,
            "provider": provider,
            "provider_joins": provider_joins,
            "release_path": release_path,
            "script_url": assets.url(SCRIPT),
            "style_url": assets.url(STYLE),
            "version": __version__,
        }
        return cls(known, headers)

    @cached_property
    def environment(self) -> Environment:
        """Jinja's, with the filters ``size``, ``count``, ``day`` and ``instant``; made for the first page."""
        # Imported here: a worker that only installers ask shows no page. It takes 15 ms.
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("templates", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(size=shown_size, count=shown_count, day=shown_day, instant=instant)
        environment.globals.update(self.known)
        return environment

    def page(self, name: str, *, code: int = 200, **values: Any) -> Answer:
        """A page as an answer."""
        body = self.environment.get_template(name).render(**values)
        return Answer(code=code, body=body.encode(), content_type=HTML, headers=self.headers)


def shown_size(size: int) -> str:
    """``1500000`` as ``1.4 MB``."""
    unit = next((name for name in ("GB", "MB", "KB") if size >= UNITS[name]), "B")
    return f"{size} B" if unit == "B" else f"{size / UNITS[unit]:.1f} {unit}"


def shown_count(number: int) -> str:
    """``1234567`` as ``1,234,567``."""
    return f"{number:,}"


def shown_day(at: datetime) -> str:
    """The day of an aware datetime, in UTC: ``7 Mar 2026``."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"


def instant(at: datetime) -> str:
    """An aware datetime as machines read it: ``2026-03-07T12:30:00Z``."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def line(counts: Sequence[int]) -> str:
    """Points of an SVG polyline through some counts, 0 at the bottom, in a drawing of 100 by 30."""
    highest, last = max(counts, default=0) or 1, max(len(counts) - 1, 1)
    return " ".join(
        f"{round(100 * place / last, 1):g},{round(28 - 26 * count / highest, 1):g}"
        for place, count in enumerate(counts)
    )
