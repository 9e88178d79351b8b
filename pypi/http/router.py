"""Routes: a table of what each room answers, over Klein.

A room is a class with ``router: ClassVar[Router]``; its routes are methods, and each is one sentence: ask,
represent, answer. What is true of every route is here: refusals become statuses, HEAD follows GET, OPTIONS
says what may be asked, a wrong method gets 405 with ``Allow``, a missing final slash one redirect, and
whatever goes wrong beyond that is logged once and answered with 500.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import define, evolve, field, frozen
from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from caching.policy import NO_STORE, Policy
from caching.stats import RouteStats
from pypi.domain.errors import Refusal
from pypi.http.answer import SAFE, Answer, redirect, write
from pypi.http.keeping import Keeper
from pypi.http.refused import refused, said

Handler = Callable[..., Awaitable[Answer]]
H = TypeVar("H", bound=Handler)

log = Logger()

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
    """

    method: str
    path: str
    handler: str
    policy: Policy
    tags: tuple[str, ...] = ()


@define
class Router:
    """Collects the routes of a room, in the order they are written."""

    routes: list[Route] = field(factory=list)

    def get(self, path: str, *, policy: Policy, tags: tuple[str, ...] = ()) -> Callable[[H], H]:
        """A method that reads.

        Args:
            tags: that its answers carry, if any: ``("project/<name>",)``. For the table of all routes; what
                counts is the tags of each answer.
        """
        return self._add("GET", path, policy, tags)

    def post(self, path: str) -> Callable[[H], H]:
        """A method that writes; its answers are nobody's to keep."""
        return self._add("POST", path, NO_STORE)

    def _add(self, method: str, path: str, policy: Policy, tags: tuple[str, ...] = ()) -> Callable[[H], H]:
        def named(handler: H) -> H:
            self.routes.append(Route(method, path, handler.__name__, policy, tags))
            return handler

        return named


def klein_for(rooms: Sequence[Any], keeper: Keeper | None = None) -> Klein:
    """One Klein application for all routes of these rooms.

    Args:
        keeper: of the answers whose policy says that they are kept; without one every answer is made anew.

    Raises:
        ValueError: two rooms claim one method of one path.
    """
    klein = Klein()
    klein.url_map.strict_slashes = False
    klein.url_map.merge_slashes = False
    klein.url_map.redirect_defaults = False
    by_path: dict[str, dict[str, tuple[Handler, Policy]]] = defaultdict(dict)
    for room in rooms:
        for route in type(room).router.routes:
            if route.method in by_path[route.path]:
                raise ValueError(f"{route.method} {route.path} is answered by two rooms")
            by_path[route.path][route.method] = getattr(room, route.handler), route.policy
    for path, methods in by_path.items():
        routed = [*methods, "OPTIONS"] if "GET" in methods else list(methods)
        route = klein.route(path, methods=routed, endpoint=path, strict_slashes=True)
        route(_endpoint(path, methods, keeper))
    klein.handle_errors(Exception)(_failed)
    return klein


def _endpoint(path: str, methods: dict[str, tuple[Handler, Policy]], keeper: Keeper | None) -> Any:
    stats = RouteStats(path)

    async def endpoint(request: Any, **values: str) -> None:
        request.route = stats
        if request.method == b"OPTIONS":
            await write(request, *_options(methods))
            return
        handler, policy = methods["GET" if request.method == b"HEAD" else request.method.decode()]
        try:
            if keeper is not None and policy.keep and request.method in SAFE:
                await keeper.answer(request, policy, stats, handler, values)
                return
            answer = await handler(request, **values)
        except Refusal as refusal:
            answer = refused(request, refusal)
        await write(request, answer, policy, None if keeper is None else keeper.dialect)

    endpoint.__name__ = path
    return endpoint


def _options(methods: Mapping[str, tuple[Handler, Policy]]) -> tuple[Answer, Policy]:
    """What may be asked of a path, and by pages of which origins: a browser asks before such a page may."""
    _, policy = methods["GET"]
    headers = [("Allow", ", ".join(sorted({*methods, "HEAD", "OPTIONS"})))]
    if policy.cors:
        headers.append(("Access-Control-Allow-Headers", ALLOWED_HEADERS))
    return Answer(code=204, headers=tuple(headers)), evolve(NO_STORE, cors=policy.cors)


async def _failed(request: Any, failure: Failure) -> None:
    """Answer what no route answered: one place turns every exception into a status."""
    error = failure.value
    if error is None or isinstance(error, CancelledError):
        return
    if request.startedWriting:
        log.failure("An answer broke off: {method} {path}", failure, method=request.method, path=request.path)
        request.break_off()
        return
    request.start_over()
    await write(request, _answer(request, error, failure))


def _answer(request: Any, error: BaseException, failure: Failure) -> Answer:
    match error:
        case Refusal():
            return refused(request, error)
        case RequestRedirect():
            return redirect(_with_slash(request), 301 if request.method in (b"GET", b"HEAD") else 308)
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            sentence = f"This address answers {allowed} only."
            return said(request, 405, sentence, [("Allow", allowed)], phrase=False)
        case HTTPException(code=404):
            return said(request, 404, "There is nothing at this address.", phrase=False)
    log.failure("A route failed: {method} {path}", failure, method=request.method, path=request.path)
    return said(request, 500, "The index made a mistake; its operator can find it in the log.", phrase=False)


def _with_slash(request: Any) -> str:
    """The path with a slash at its end, and the query; a path alone, so that no host is ever trusted."""
    path, question, query = request.uri.partition(b"?")
    return str((b"/" + path.strip(b"/") + b"/" + question + query).decode("ascii"))
