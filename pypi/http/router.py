"""Routes: a table of what each room answers.

A room is a class with ``router: ClassVar[Router]``; its routes are methods, and each is one sentence: ask,
represent, answer. What is true of every route is in ``pypi.http.answering``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define, evolve, field, frozen

from caching.policy import NO_STORE, Policy
from pypi.http.answer import Answer
from pypi.http.described import Operation
from pypi.http.noted import Named, named
from pypi.http.reading import Of
from pypi.http.terms import ANYBODY_READS, Terms

Handler = Callable[..., Awaitable[Answer]]
H = TypeVar("H", bound=Handler)

PROJECT_TAG = "project/<name>"
"""The tag of answers about the project that the path names."""

ALLOWED_HEADERS = "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"
"""What a page of another origin may send along, as the public index has it."""


@frozen
class Route:
    """One line of the table of routes.

    Attributes:
        method: ``GET`` (which brings HEAD and OPTIONS) or ``POST``.
        path: a Werkzeug pattern, such as ``/simple/<name>/``.
        handler: name of the room's method.
        policy: how its answers may be kept.
        tags: what its answers are made from, as patterns like that of the path.
        feature: which one it serves: its name, or how that follows from the variant that is meant. ``None``
            where it serves none, or where its handler says it (``request.used``); a kept answer's cannot.
        terms: who may ask it, and how.
        writes: whether it may change anything.
        about: what the description of the API says of it.
        of: what its answers are about, if that may be private.
    """

    method: str
    path: str
    handler: str
    policy: Policy
    tags: tuple[str, ...] = ()
    feature: Named | None = None
    terms: Terms = ANYBODY_READS
    writes: bool = False
    about: Operation | None = None
    of: Of | None = None


@define
class Router:
    """Collects the routes of a room, in the order they are written."""

    routes: list[Route] = field(factory=list)

    def get(
        self,
        path: str,
        *,
        policy: Policy,
        tags: tuple[str, ...] = (),
        feature: Named | None = None,
        terms: Terms = ANYBODY_READS,
        about: Operation | None = None,
        of: Of | None = None,
    ) -> Callable[[H], H]:
        """A method that reads.

        Args:
            tags: that its answers carry, if any: ``("project/<name>",)``. For the table of all routes; what
                counts is the tags of each answer.
            feature: as in ``Route``; it is counted, can be switched off, and is announced to go.
            of: as in ``Route``; a project, where the first of the tags says so.
        """
        if tags[:1] == (PROJECT_TAG,):
            of = Of.PROJECT
        return self._add(Route("GET", path, "", policy, tags, feature, terms, about=about, of=of))

    def call(self, path: str, *, terms: Terms, feature: Named | None = None) -> Callable[[H], H]:
        """A method that reads though it is asked by POST, since its questions do not fit into an address."""
        return self._add(Route("POST", path, "", NO_STORE, (), feature, terms))

    def post(
        self, path: str, *, terms: Terms, feature: Named | None = None, about: Operation | None = None
    ) -> Callable[[H], H]:
        """A method that writes; its answers are nobody's to keep, and its terms have to be complete."""
        return self._add(Route("POST", path, "", NO_STORE, (), feature, terms, writes=True, about=about))

    def _add(self, route: Route) -> Callable[[H], H]:
        if isinstance(route.feature, str):
            named(route.feature, "")

        def answered(handler: H) -> H:
            self.routes.append(evolve(route, handler=handler.__name__))
            return handler

        return answered
