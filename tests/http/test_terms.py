"""Terms of routes: what is not said, or contradicts itself, is found before anybody is served."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from attrs import define, evolve, field
from twisted.internet.task import Clock

from caching.policy import DAY, NO_STORE, Policy
from pypi.domain.permissions import Permission
from pypi.front import EVENTS, LIMITS, routes
from pypi.http.answer import Answer
from pypi.http.answering import klein_for
from pypi.http.csrf import Origins
from pypi.http.hosts import Hosts
from pypi.http.router import Route, Router
from pypi.http.site import Site
from pypi.http.terms import (
    ANYBODY_READS,
    PUBLISHING,
    Credential,
    Csrf,
    Gaps,
    Terms,
    check,
    check_names,
    faults,
)
from tests.http.memory import HOST, Response, Wire, parse_responses

PERSONAL = Policy(store=False)
MANAGING = Terms(
    takes=frozenset({Credential.SESSION}),
    permission=Permission.MANAGE,
    csrf=Csrf.TOKEN,
    audit="release.yank",
)
ENTERING = Terms(
    takes=frozenset({Credential.NONE, Credential.SESSION}),
    permission=Permission.ENTER,
    csrf=Csrf.TOKEN,
    audit="account.enter",
)
LOOKING = Terms(takes=frozenset({Credential.SESSION}), permission=Permission.ACCOUNT)


def write(terms: Terms) -> Route:
    return Route("POST", "/x", "x", NO_STORE, terms=terms, writes=True)


def read(terms: Terms, policy: Policy = PERSONAL) -> Route:
    return Route("GET", "/x", "x", policy, terms=terms)


@pytest.mark.parametrize(
    "route",
    [
        write(PUBLISHING),
        write(MANAGING),
        write(ENTERING),
        read(LOOKING),
        read(LOOKING, Policy(shared=False)),
        read(ANYBODY_READS, Policy(keep=DAY, cors=True)),
        Route("POST", "/x", "x", NO_STORE, terms=ANYBODY_READS),
    ],
)
def test_complete(route: Route) -> None:
    """Terms that say all there is to say have no faults."""
    assert list(faults(route)) == []


@pytest.mark.parametrize(
    ("route", "fault"),
    [
        (write(evolve(PUBLISHING, takes=frozenset())), "does not say which credentials it takes"),
        (write(evolve(PUBLISHING, permission=None)), "does not say which permission it needs"),
        (write(evolve(PUBLISHING, csrf=None)), "does not say how pages of strangers are kept out"),
        (write(evolve(PUBLISHING, audit="")), "does not say which event is noted of it"),
        (
            write(evolve(PUBLISHING, permission=Permission.READ)),
            "writes, and asks for no more than the permission to read",
        ),
        (write(ANYBODY_READS), "writes, and asks for no more than the permission to read"),
        (
            write(evolve(PUBLISHING, takes=frozenset({Credential.NONE, Credential.TOKEN}))),
            "takes whoever shows no credentials, and needs the permission to upload",
        ),
        (
            read(evolve(LOOKING, takes=frozenset({Credential.NONE, Credential.SESSION}))),
            "takes whoever shows no credentials, and needs the permission to account",
        ),
        (write(evolve(MANAGING, lately=True)), "wants a second factor of late"),
        (write(evolve(MANAGING, csrf=Csrf.COOKIELESS)), "does not ask for the token of the session"),
        (write(evolve(PUBLISHING, csrf=Csrf.TOKEN)), "takes no sessions"),
        (read(LOOKING, Policy()), "lets shared caches keep its answers"),
        (read(LOOKING, Policy(shared=False, keep=60)), "is kept by our own caches"),
        (read(LOOKING, evolve(PERSONAL, cors=True)), "lets pages of other origins read its answers"),
        (
            read(evolve(LOOKING, takes=frozenset({Credential.TOKEN})), Policy()),
            "lets shared caches keep its answers",
        ),
        (write(evolve(MANAGING, audit="Yank it")), "such names are words with dots"),
        (write(evolve(MANAGING, rate_limit="x y")), "such names are words with dots"),
    ],
)
def test_faults(route: Route, fault: str) -> None:
    """What is left open, or lets in whom it should not, is said in a sentence that names the route."""
    with pytest.raises(Gaps) as caught:
        check([route])
    assert any(fault in sentence for sentence in caught.value.args), caught.value.args
    assert all(
        line.startswith(f"{route.method} /x ") and line[-1] == "." for line in str(caught.value).split("\n")
    )


def test_all_gaps_are_told_at_once() -> None:
    """Whoever wrote several routes reads all that is missing, not only the first of it."""
    with pytest.raises(Gaps) as caught:
        check([write(Terms()), read(ANYBODY_READS), read(LOOKING, Policy())])
    assert len(caught.value.args) == 5


def test_routes_of_today() -> None:
    """Every public route is complete, and names what is there."""
    check(routes())
    check_names(routes(), events=EVENTS, limits=LIMITS)


@define
class Room:
    """What a signed-in person asks, and what tools ask."""

    router: ClassVar[Router] = Router()
    seen: list[tuple[str | None, str | None]] = field(factory=list)

    def look(self, request: Any) -> Answer:
        self.seen.append((request.getHeader("Cookie"), request.getHeader("Authorization")))
        return Answer(body=b"seen")

    @router.get("/public", policy=Policy())
    async def public(self, request: Any) -> Answer:
        """Is for everybody."""
        return self.look(request)

    @router.get("/own", policy=PERSONAL, terms=LOOKING)
    async def own(self, request: Any) -> Answer:
        """Is for somebody who is signed in."""
        return self.look(request)

    @router.post("/manage", terms=MANAGING)
    async def manage(self, request: Any) -> Answer:
        """Is sent by forms."""
        return self.look(request)

    @router.post("/upload", terms=PUBLISHING)
    async def upload(self, request: Any) -> Answer:
        """Is sent by tools."""
        return self.look(request)


class Ajar:
    """Lets everybody in."""

    async def admit(self, request: Any, terms: Terms) -> Answer | None:
        """Look at nobody."""
        return None


@define
class Careless:
    """Forgets to say who may."""

    router: ClassVar[Router] = Router()

    @router.post("/open", terms=Terms())
    async def open(self, request: Any) -> Answer:
        """Writes."""
        return Answer()


def test_nothing_starts_with_a_gap() -> None:
    """Routes are not put together while one of them leaves something open."""
    with pytest.raises(Gaps, match=r"^POST /open does not say which credentials it takes\.\n"):
        klein_for([Room(), Careless()], origins=Origins.of("https://index.example"), door=Ajar())


def test_nothing_starts_without_a_door() -> None:
    """Somebody has to look at sessions where routes take them."""
    with pytest.raises(Gaps, match="GET /own takes sessions, and nobody stands at the door"):
        klein_for([Room()], origins=Origins.of("https://index.example"))


def test_nothing_starts_without_an_origin() -> None:
    """Forms of signed-in people need to come from an origin that is known."""
    with pytest.raises(Gaps, match="POST /manage is for pages of our own origin"):
        klein_for([Room()])


def ask(room: Room, method: str, path: str, *lines: str) -> Response:
    klein = klein_for([room], origins=Origins.of(f"http://{HOST}"), door=Ajar())
    wire = Wire(Site(klein.resource(), reactor=Clock(), hosts=Hosts.of([HOST])))
    head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *lines]
    head += ["Content-Length: 0"] if method == "POST" else []
    wire.send("\r\n".join([*head, "", ""]).encode())
    [answer] = parse_responses(wire.output)
    return answer


@pytest.mark.parametrize(
    ("method", "path", "seen"),
    [
        ("GET", "/public", (None, None)),
        ("GET", "/own", ("a=b", None)),
        ("POST", "/manage", ("a=b", None)),
        ("POST", "/upload", (None, "Bearer x")),
    ],
)
def test_what_a_route_does_not_take(method: str, path: str, seen: tuple[str | None, str | None]) -> None:
    """A handler sees cookies only where sessions are taken, and credentials only where they are."""
    room = Room()
    answer = ask(room, method, path, "Cookie: a=b", "Authorization: Bearer x", f"Origin: http://{HOST}")
    assert (answer.status, room.seen) == (200, [seen])


@pytest.mark.parametrize("lines", [[], ["Origin: https://evil.example"], ["Sec-Fetch-Site: cross-site"]])
def test_forms_of_strangers(lines: list[str]) -> None:
    """A form that is not one of our own pages' is refused before the route hears of it."""
    room = Room()
    answer = ask(room, "POST", "/manage", "Cookie: a=b", *lines)
    assert (answer.status, room.seen) == (403, [])
    assert answer.headers[b"cache-control"] == b"private, no-store"
    assert b"nothing was changed" in answer.body


def test_tools_have_no_origin() -> None:
    """Tools come from nowhere, and are let in; so are pages of our own."""
    assert ask(Room(), "POST", "/upload").status == 200
    assert ask(Room(), "POST", "/upload", f"Origin: http://{HOST}").status == 200
    assert ask(Room(), "POST", "/upload", "Sec-Fetch-Site: none").status == 200


@pytest.mark.parametrize(
    "line",
    [
        "Origin: https://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ],
)
def test_tools_are_no_pages_of_strangers(line: str) -> None:
    """A page of others makes no browser use what was typed into it once, though no cookie is looked at."""
    room = Room()
    answer = ask(room, "POST", "/upload", "Authorization: Bearer x", line)
    assert (answer.status, room.seen) == (403, [])
    assert b"nothing was changed" in answer.body
    assert ask(room, "GET", "/public", line).status == 200


def test_names_of_what_is_not_there() -> None:
    """Events that nobody writes and limits that nobody counts are found, all at once; others are let be."""
    good = write(evolve(PUBLISHING, rate_limit="api.write"))
    check_names([good], events={PUBLISHING.audit}, limits={"api.write"})
    with pytest.raises(Gaps) as caught:
        check_names([good, good], events=(), limits=())
    assert str(caught.value).splitlines() == 2 * [
        "POST /x is noted as 'project.file-added', which nobody writes.",
        "POST /x is limited by 'api.write', which nobody counts.",
    ]
