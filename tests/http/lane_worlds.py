"""A small application and two worlds it runs in: one with the fast lane, one without."""

from __future__ import annotations

from base64 import b85encode
from collections import Counter, deque
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, ClassVar

from attrs import define, evolve
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from caching.breaker import Breaker
from caching.kept import Heads, Kept, unpack
from caching.lane import FastLane
from caching.layered import Found, Ladder, Question
from caching.memory import Memory
from caching.moment import Moment
from caching.policy import Policy
from caching.stats import RouteStats
from caching.store import Entry, Turn
from caching.tags import Known
from pypi.domain.errors import NoSuchProject, Refusal, Unavailable
from pypi.http.access_log import AccessLog
from pypi.http.answer import Answer, redirect
from pypi.http.answering import klein_for
from pypi.http.hosts import Hosts
from pypi.http.keeping import Keeper, entry_of
from pypi.http.limits import Limits
from pypi.http.log_lines import Json
from pypi.http.negotiate import best, joined
from pypi.http.observed import Observer
from pypi.http.plain import PlainReader
from pypi.http.router import Router
from pypi.http.site import Site
from pypi.http.streams import Stream
from pypi.http.terms import PUBLISHING
from tests.http import lane_streams
from tests.http.lane_streams import Change, Choke, Script, Send, Take, Wait
from tests.http.memory import HOST, MemoryTransport, Wire

START = 1_700_000_000
HTML, JSON = "text/html", "application/vnd.pypi.simple.v1+json"

# --- the application --------------------------------------------------------------------------------------


def by_accept(accept: str | None, given: Mapping[str, str]) -> str:
    """Which of two representations is meant; a parameter says it more clearly than a header."""
    asked = {"json": JSON, "html": HTML}.get(given.get("format", ""))
    return asked or best(accept, (HTML, JSON)) or HTML


PAGE = Policy(keep=600, stale_if_error=3600, edge=60, vary=("Accept",), variant=by_accept, cors=True)
LISTED = Policy(keep=600, stale_if_error=3600, vary=("Accept",), variant=by_accept, query=("format",))
ALIKE = Policy(keep=600, stale_if_error=3600, browser=60)
NEVER = Policy()

LENGTHS = {"small": 20_000, "large": 120_000, "café": 2_000, "listed": 5_000, "later": 900}
"""Bytes of pages; the large one does not fit into one piece, compressed or not."""


@cache
def page(name: str, kind: str, version: int) -> Answer:
    """A page as it is after so many changes."""
    text = f"{name} {kind} {version}\n".encode()
    filling = Random(name).randbytes(LENGTHS[name])
    # A small page is as compressible as pages are, the large one hardly.
    body = text + (b85encode(filling) if name == "large" else filling.hex().encode())[: LENGTHS[name]]
    etag = f'"{name.replace("é", "e")}-{"json" if kind == JSON else "html"}-{version}"'
    content_type = kind if kind == JSON else f"{kind}; charset=utf-8"
    headers = (("X-PyPI-Last-Serial", str(version)),)
    return Answer(body=body, content_type=content_type, etag=etag, headers=headers, tags=(name, "all"))


@cache
def found() -> tuple[tuple[str, str, str, Policy, Entry], ...]:
    """(path, its route, representation, policy, entry) of all that memory has at first."""
    answers = [
        (path, route, kind, policy, page(name, kind, 0))
        for path, route, policy, name in (
            ("/simple/small/", "/simple/<name>/", PAGE, "small"),
            ("/simple/large/", "/simple/<name>/", PAGE, "large"),
            ("/simple/caf%C3%A9/", "/simple/<name>/", PAGE, "café"),
            ("/listed/", "/listed/", LISTED, "listed"),
            ("/later/", "/later/", PAGE, "later"),
        )
        for kind in (HTML, JSON)
    ]
    moved = redirect("/simple/small/")
    for kind in (HTML, JSON):
        answers.append(("/simple/nobody/", "/simple/<name>/", kind, PAGE, NOBODY))
        answers.append(("/simple/small", "/simple/<name>", kind, PAGE, moved))
    answers.append(("/tiny/", "/tiny/", "", ALIKE, tiny(0)))
    return tuple((*about, policy, _entry(answer, policy)) for *about, policy, answer in answers)


def _entry(answer: Answer, policy: Policy) -> Entry:
    made: list[Any] = []
    Deferred.fromCoroutine(entry_of(answer, policy)).addCallback(made.append)
    return evolve(made[0], made=float(START))


NOBODY = Answer(code=404, body=b"404 Not Found\n", tags=("nobody", "all"))


def tiny(version: int) -> Answer:
    """An answer too short to be compressed."""
    return Answer(body=b"tiny %d" % version, etag=f'"tiny-text-{version}"', tags=("tiny",))


class Down(Unavailable):
    """What the source raises while it is down."""


@define
class Room:
    """What answers; the world it answers in is put into it."""

    router: ClassVar[Router] = Router()
    world: Any = None

    @router.get("/simple/<name>/", policy=PAGE)
    async def project(self, request: Any, name: str) -> Answer:
        """Two representations, compressed or not; and a refusal that is kept."""
        if name == "unkept":
            raise NoSuchProject(name)
        version = self.world.ask(name)
        if name not in LENGTHS:
            return NOBODY
        return page(name, by_accept(joined(request, "Accept"), {}), version)

    @router.get("/simple/<name>", policy=PAGE)
    async def without_slash(self, request: Any, name: str) -> Answer:
        """A redirect that is kept."""
        return redirect(f"/simple/{name}/")

    @router.get("/tiny/", policy=ALIKE)
    async def tiny(self, request: Any) -> Answer:
        """One representation, too short to be compressed."""
        return tiny(self.world.ask("tiny"))

    @router.get("/listed/", policy=LISTED)
    async def listed(self, request: Any) -> Answer:
        """Depends on its query."""
        asked = {name.decode(): values[0].decode("utf-8", "replace") for name, values in request.args.items()}
        kind = by_accept(joined(request, "Accept"), asked)
        return page("listed", kind, self.world.ask("listed"))

    @router.get("/later/", policy=PAGE)
    async def later(self, request: Any) -> Answer:
        """Takes its time."""
        await deferLater(self.world.clock, 0.02)
        return page("later", by_accept(joined(request, "Accept"), {}), self.world.ask("later"))

    @router.get("/never/", policy=NEVER)
    async def never(self, request: Any) -> Answer:
        """Is not kept."""
        return Answer(body=b"never kept")

    @router.get("/stream/", policy=ALIKE)
    async def stream(self, request: Any) -> Answer:
        """Cannot be kept."""

        async def pieces() -> Any:
            for piece in (b"one", b"two", b"three"):
                yield piece

        return Answer(body=Stream(length=11, pieces=pieces))

    @router.get("/refused/", policy=PAGE)
    async def refused(self, request: Any) -> Answer:
        """Refuses."""
        raise NoSuchProject("refused")

    @router.post("/write/", terms=PUBLISHING)
    async def write(self, request: Any) -> Answer:
        """Reads the body."""
        return self.world.note("write", await request.body.read(1 << 20))

    @router.post("/simple/small/", terms=PUBLISHING)
    async def write_to_a_page(self, request: Any) -> Answer:
        """Reads the body, where there is also a page."""
        return self.world.note("page", await request.body.read(1 << 20))

    @router.post("/refuse/", terms=PUBLISHING)
    async def refuse(self, request: Any) -> Answer:
        """Does not read the body."""
        return self.world.note("refuse", b"")

    @router.post("/late/", terms=PUBLISHING)
    async def late(self, request: Any) -> Answer:
        """Takes its time."""
        await deferLater(self.world.clock, 0.02)
        return self.world.note("late", await request.body.read(1 << 20))


@define
class Switch:
    """The keeper's ladder: that of the world which is being looked at."""

    world: Any = None

    async def find(self, question: Question) -> Found:
        """Ask there."""
        found: Found = await self.world.ladder.find(question)
        return found

    async def plain(self, kept: Kept) -> Any:
        """Keep it there."""
        return await self.world.ladder.plain(kept)


@cache
def stage() -> tuple[Any, Room, Switch]:
    """(the resource of the application, its room, its ladder); made once, for that takes long."""
    room, switch = Room(), Switch()
    return klein_for([room], Keeper(ladder=switch)).resource(), room, switch  # type: ignore[arg-type]


# --- two worlds -------------------------------------------------------------------------------------------


class Nothing:
    """A shared store that has nothing."""

    async def get(self, key: str) -> Turn:
        """Nothing is here."""
        return Turn.OURS

    async def put(self, key: str, entry: Entry, seconds: float) -> bool:
        """Nothing is kept."""
        return False

    async def touch(self, serial: int, tags: tuple[str, ...]) -> None:
        """Nothing is forgotten."""


@define
class Unwritten:
    """What takes the lines of the access log."""

    data: bytes = b""

    def put(self, data: bytes, count: int) -> None:
        """Keep them."""
        self.data += data


class World:
    """A server with its clock, its caches and its source; with a lane, or without."""

    def __init__(self, given: Script, *, lane: bool) -> None:
        resource = stage()[0]
        self.clock = Clock()
        self.serial = 0
        self.versions: Counter[str] = Counter()
        self.up = True
        self.noted: list[tuple[str, bytes]] = []
        self.stats = {route: RouteStats(route) for _, route, *_ in found()}
        self.log = AccessLog(Json("0"), Unwritten(), self.clock, self.wall)  # type: ignore[arg-type]
        self.memory = Memory(64 << 20)
        self.moment = Moment(self.clock, self.wall, b"Cheeseshop", "cheeseshop")
        self.known = Known()
        self.ladder = Ladder(
            memory=self.memory,
            shared=Nothing(),
            known=self.known,
            moment=self.moment,
            breaker=Breaker(self.clock.seconds, lambda: 0.5),
            failure=Unavailable,
            verdict=Refusal,
            reactor=self.clock,
            wall=self.wall,
            chance=lambda: 0.5,
        )
        self._fill(given)
        Deferred.fromCoroutine(self.moment.start())
        hosts, limits = Hosts.of([HOST], loopback=True), Limits()
        observer, reader = Observer(self.clock, self.log), PlainReader(hosts, limits, self.log.lines)
        site = Site(
            resource,
            reactor=self.clock,
            hosts=hosts,
            limits=limits,
            access_log=observer,
            refusals=observer.refuse,
            lane=FastLane(self.memory, self.moment, reader, self.log) if lane else None,
        )
        self.wire = Line(site, Random(given.parts), heedless=given.heedless)

    def wall(self) -> float:
        """POSIX seconds."""
        return START + self.clock.seconds()

    def _fill(self, given: Script) -> None:
        heads = Heads()
        for path, route, kind, policy, entry in found():
            life = 500.0 if given.brief.isdisjoint(entry.tags) else 0.9
            kept = Kept(path.encode(), kind, entry, heads, self.stats[route], 0.0, life)
            if given.plain and entry.packed:
                kept.plain = kept.unpacked(unpack(entry.body))
            self.memory.put(kept, policy.variant)

    # What the application does here.

    def ask(self, name: str) -> int:
        """The version of a page, if the source is up."""
        if not self.up:
            raise Down
        return self.versions[name]

    def note(self, what: str, body: bytes) -> Answer:
        """Something was written."""
        self.noted.append((what, body))
        return Answer(body=b"%s %d %d" % (what.encode(), len(body), len(self.noted)))

    # What happens.

    def play(self, op: lane_streams.Op) -> None:
        """Let one thing happen, and everything come to rest."""
        _, room, switch = stage()
        room.world = switch.world = self
        match op:
            case Send(data):
                self.wire.send(data)
            case Wait(seconds):
                self.clock.advance(seconds)
            case Change(tag):
                self._change(tag)
            case Choke():
                self.wire.transport.choke()
            case Take():
                self.wire.transport.take()
            case _:
                self.up = op.state != "down"
                self.ladder.trust(op.state == "up")
                for _ in range(5 if op.state == "down" else 0):
                    self.ladder.breaker.failed()
                self.ladder._judge()
        self.wire.settle()

    def _change(self, tag: str) -> None:
        self.serial += 1
        self.versions[tag] += 1
        tags = (tag,) if tag != "all" else ("all",)
        self.known.touch(self.serial, tags)
        self.known.advance(self.serial)
        self.memory.forget(self.serial, tags)

    @property
    def state(self) -> tuple[object, ...]:
        """Everything the client can see, and what the application was handed."""
        transport, stats = self.wire.transport, self.stats.values()
        self.log.flush()
        return (
            len(self.wire.output),
            transport.half_closed,
            transport.disconnecting,
            transport.aborted,
            self.wire.lost,
            self.wire.under_way,
            len(self.noted),
            sum(one.hits + one.lane for one in stats),
            sum(one.not_modified + one.lane_not_modified for one in stats),
            sum(one.bytes for one in stats),
            self.log.writer.data,  # type: ignore[attr-defined]
        )


class LaneTransport(MemoryTransport):
    """A transport whose kernel takes as much at once as it likes.

    Attributes:
        by_lane: pieces sent at once, by what they were.
    """

    rng: Random
    by_lane: Counter[str]
    waiting = False

    def write(self, data: bytes) -> None:
        """What a choked client does not take waits; of a lot that waits, the writer is told."""
        if self.half_closed or self.disconnecting:
            return
        super(MemoryTransport, self).write(data)
        if self.choked or self._tempDataLen:
            self._tempDataLen += len(data)
            self._tell()

    def send_now(self, *pieces: bytes) -> bool:
        """Send a part, all, or nothing at once; the rest waits."""
        whole = b"".join(pieces)
        self.by_lane[whole[9:12].decode()] += 1
        self.by_lane["head"] += whole.endswith(b"\r\n\r\n") and not whole.startswith(b"HTTP/1.1 304")
        self.by_lane["in pieces"] += len(pieces) > 1
        self.by_lane["stale"] += b"fwd=stale" in whole[:300]
        if self.half_closed or self.disconnecting:
            return False
        super(MemoryTransport, self).write(whole)
        if not (self.choked or self._tempDataLen):
            taken = self.rng.choice((*(len(whole),) * 6, 0, self.rng.randrange(len(whole))))
            if taken == len(whole):
                return True
            whole = whole[taken:]
        self.by_lane["not taken"] += 1
        self._tempDataLen += len(whole)
        self._tell()
        return False

    def choke(self) -> None:
        """From now on the client takes nothing."""
        self.choked = True

    def take(self) -> None:
        """The client takes everything, and goes on taking."""
        self.choked = False
        self._tempDataLen = 0
        if self.waiting:
            self.waiting = False
            if self.producer is not None:
                self.producer.resumeProducing()

    def _tell(self) -> None:
        if self._tempDataLen > 1 << 16 and not self.waiting and self.producer is not None:
            self.waiting = True
            self.producer.pauseProducing()


class Line(Wire):
    """A connection over such a transport."""

    def __init__(self, site: Site, rng: Random, *, heedless: bool) -> None:
        self.heedless = heedless
        self.transport: LaneTransport = LaneTransport(
            hostAddress=IPv4Address("TCP", "192.0.2.1", 8080),
            peerAddress=IPv4Address("TCP", "203.0.113.7", 50000),
        )
        self.transport.rng, self.transport.by_lane = rng, Counter()
        self.channel: Any = site.buildProtocol(self.transport.peerAddr)
        self.lost = False
        self._inbox: deque[bytes] = deque()
        self.channel.makeConnection(self.transport)

    def pump(self) -> None:
        """Deliver; a heedless line does so whether anybody reads or not."""
        while self.heedless and self._inbox and not (self.lost or self.transport.disconnecting):
            self.channel.dataReceived(self._inbox.popleft())
        super().pump()

    def settle(self) -> None:
        """Let the client take what it takes, and the server read what it reads, until nothing moves."""
        before = None
        while before != (before := (self.under_way, len(self.output), self.transport._tempDataLen)):
            if not self.transport.choked:
                self.transport.take()
            self.pump()
