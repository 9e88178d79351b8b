"""The page of somebody who publishes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.http.answer import Answer, redirect
from pypi.http.router import Router
from pypi.http.urls import user_path
from pypi.index.people import People, Person
from pypi.web.templates import PAGE, Templates

TAGS = ("user/<name>", "project/<name>")

MOST_PAGES = 1000


def meant(given: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """The number of a page, where it is one and not that of the first."""
    number = given.get("page", [""])[0]
    is_one = re.fullmatch("[1-9][0-9]{0,3}", number, re.ASCII) and 1 < int(number) <= MOST_PAGES
    return {"page": [number]} if is_one else {}


@frozen(kw_only=True, eq=False)
class UserPages:
    """What everybody may know of an account: since when it is there, and what it publishes."""

    router: ClassVar[Router] = Router()
    people: People
    templates: Templates

    @router.get("/user/<name>/", policy=evolve(PAGE, query=("page",), meant=meant), tags=TAGS)
    async def user(self, request: Any, name: str) -> Answer:
        """Somebody's projects, that released last first; any letter case of the name leads to its own."""
        page = int(request.args.get(b"page", [b"1"])[0])
        person = await self.people.person(name, page=page)
        answer = redirect(user_path(person.name)) if name != person.name else self._page(person, page)
        return evolve(answer, tags=tags(person))

    def _page(self, person: Person, page: int) -> Answer:
        def page_path(number: int) -> str:
            return user_path(person.name) + (f"?page={number}" if number > 1 else "")

        return self.templates.page(
            "pages/user.html", path=page_path(page), person=person, page=page, page_path=page_path
        )


def tags(person: Person) -> tuple[str, ...]:
    """All that a page of somebody's depends on."""
    projects = person.depends_on
    changing = ("all-projects",) if projects is None else tuple(f"project/{name}" for name in projects)
    return f"user/{person.name.lower()}", *changing
