"""How routes are answered: all of them by one Klein application, each on its terms.

What is true of every route is here: refusals become statuses, HEAD follows GET, OPTIONS says what may be
asked, a wrong method gets 405 with ``Allow``, a missing final slash one redirect, and whatever goes wrong
beyond that is logged once and answered with 500. So are the terms on which a route may be asked
(``pypi.http.terms``): a handler sees no credentials of a kind that its route does not take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import evolve, frozen
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from caching.policy import NO_STORE, Policy
from pypi.domain.errors import NotFound, Refusal
from pypi.domain.permissions import Permission
from pypi.domain.switches import Switches
from pypi.http.announced import announcements
from pypi.http.answer import SAFE, Answer, redirect, write
from pypi.http.csrf import Origins
from pypi.http.door import Door
from pypi.http.hushed import hushed
from pypi.http.keeping import UNRESERVED, Keeper, variant_of
from pypi.http.noted import Noted, named
from pypi.http.reading import EVERYBODY, Look, Of, Reading, Subject
from pypi.http.refused import refused, said
from pypi.http.router import ALLOWED_HEADERS, Handler, Route
from pypi.http.streams import Stream, while_let
from pypi.http.terms import Credential, Csrf, Terms, check

log = Logger()

SWITCHES = Switches()
"""Everything is on, and nothing is announced."""


def klein_for(
    rooms: Sequence[Any],
    keeper: Keeper | None = None,
    switches: Switches = SWITCHES,
    origins: Origins | None = None,
    door: Door | None = None,
    reading: Reading | None = None,
    for_readers: Sequence[Any] = (),
) -> Klein:
    """One Klein application for all routes of these rooms.

    Args:
        keeper: of the answers whose policy says that they are kept; without one every answer is made anew.
        switches: which features are off, or announced to go.
        origins: whose pages may send forms to routes that take sessions.
        door: who lets in to what is not for everybody.
        reading: who decides who reads; without it, everybody gets what everybody gets.
        for_readers: rooms that answer in place of those of the same class, of what is private.

    Raises:
        ValueError: two rooms claim one method of one path.
        Gaps: a route does not say on which terms it may be asked, or contradicts itself.
    """
    check(
        [route for room in rooms for route in type(room).router.routes],
        has_origins=origins is not None,
        has_door=door is not None,
    )
    klein = Klein()
    klein.url_map.strict_slashes = False
    klein.url_map.merge_slashes = False
    klein.url_map.redirect_defaults = False
    by_path: dict[str, dict[str, Answering]] = defaultdict(dict)
    twins = {type(room): room for room in for_readers}
    for room in rooms:
        for route in type(room).router.routes:
            if route.method in by_path[route.path]:
                raise ValueError(f"{route.method} {route.path} is answered by two rooms")
            by_path[route.path][route.method] = Answering.of(room, route, twins.get(type(room)))
    for path, methods in by_path.items():
        routed = [*methods, "OPTIONS"] if "GET" in methods else list(methods)
        route = klein.route(path, methods=routed, endpoint=path, strict_slashes=True)
        route(_endpoint(path, methods, keeper, switches, origins, door, reading))
    klein.handle_errors(Exception)(failed)
    return klein


@frozen(eq=False)
class Answering:
    """A route of one room.

    Attributes:
        noted: its counters.
        hidden: headers that the handler does not get to see.
        terms: on which it may be asked.
        about: what its answers are about, if that may be private.
        reveals: answers in its place of what is private; ``None``: of that it knows nothing.
    """

    handler: Handler
    policy: Policy
    noted: Noted
    terms: Terms
    about: Of | None
    reveals: Handler | None

    @property
    def reads(self) -> bool:
        """Whether who asks matters where not everybody reads, and is not asked anyway."""
        is_open = Credential.NONE in self.terms.takes and not self.terms.always
        return is_open and self.terms.permission is Permission.READ

    @classmethod
    def of(cls, room: Any, route: Route, twin: Any = None) -> Answering:
        """The route as this very room answers it, and its twin for readers."""
        return cls(
            getattr(room, route.handler),
            route.policy,
            Noted(route.path, route.feature),
            route.terms,
            route.of,
            None if twin is None else getattr(twin, route.handler),
        )


def _endpoint(
    path: str,
    methods: Mapping[str, Answering],
    keeper: Keeper | None,
    switches: Switches,
    origins: Origins | None,
    door: Door | None,
    reading: Reading | None,
) -> Any:
    dialect = None if keeper is None else keeper.dialect

    async def endpoint(request: Any, **values: str) -> None:
        if request.method == b"OPTIONS":
            request.route = methods["GET"].noted.plain
            await write(request, *_options(methods))
            return
        route = methods["GET" if request.method == b"HEAD" else request.method.decode()]
        handler, policy = route.handler, route.policy
        request.route = route.noted.plain
        look = EVERYBODY
        try:
            own = _pass(request, route, switches)
            if reading is not None and route.reads:
                look = await _look(reading, request, route, values)
                if look.instead is not None:
                    await write(request, look.instead)
                    return
                if look.is_reader and route.reveals is not None:
                    handler = route.reveals
            if keeper is not None and policy.keep and request.method in SAFE:
                more = announcements(switches, own)
                if not more:
                    # What this very request was led here by is nobody else's news.
                    _tell(request, announcements(switches, request.features))
                if look.is_reader:
                    await keeper.reveal(request, policy, handler, values, more)
                else:
                    await keeper.answer(request, policy, request.route, handler, values, more, look.missing)
                return
            for name in route.terms.hidden:
                request.requestHeaders.removeHeader(name)
            if origins is not None:
                _keep_out(request, route.terms, origins)
            instead = None if door is None else await door.admit(request, route.terms)
            answer = await handler(request, **values) if instead is None else instead
            if look.goes_on is not None and isinstance(answer.body, Stream) and answer.body.length is None:
                answer = evolve(answer, body=while_let(answer.body, look.goes_on))
        except Refusal as refusal:
            answer = refused(request, await _waited_for(look, refusal))
        if more := announcements(switches, request.features):
            answer = answer.adding(more)
        await write(request, answer, policy, dialect)

    endpoint.__name__ = path
    return endpoint


async def _look(reading: Reading, request: Any, route: Answering, values: Mapping[str, str]) -> Look:
    looking = reading.look(request, Subject.named(route.about, values))
    return EVERYBODY if looking is None else await looking


async def _waited_for(look: Look, refusal: Refusal) -> Refusal:
    """What is said to somebody who has to be told that there is nothing."""
    if look.missing is None or not isinstance(refusal, NotFound):
        return refusal
    try:
        await look.missing()
    except Refusal as other:
        return other
    return refusal


def _keep_out(request: Any, terms: Terms, origins: Origins) -> None:
    """Let pages of strangers make no browser ask what changes anything."""
    match terms.csrf:
        case Csrf.TOKEN:
            origins.check(request)
        case Csrf.COOKIELESS:
            origins.keep_strangers_out(request)


def _pass(request: Any, route: Answering, switches: Switches) -> tuple[str, ...]:
    """Note the feature a request uses by its route, if there is one; it may have used others before.

    Returns:
        the route's own, which all who share an answer of it have used.

    Raises:
        SwitchedOff: one of them is not offered any more.
    """
    feature = route.noted.feature
    own: tuple[str, ...] = ()
    if feature is not None:
        name = named(feature, variant_of(request, route.policy) if callable(feature) else "")
        request.route = route.noted.by(name)
        request.used(name)
        own = (name,)
    for name in request.features:
        switches.check(name)
    return own


def _tell(request: Any, headers: Sequence[tuple[str, str]]) -> None:
    for name, value in headers:
        request.setHeader(name, value)


def _options(methods: Mapping[str, Answering]) -> tuple[Answer, Policy]:
    """What may be asked of a path, and by pages of which origins: a browser asks before such a page may."""
    policy = methods["GET"].policy
    headers = [("Allow", ", ".join(sorted({*methods, "HEAD", "OPTIONS"})))]
    if policy.cors:
        headers.append(("Access-Control-Allow-Headers", ALLOWED_HEADERS))
    return Answer(code=204, headers=tuple(headers)), evolve(NO_STORE, cors=policy.cors)


def let(request: Any, work: Coroutine[Any, Any, None]) -> int:
    """Let ``work`` write the answer, as Klein lets a route: cancelled when nobody is there to take it.

    Returns:
        what a resource's ``render`` does that answers later.
    """
    working = Deferred.fromCoroutine(work)
    request.notifyFinish().addErrback(lambda _: working.cancel())

    working.addErrback(lambda failure: Deferred.fromCoroutine(failed(request, failure)))
    working.addCallback(lambda _: None if request.aborted else request.finish())
    working.addErrback(lambda failure: log.failure("An answer failed", failure))
    return NOT_DONE_YET


async def failed(request: Any, failure: Failure) -> None:
    """Answer what no route answered: one place turns every exception into a status."""
    error = failure.value
    if error is None or isinstance(error, CancelledError):
        return
    if request.startedWriting:
        path = hushed(request.path)
        log.failure("An answer broke off: {method} {path}", failure, method=request.method, path=path)
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
    path = hushed(request.path)
    log.failure("A route failed: {method} {path}", failure, method=request.method, path=path)
    return said(request, 500, "The index made a mistake; its operator can find it in the log.", phrase=False)


def _with_slash(request: Any) -> str:
    """The path with a slash at its end, and the query; a path alone, so that no host is ever trusted."""
    question, query = request.uri.partition(b"?")[1:]
    return f"{quote(request.text_path, safe=UNRESERVED)}/{(question + query).decode('ascii')}"
